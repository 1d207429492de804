package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"gistdeal"
)

// Counts has the numbers of users, deals and requests, and the times of the oldest.
type Counts struct {
	Users        map[gistdeal.UserState]int
	Deals        map[gistdeal.DealState]int
	Duplicates   int
	ScanRequests int // pending

	OldestQueued  time.Time // when the oldest queued deal was queued; zero if none is queued
	OldestSending time.Time // when the oldest attempt in doubt began; zero if no deal is sending
	OldestDue     time.Time // when the next scan is due; zero if none is planned
	PushesPaused  bool      // by an operator
}

// Counts returns the numbers of users and deals by state, of duplicate deals and of pending
// scan requests, and the times of the oldest. Triggers of the schema count the rows.
func (s *Store) Counts(ctx context.Context) (c Counts, err error) {
	c = Counts{Users: map[gistdeal.UserState]int{}, Deals: map[gistdeal.DealState]int{}}
	rows, err := s.read.QueryContext(ctx, `SELECT kind, state, CAST(sum(n) AS BIGINT) FROM counts GROUP BY kind, state HAVING sum(n) <> 0`)
	_, err = collect(rows, err, func(row *sql.Rows) (struct{}, error) {
		var kind, state string
		var n int
		err := row.Scan(&kind, &state, &n)
		switch kind {
		case "users":
			c.Users[gistdeal.UserState(state)] = n
		case "deals":
			c.Deals[gistdeal.DealState(state)] = n
		case "duplicate_deals":
			c.Duplicates = n
		}
		return struct{}{}, err
	})
	if err == nil {
		err = s.addTotals(ctx, &c)
	}
	if err != nil {
		return c, fmt.Errorf("count: %w", err)
	}
	return c, nil
}

// addTotals reads everything in Counts that no trigger counts.
func (s *Store) addTotals(ctx context.Context, c *Counts) error {
	var queued, sending, due int64
	err := s.read.QueryRowContext(ctx, `SELECT
		(SELECT count(*) FROM scan_requests WHERE ended_at = 0),
		(SELECT coalesce(min(queued_at), 0) FROM deals WHERE state = 'queued'),
		(SELECT coalesce(min(a.sent_at), 0) FROM deals d JOIN attempts a ON a.gist_id = d.gist_id AND a.outcome IN ('', 'not_found') WHERE d.state = 'sending'),
		(SELECT coalesce(min(next_scan_at), 0) FROM users WHERE state IN ('active', 'gone')),
		`+pushesPaused).Scan(&c.ScanRequests, &queued, &sending, &due, &c.PushesPaused)
	c.OldestQueued, c.OldestSending, c.OldestDue = fromMillis(queued), fromMillis(sending), fromMillis(due)
	return err
}
