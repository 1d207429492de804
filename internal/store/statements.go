package store

import (
	"context"
	"database/sql"
	"sync"
)

// maxStatements is the maximum number of prepared statements of a pool. The texts of
// queries are constant apart from the conditions of lists, so fewer are common.
const maxStatements = 200

// statements has the prepared statements of a pool, by their text. They end with the pool.
type statements struct {
	mu     sync.Mutex
	byText map[string]*sql.Stmt
}

// of returns the prepared statement of a query. It returns nil if there are too many, or
// if the query cannot be prepared: running it then returns the error.
func (s *statements) of(ctx context.Context, db *sql.DB, query string) *sql.Stmt {
	if s == nil {
		return nil
	}
	statement, room := s.find(query)
	if statement != nil || !room {
		return statement
	}
	statement, err := db.PrepareContext(ctx, query)
	if err != nil {
		return nil
	}
	return s.add(query, statement)
}

func (s *statements) find(query string) (statement *sql.Stmt, room bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byText[query], len(s.byText) < maxStatements
}

// add adds a statement. It returns the one that another goroutine has added meanwhile.
func (s *statements) add(query string, statement *sql.Stmt) *sql.Stmt {
	s.mu.Lock()
	defer s.mu.Unlock()
	if other := s.byText[query]; other != nil {
		_ = statement.Close() // It was never used.
		return other
	}
	if s.byText == nil {
		s.byText = map[string]*sql.Stmt{}
	}
	s.byText[query] = statement
	return statement
}
