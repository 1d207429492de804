package store_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/pgtest"
	"gistdeal/internal/testing/testenv"
)

// BenchmarkWrites measures the writes of a scan of 100 new gists, and those of one push: a
// claim and its outcome.
func BenchmarkWrites(b *testing.B) {
	for _, database := range []string{"SQLite", "PostgreSQL"} {
		address := filepath.Join(b.TempDir(), "writes.db")
		if database == "PostgreSQL" {
			address = pgtest.URL(b)
		}
		s, err := store.Open(b.Context(), address, store.Options{})
		testenv.Must(b, err)
		defer s.Close()
		_, err = s.Track(b.Context(), gistdeal.Account{ID: 1, Login: "alice"}, gistdeal.BackfillAll, noon)
		testenv.Must(b, err)
		pages, deal := 0, int64(0)
		scan := func(b *testing.B) {
			pages++
			_, err := s.SaveGists(b.Context(), 1, gists(fmt.Sprintf("%d-", pages), 100), gistdeal.NewGistPolicy{Total: 100}, noon)
			testenv.Must(b, err)
		}
		b.Run(database+"/scan", func(b *testing.B) {
			for b.Loop() {
				scan(b)
			}
		})
		for range 30 { // Enough deals to push.
			scan(b)
		}
		b.Run(database+"/push", func(b *testing.B) {
			for b.Loop() {
				c, ok, err := s.Claim(b.Context(), "me", noon, noon)
				if err != nil || !ok {
					b.Fatalf("claim: %v, %v", ok, err)
				}
				deal++
				_, err = s.RecordCreated(b.Context(), c, deal, noon)
				testenv.Must(b, err)
			}
		})
	}
}
