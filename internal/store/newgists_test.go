package store_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

func TestNewGistsOfAllUsersAreListedWithoutThoseOfBackfills(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		at := func(hours int, userID int64, prefix string, p gistdeal.NewGistPolicy) {
			t.Helper()
			_, err := s.SaveGists(t.Context(), userID, gists(prefix, 1), p, noon.Add(time.Duration(hours)*time.Hour))
			testenv.Must(t, err)
		}
		track(t, s, "alice", 1)
		track(t, s, "bob", 2)
		at(0, 1, "a", gistdeal.NewGistPolicy{First: true})
		at(1, 1, "b", gistdeal.NewGistPolicy{})
		at(2, 2, "c", gistdeal.NewGistPolicy{First: true})
		at(3, 2, "d", gistdeal.NewGistPolicy{Feed: true})
		testenv.Must(t, s.RecordVisit(t.Context(), gistdeal.Visit{Visitor: "ann", UserID: 2, Seq: 4}, noon))
		list := func(q gistdeal.GistQuery) string {
			t.Helper()
			q.Visitor, q.Limit = "ann", 10
			if q.Before == 0 {
				q.Before = math.MaxInt64
			}
			listed, err := s.LastGists(t.Context(), q)
			testenv.Must(t, err)
			var ids []string
			for _, g := range listed {
				ids = append(ids, g.ID[:1])
				if (g.Owner == 1) != g.New || g.NoticedAt.IsZero() {
					t.Errorf("%+v: want that gists of Alice alone are new", g)
				}
			}
			return strings.Join(ids, "")
		}
		for want, q := range map[string]gistdeal.GistQuery{
			"dcba": {},
			"db":   {NoBackfill: true},
			"b":    {NoBackfill: true, OnlyNew: true},
			"dcb":  {Since: noon.Add(time.Hour)},
			"d":    {Since: noon.Add(3 * time.Hour)},
			"":     {Since: noon.Add(4 * time.Hour)},
			"cba":  {Before: 4},
		} {
			if got := list(q); got != want {
				t.Errorf("%+v: %q, want %q", q, got, want)
			}
		}
	})
}
