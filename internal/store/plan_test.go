package store_test

import (
	"slices"
	"strings"
	"testing"

	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

// TestNoQueryReadsAllUsers holds the plans of the queries that BenchmarkAMillionUsers
// measures: SQLite uses an index wherever it can, and PostgreSQL reads few of 20,000 users.
func TestNoQueryReadsAllUsers(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		testenv.Must(t, s.FillUsers(t.Context(), 20_000, noon))
		plans := s.Plans(t)
		for _, q := range userQueries {
			if q.update {
				continue
			}
			plans()
			testenv.Must(t, q.run(t.Context(), s))
			some := plans()
			if len(some) == 0 {
				t.Errorf("%s: no query was recorded", q.name)
			}
			for _, p := range some {
				if slow := readsAll(p); slow != q.readsAll && (!q.readsAll || p.SQL == some[0].SQL) {
					t.Errorf("%s: reads all users: %v, want %v\n%d rows: %s\n%s", q.name, slow, q.readsAll, p.Rows, p.SQL, p.Plan)
				}
			}
		}
	})
}

// readsAll reports whether a query reads far more users, or counts of users, than it returns.
func readsAll(p store.Planned) bool {
	return p.Rows > 3000 || slices.ContainsFunc(strings.Split(p.Plan, "\n"), func(line string) bool {
		all := strings.HasPrefix(line, "SCAN users") || strings.HasPrefix(line, "SCAN deal_counts")
		// A walk along an index ends with the page.
		return all && (!strings.Contains(line, " INDEX ") || !strings.Contains(p.SQL, "LIMIT"))
	})
}

// TestALargeQueueIsNotReadForEachPush holds the plan of the query that asks, before each push,
// whether queued deals wait for a catch-up. The databases have no statistics of a queue that
// has just grown.
func TestALargeQueueIsNotReadForEachPush(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		testenv.Must(t, s.FillUsers(t.Context(), 1, noon))
		s.Exec(t, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
			INSERT INTO deals (gist_id, state, turn) SELECT CAST(i AS TEXT), 'queued', i FROM n`)
		plans := s.Plans(t)
		due, catchUp, err := s.Due(t.Context())
		if !due || catchUp || err != nil {
			t.Errorf("%v, %v, %v; want that a deal is due", due, catchUp, err)
		}
		for _, p := range plans() {
			if p.Rows > 100 || p.Rows == 0 && !strings.Contains(p.Plan, "deals_catch_up") {
				t.Errorf("%d rows: %s\n%s", p.Rows, p.SQL, p.Plan)
			}
		}
	})
}
