package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/pgtest"
	"gistdeal/internal/testing/testenv"
)

// BenchmarkAMillionUsers measures the queries whose cost may grow with the number of users.
// "x-one-user" is the ratio of a query's duration to that of a query for one user.
func BenchmarkAMillionUsers(b *testing.B) {
	aMillionUsers(b, func(userQuery) bool { return true })
}

// aMillionUsers measures some of userQueries against a million users on both databases.
func aMillionUsers(b *testing.B, measured func(userQuery) bool) {
	b.Helper()
	for _, database := range []string{"SQLite", "PostgreSQL"} {
		b.Run(database, func(b *testing.B) {
			address := filepath.Join(b.TempDir(), "million.db")
			if database == "PostgreSQL" {
				address = pgtest.URL(b)
			}
			s, err := store.Open(b.Context(), address, store.Options{})
			testenv.Must(b, err)
			defer s.Close()
			testenv.Must(b, s.FillUsers(b.Context(), 1_000_000, noon))
			one := duration(b, func() error {
				_, err := s.User(b.Context(), 1+rand.Int64N(1_000_000))
				if gistdeal.KindOf(err) == gistdeal.NotFound { // It was removed.
					err = nil
				}
				return err
			})
			for _, q := range userQueries {
				if !measured(q) {
					continue
				}
				b.Run(q.name, func(b *testing.B) {
					for b.Loop() {
						testenv.Must(b, q.run(b.Context(), s))
					}
					b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/one.Seconds(), "x-one-user")
				})
			}
		})
	}
}

// duration returns how long f takes.
func duration(b *testing.B, f func() error) time.Duration {
	b.Helper()
	const times = 2000
	begin := time.Now()
	for range times {
		testenv.Must(b, f())
	}
	return time.Since(begin) / times
}

// userQuery is a query whose cost may grow with the number of users. FillUsers has all users
// due for a scan within 24 hours after noon.
type userQuery struct {
	name     string
	run      func(ctx context.Context, s *store.Store) error
	readsAll bool // rows, by design
	update   bool
}

const (
	latest   = 48 * time.Hour // no scan is planned that long after noon
	matching = "matching a page of the feed"
)

var userQueries = []userQuery{
	{"is a user due, when none is", func(ctx context.Context, s *store.Store) error {
		return due(s.DueUsers(ctx, noon, noon.Add(latest), 100))(0)
	}, false, false},
	{"is a user to compare due, when none is", func(ctx context.Context, s *store.Store) error {
		return due(s.DueScanned(ctx, noon, noon.Add(latest), 100))(0)
	}, false, false},
	{"users due, when all are", func(ctx context.Context, s *store.Store) error {
		return due(s.DueUsers(ctx, noon.Add(25*time.Hour), noon.Add(latest), 100))(100)
	}, false, false},
	{"users to compare, when all are due", func(ctx context.Context, s *store.Store) error {
		return due(s.DueScanned(ctx, noon.Add(25*time.Hour), noon.Add(latest), 100))(100)
	}, false, false},
	{"number of due users, when none is", func(ctx context.Context, s *store.Store) error {
		_, err := s.DueCount(ctx, noon, noon.Add(latest))
		return err
	}, false, false},
	{"number of due users, when all are", func(ctx context.Context, s *store.Store) error {
		_, err := s.DueCount(ctx, noon.Add(25*time.Hour), noon.Add(latest))
		return err
	}, true, false},
	{matching, func(ctx context.Context, s *store.Store) error {
		ids := make([]int64, 100)
		for i := range ids {
			ids[i] = rand.Int64N(100_000_000)
		}
		_, err := s.UsersInFeed(ctx, ids)
		return err
	}, false, false},
	{"plan of the sweep", func(ctx context.Context, s *store.Store) error {
		_, err := s.SweepSize(ctx)
		return err
	}, false, false},
	{"deals of a page of users", func(ctx context.Context, s *store.Store) error {
		ids := make([]int64, 50)
		for i := range ids {
			ids[i] = rand.Int64N(20_000)
		}
		_, err := s.DealsOfUsers(ctx, ids)
		return err
	}, false, false},
	{"activity of a page of users", func(ctx context.Context, s *store.Store) error {
		ids := make([]int64, 50)
		for i := range ids {
			ids[i] = rand.Int64N(20_000)
		}
		_, err := s.ActivityOf(ctx, ids, noon)
		return err
	}, false, false},
	{"overview", func(ctx context.Context, s *store.Store) error {
		_, err := s.Counts(ctx)
		return err
	}, false, false},
	{"reschedule scans, when none is late", func(ctx context.Context, s *store.Store) error {
		_, err := s.BringForward(ctx, 48*time.Hour, noon)
		return err
	}, true, true},
	{"first page by id", list(gistdeal.UserFilter{}, gistdeal.UserPage{}), false, false},
	{"first page by login", list(gistdeal.UserFilter{}, gistdeal.UserPage{Order: gistdeal.OrderByLogin}), false, false},
	{"page in the middle by login", list(gistdeal.UserFilter{}, gistdeal.UserPage{Order: gistdeal.OrderByLogin, After: &gistdeal.User{ID: 500_000, Login: "user-500000"}}), false, false},
	{"last page by time of tracking", list(gistdeal.UserFilter{}, gistdeal.UserPage{Order: gistdeal.OrderByTracked, Descending: true}), false, false},
	{"first page by last scan", list(gistdeal.UserFilter{}, gistdeal.UserPage{Order: gistdeal.OrderByLastScan}), false, false},
	{"first page by next scan", list(gistdeal.UserFilter{}, gistdeal.UserPage{Order: gistdeal.OrderByNextScan}), false, false},
	{"paused users, 1 of 100", list(gistdeal.UserFilter{States: []gistdeal.UserState{gistdeal.UserPaused}}, gistdeal.UserPage{Order: gistdeal.OrderByLogin}), false, false},
	{"active users", list(gistdeal.UserFilter{States: []gistdeal.UserState{gistdeal.UserActive}}, gistdeal.UserPage{Order: gistdeal.OrderByLogin}), false, false},
	{"search that matches many", list(gistdeal.UserFilter{Search: "77"}, gistdeal.UserPage{}), true, false},
	{"search that matches 1,000", list(gistdeal.UserFilter{Search: "777"}, gistdeal.UserPage{Order: gistdeal.OrderByLogin}), true, false},
	{"search that matches one", list(gistdeal.UserFilter{Search: "ser-777777"}, gistdeal.UserPage{Order: gistdeal.OrderByLogin}), true, false},
	{"search that matches none", list(gistdeal.UserFilter{Search: "nobody-here"}, gistdeal.UserPage{Order: gistdeal.OrderByLogin}), true, false},
}

// due returns a function that checks the number of due users.
func due(users []gistdeal.User, err error) func(want int) error {
	return func(want int) error {
		if err == nil && len(users) != want {
			err = fmt.Errorf("%d users are due, want %d", len(users), want)
		}
		return err
	}
}

func list(f gistdeal.UserFilter, p gistdeal.UserPage) func(context.Context, *store.Store) error {
	p.Limit = 50
	return func(ctx context.Context, s *store.Store) error {
		_, err := s.Users(ctx, f, p)
		return err
	}
}
