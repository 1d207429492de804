package store_test

import (
	"math/rand/v2"
	"path/filepath"
	"testing"

	"gistdeal/internal/store"
	"gistdeal/internal/testing/pgtest"
	"gistdeal/internal/testing/testenv"
)

// BenchmarkMatchingAPageOfTheFeedAgainstAMillionUsers measures the query for the owners of
// a page, of whom one in a hundred is tracked. It prints its duration as a multiple of a
// query for one user.
func BenchmarkMatchingAPageOfTheFeedAgainstAMillionUsers(b *testing.B) {
	for name, database := range map[string]func() string{
		"SQLite":     func() string { return filepath.Join(b.TempDir(), "test.db") },
		"PostgreSQL": func() string { return pgtest.URL(b) },
	} {
		b.Run(name, func(b *testing.B) {
			s, err := store.Open(b.Context(), database(), store.Options{})
			testenv.Must(b, err)
			defer s.Close()
			testenv.Must(b, s.FillUsers(b.Context(), 1_000_000))
			page := func() []int64 {
				ids := make([]int64, 100)
				for i := range ids {
					ids[i] = rand.Int64N(100_000_000)
				}
				return ids
			}
			one := testing.Benchmark(func(b *testing.B) {
				for b.Loop() {
					_, err := s.User(b.Context(), rand.Int64N(1_000_000))
					testenv.Must(b, err)
				}
			})
			for b.Loop() {
				_, err := s.UsersInFeed(b.Context(), page())
				testenv.Must(b, err)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(one.NsPerOp()), "x-one-user")
		})
	}
}
