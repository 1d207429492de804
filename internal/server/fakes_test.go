package server_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

// track makes alice, user 1, a tracked user without a scan.
func track(t testing.TB, db *store.Store) {
	t.Helper()
	_, err := db.Track(context.Background(), gistdeal.Account{ID: 1, Login: "Alice", Type: "User"}, gistdeal.BackfillAll, time.Now())
	testenv.Must(t, err)
}

// fill makes alice a tracked user with n gists with descriptions of that size.
func fill(t testing.TB, db *store.Store, n, size int) {
	t.Helper()
	track(t, db)
	for from := 0; from < n; from += 100 {
		post(t, db, from, min(from+100, n), size)
	}
	testenv.Must(t, db.Scanned(context.Background(), 1, gistdeal.Listing{Pages: 1}, time.Now(), time.Now().Add(time.Hour)))
}

// post adds the gists with the numbers from <= i < to to alice.
func post(t testing.TB, db *store.Store, from, to, size int) {
	t.Helper()
	var gists []gistdeal.Gist
	for i := from; i < to; i++ {
		id := fmt.Sprintf("%032x", i+1)
		raw := "https://gist.githubusercontent.com/Alice/" + id + "/raw/0123456789abcdef0123456789abcdef01234567/notes.md"
		gists = append(gists, gistdeal.Gist{
			ID: id, Description: strings.Repeat("d", size), CreatedAt: time.Unix(1_700_000_000+int64(i), 0),
			Files: []gistdeal.File{{Name: "notes.md", RawURL: raw}, {Name: "todo.md", RawURL: raw}},
		})
	}
	_, err := db.SaveGists(context.Background(), 1, gists, gistdeal.NewGistPolicy{}, time.Now())
	testenv.Must(t, err)
}

// token stores the token ciToken under the name "ci".
func token(t testing.TB, db *store.Store) {
	t.Helper()
	testenv.Must(t, db.SetToken(context.Background(), "ci", gistdeal.HashToken(ciToken), "admin", time.Now()))
}

// answering is an engine that ends every first scan with the same error.
type answering struct{ err error }

func (e answering) Track(context.Context, string) error { return e.err }

var (
	errNobody = gistdeal.Errorf(gistdeal.NotFound, "GitHub knows no such user")
	// errSecret must not be in any answer.
	errSecret = errors.New("disk of secret-host is full")
)

// slow is an engine that tracks alice at once. The test ends its scan.
type slow struct {
	store *store.Store
	asked chan string   // receives each requested login
	end   chan struct{} // closed to end the scan
}

func newSlow(db *store.Store) *slow {
	return &slow{store: db, asked: make(chan string, 100), end: make(chan struct{})}
}

func (e *slow) Track(ctx context.Context, login string) error {
	account := gistdeal.Account{ID: 1, Login: login, Type: "User"}
	if _, err := e.store.Track(ctx, account, gistdeal.BackfillAll, time.Now()); err != nil {
		return err
	}
	e.asked <- login
	select {
	case <-e.end:
		return e.store.Scanned(ctx, 1, gistdeal.Listing{Pages: 1}, time.Now(), time.Now().Add(time.Hour))
	case <-ctx.Done():
		return ctx.Err()
	}
}
