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
