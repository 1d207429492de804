package store_test

import (
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
			"cba":  {After: gistdeal.GistPlace{Seq: 4}},
		} {
			if got := list(q); got != want {
				t.Errorf("%+v: %q, want %q", q, got, want)
			}
		}
	})
}

func TestGistsThatChangedAreListedInTheOrderOfTheirChanges(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "alice", 1)
		at := func(hours int, id, description string) {
			t.Helper()
			g := gistdeal.Gist{ID: id, Description: description, UpdatedAt: noon.Add(time.Duration(hours) * time.Hour)}
			_, err := s.SaveGists(t.Context(), 1, []gistdeal.Gist{g}, gistdeal.NewGistPolicy{}, g.UpdatedAt)
			testenv.Must(t, err)
		}
		for hours, id := range []string{"a", "b", "c", "d", "e"} {
			at(hours, id, "first")
		}
		at(5, "c", "second")
		at(5, "b", "second")
		plans := s.Plans(t)
		list := func(q gistdeal.GistQuery) (ids string) {
			t.Helper()
			for q.Limit = 2; ; {
				page, err := s.LastGists(t.Context(), q)
				testenv.Must(t, err)
				for _, g := range page {
					ids += g.ID
					q.After = g.Place()
				}
				if len(page) < q.Limit {
					return ids
				}
			}
		}
		for want, q := range map[string]gistdeal.GistQuery{
			"adebc": {ByChange: true},
			"ebc":   {ByChange: true, ChangedSince: noon.Add(4 * time.Hour)},
			"cb":    {ChangedSince: noon.Add(5 * time.Hour)},
			"":      {ByChange: true, ChangedSince: noon.Add(6 * time.Hour)},
		} {
			if got := list(q); got != want {
				t.Errorf("%+v: %q, want %q", q, got, want)
			}
			for _, p := range plans() {
				if sqlite := !strings.HasPrefix(p.Plan, "["); sqlite && q.ByChange && (!strings.Contains(p.Plan, "gists_changed") || strings.Contains(p.Plan, "TEMP B-TREE")) {
					t.Errorf("%s does not use the index:\n%s", p.SQL, p.Plan)
				}
			}
		}
	})
}
