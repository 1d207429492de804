package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

func TestTheActivityOfUsersIsTheirNewestGistAndTheirGistsPerWeek(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		for id, login := range []string{"nobody", "alice", "bob", "carol", "dave"} {
			track(t, s, login, int64(id))
		}
		const day = 24 * time.Hour
		midnight := noon.Truncate(day).Add(day)
		save(t, s, 1, []gistdeal.Gist{
			{ID: "newest", Description: "the newest", CreatedAt: noon, UpdatedAt: noon},
			{ID: "week's first", CreatedAt: midnight.Add(-7 * day), UpdatedAt: noon},
			{ID: "last week's last", CreatedAt: midnight.Add(-7*day - 1*time.Second), UpdatedAt: noon},
			{ID: "first", CreatedAt: midnight.Add(-84 * day), UpdatedAt: noon},
			{ID: "before", CreatedAt: midnight.Add(-84*day - time.Second), UpdatedAt: noon},
		})
		// The order in which gists are noticed is not the order in which they were created.
		save(t, s, 2, []gistdeal.Gist{{ID: "bob1", CreatedAt: noon.Add(-time.Hour), UpdatedAt: noon}})
		save(t, s, 2, []gistdeal.Gist{{ID: "bob2", CreatedAt: noon.AddDate(-1, 0, 0), UpdatedAt: noon}})
		save(t, s, 4, []gistdeal.Gist{{ID: "not listed", CreatedAt: noon, UpdatedAt: noon}})
		got, err := s.ActivityOf(t.Context(), []int64{1, 2, 3}, noon)
		testenv.Must(t, err)
		none := make([]int, 10)
		want := map[int64]gistdeal.UserActivity{
			1: {NewestGist: &gistdeal.NewestGist{ID: "newest", Description: "the newest", CreatedAt: noon}, Weeks: append([]int{1}, append(none, 2)...)},
			2: {NewestGist: &gistdeal.NewestGist{ID: "bob1", CreatedAt: noon.Add(-time.Hour)}, Weeks: append(make([]int, 11), 1)},
			3: {Weeks: make([]int, 12)},
		}
		want[1].Weeks[10] = 1
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestTheActivityOfUsersReadsNoOldGists(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		testenv.Must(t, s.FillUsers(t.Context(), 200, noon))
		// The rows are long, because PostgreSQL reads all of a small table.
		s.Exec(t, `INSERT INTO gists (id, user_id, seq, description, files, created_at, noticed_at, noticed_by)
			WITH RECURSIVE numbers(i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM numbers WHERE i < 8000)
			SELECT CAST(i AS TEXT), i % 200 + 1, i, '`+strings.Repeat("x", 1500)+`', '[]', i, i, 'scan' FROM numbers`)
		s.Exec(t, `ANALYZE`)
		plans := s.Plans(t)
		_, err := s.ActivityOf(t.Context(), []int64{1, 2, 3}, noon)
		testenv.Must(t, err)
		for _, p := range plans() {
			if p.Rows > 100 || strings.Contains(p.Plan, "SCAN gists") || strings.Contains(p.Plan, "USE TEMP B-TREE FOR ORDER BY") {
				t.Errorf("all gists of a user are read: %d rows\n%s\n%s", p.Rows, p.SQL, p.Plan)
			}
		}
	})
}
