package store_test

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/pgtest"
	"gistdeal/internal/testing/testenv"
)

// roles returns the URLs of a new database for its owner and for the role that works.
// Both are made with the SQL in docs/deploy.md.
func roles(t *testing.T) (owner, work string) {
	t.Helper()
	psql, err := exec.LookPath("psql")
	if err != nil {
		testenv.SkipIf(t, err)
	}
	page, err := os.ReadFile("../../docs/deploy.md")
	testenv.Must(t, err)
	_, text, _ := strings.Cut(string(page), "```sql\n")
	text, _, ok := strings.Cut(text, "```")
	if !ok {
		t.Fatal("docs/deploy.md has no SQL for two roles")
	}
	url := pgtest.Start(t).URL(t)
	cmd := exec.CommandContext(t.Context(), psql, "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", url)
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	as := func(role string) string { return strings.Replace(url, "gistdeal@/test1", role+"@/gistdeal", 1) }
	return as("gistdeal_owner"), as("gistdeal_work")
}

// asOwner starts a version once as the owner of the database, and runs statements.
func asOwner(t *testing.T, owner string, statements ...string) {
	t.Helper()
	s, err := store.Open(t.Context(), owner, store.Options{})
	testenv.Must(t, err)
	for _, statement := range statements {
		s.Exec(t, statement)
	}
	testenv.Must(t, s.Close())
}

func TestARoleThatOwnsNoTableDoesAllTheWork(t *testing.T) {
	t.Parallel()
	owner, work := roles(t)
	asOwner(t, owner)
	s, err := store.Open(t.Context(), work, store.Options{EraseKey: eraseKey, Lease: leaseTTL})
	testenv.Must(t, err)
	defer s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	heard, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		s.Listen(ctx, func() {
			select {
			case heard <- struct{}{}:
			case <-ctx.Done():
			}
		})
	}()
	<-heard // The store listens.

	if take(t, s) == nil {
		t.Error("the lease is not free")
	}
	catchUp(t, s)
	testenv.Must(t, s.AddToken(t.Context(), gistdeal.Token{Name: "ann", Scope: gistdeal.ScopeRead, CreatedAt: noon}, "hash"))
	u, _ := person(t, s) // Saves, claims, records, and requests a scan.
	<-heard
	cancel()
	<-ended
	_, err = s.Erase(t.Context(), u, noon)
	testenv.Must(t, err)
	for _, table := range []string{"users", "gists"} {
		if n := s.CountRows(t, table); n != 0 {
			t.Errorf("%d %s remain after the erasure", n, table)
		}
	}
	for _, table := range s.Tables(t) {
		s.Exec(t, `SELECT count(*) FROM `+table+` WHERE false`)
		s.Exec(t, `DELETE FROM `+table+` WHERE false`)
	}
}

func TestOnlyTheOwnerOfTheTablesRemovesErasedText(t *testing.T) {
	t.Parallel()
	owner, work := roles(t)
	asOwner(t, owner)
	s, err := store.Open(t.Context(), work, store.Options{EraseKey: eraseKey})
	testenv.Must(t, err)
	defer s.Close()
	catchUp(t, s)
	u, _ := person(t, s)
	_, err = s.Erase(t.Context(), u, noon)
	testenv.Must(t, err)
	if err := s.Scrub(t.Context()); err == nil || !strings.Contains(err.Error(), "owner") {
		t.Errorf("%v, want an error that names who can remove the text", err)
	}
	asOwner(t, owner)
	if n := s.TableSize(t, "gists"); n != 0 {
		t.Errorf("%d bytes of dead rows remain after a start as the owner", n)
	}
}

func TestARoleThatOwnsNoTableChangesNoSchema(t *testing.T) {
	t.Parallel()
	owner, work := roles(t)
	refused := func(when, want string) {
		t.Helper()
		if _, err := store.Open(t.Context(), work, store.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", when, err, want)
		}
	}
	refused("on an empty database", "as the owner")
	asOwner(t, owner, `DELETE FROM migrations`)
	refused("on an old database", "as the owner")
	s, err := store.OpenReadOnly(t.Context(), work, store.Options{})
	testenv.Must(t, err)
	testenv.Must(t, s.Close())
}

func TestARoleThatOwnsNoTableIsToldOfANewerVersion(t *testing.T) {
	t.Parallel()
	owner, work := roles(t)
	asOwner(t, owner, `INSERT INTO migrations VALUES (999)`)
	if _, err := store.Open(t.Context(), work, store.Options{}); err == nil || !strings.Contains(err.Error(), "newer gistdeal") {
		t.Errorf("%v, want it to name a newer gistdeal", err)
	}
}
