package store_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/pgtest"
	"gistdeal/internal/testing/testenv"
)

func TestADatabaseOutageIsReportedAndServingResumesAfterIt(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	s := open(t, server.URL(t))
	s.SetLimit(400 * time.Millisecond)
	track(t, s, "octocat", 1)
	served := func() bool {
		_, err := s.View(t.Context(), "", "octocat")
		_, listErr := s.GistsOf(t.Context(), 1)
		_, writeErr := s.SaveGists(t.Context(), 1, gists("a", 2), gistdeal.NewGistPolicy{}, noon)
		ok := true
		for _, err := range []error{err, listErr, writeErr, s.Ping(t.Context())} {
			if err != nil && gistdeal.KindOf(err) != gistdeal.Temporary {
				t.Fatalf("error of kind %v, want temporary: %v", gistdeal.KindOf(err), err)
			}
			ok = ok && err == nil
		}
		return ok
	}
	for _, harm := range []struct {
		name     string
		do, undo func(testing.TB)
		away     bool
	}{
		{"connections cut", server.Cut, func(testing.TB) {}, false},
		{"frozen", server.Freeze, server.Thaw, true},
		{"stopped", server.Stop, server.Go, true},
		{"closed by an administrator", func(t testing.TB) {
			server.Exec(t, `ALTER DATABASE test1 ALLOW_CONNECTIONS false`)
			server.Cut(t)
		}, func(t testing.TB) { server.Exec(t, `ALTER DATABASE test1 ALLOW_CONNECTIONS true`) }, true},
	} {
		harm.do(t)
		if harm.away && served() {
			t.Errorf("%s: the database answers", harm.name)
		}
		harm.undo(t)
		for n := 0; !served(); n++ {
			if n > 100 {
				t.Fatalf("%s: the database does not answer any more", harm.name)
			}
		}
	}
}

func TestCommitsAreSynchronousWhereTheDatabaseHasThemOff(t *testing.T) {
	t.Parallel()
	database := pgtest.URL(t)
	s := open(t, database)
	s.Exec(t, `DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' SET synchronous_commit = off'; END $$`)
	if got := open(t, database).Show(t, "synchronous_commit"); got != "on" {
		t.Errorf("synchronous_commit is %s", got)
	}
	_, err := store.Open(t.Context(), database+"&synchronous_commit=off", store.Options{})
	if err == nil || !strings.Contains(err.Error(), "synchronous_commit=off") {
		t.Errorf("a URL with synchronous_commit=off: %v", err)
	}
}

func TestAnswersDoNotNameTheDatabase(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	log := &strings.Builder{}
	s, err := store.Open(t.Context(), server.URL(t), store.Options{Log: slog.New(slog.NewTextHandler(log, nil))})
	testenv.Must(t, err)
	server.Stop(t)
	for range 3 {
		if _, err = s.View(t.Context(), "", "octocat"); err == nil || strings.Contains(err.Error(), "pgtest-") {
			t.Errorf("the error is %v", err)
		}
	}
	if strings.Count(log.String(), "database unavailable") != 1 || !strings.Contains(log.String(), "pgtest-") {
		t.Errorf("the log does not name the address and the reason once:\n%s", log)
	}
	_ = s.Close() // The server is stopped, so Close may fail.
}

func TestThePasswordFileIsReadForEachNewConnection(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	address := strings.Replace(server.URL(t), "gistdeal@", "keyed@", 1)
	file := filepath.Join(t.TempDir(), "password")
	rotate := func(password string) {
		server.Exec(t, `ALTER ROLE keyed PASSWORD '`+password+`'`)
		testenv.Must(t, os.WriteFile(file, []byte(password+"\n"), 0o600))
	}
	server.Exec(t, `CREATE ROLE keyed LOGIN SUPERUSER`)
	rotate("s3cret-one")
	s, err := store.Open(t.Context(), address, store.Options{PasswordFile: file})
	testenv.Must(t, err)
	rotate("s3cret-two")
	server.Cut(t)
	for n := 0; s.Ping(t.Context()) != nil; n++ {
		if n > 20 {
			t.Fatal("no connection succeeded with the new password")
		}
	}
	testenv.Must(t, s.Close())
	testenv.Must(t, os.WriteFile(file, []byte("s3cret-wrong"), 0o600))
	if _, err := store.Open(t.Context(), address, store.Options{PasswordFile: file}); err == nil || strings.Contains(err.Error(), "s3cret") || !strings.Contains(err.Error(), "keyed") {
		t.Errorf("with a wrong password: %v; want an error that names the account and no password", err)
	}
}

func TestNoErrorAboutTheURLContainsThePassword(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"postgres://me:s3cret@127.0.0.1:1/db",
		"postgresql://me:s3cret@127.0.0.1:1/db?connect_timeout=1",
		"postgres://me:s3cret@nowhere.invalid/db",
		"postgres://me@127.0.0.1:1/db?password=s3cret",
		"postgres://me@127.0.0.1:1/db?pass%77ord=s3cret&sslpassword=s3cret",
		"postgres://me:s3cret@127.0.0.1:1/db?sslmode=maybe",
		"postgres://me:s3cret@127.0.0.1:port/db",
		"postgres://me:s3cret%zz@127.0.0.1/db",
		"postgres://me:a@s3cret@127.0.0.1:1/db",
		"postgres://me:1/s3cret@127.0.0.1:1/db",
		"postgres://me:1?s3cret@127.0.0.1:1/db",
		"postgres://me:1#s3cret@127.0.0.1:1/db",
		"postgres://me:s3cret 127.0.0.1/db",
		"postgres://me:1:s3cret",
	} {
		_, err := store.Open(t.Context(), address, store.Options{})
		if err == nil {
			t.Errorf("%s: opening succeeded", address)
			continue
		}
		for what, text := range map[string]string{"the error": err.Error(), "the name": store.DisplayName(address), "the check": fmt.Sprint(store.CheckName(address))} {
			if strings.Contains(text, "s3cret") {
				t.Errorf("%s of %s contains the password: %s", what, address, text)
			}
		}
	}
}

// Only these transactions can conflict: one process does most of the work.
func TestConflictingTransactionsAllSucceed(t *testing.T) {
	t.Parallel()
	database := pgtest.URL(t)
	s := open(t, database)
	track(t, s, "alice", 1)
	track(t, s, "bob", 2)
	all := gists("a", 60)
	save(t, s, 1, all[:30])
	adopt := map[string]int64{}
	for i, g := range all {
		adopt[g.ID] = int64(i + 1)
	}
	var wg sync.WaitGroup
	repeat := func(what string, do func(n int) error) {
		wg.Go(func() {
			for n := range 15 {
				if err := do(n); err != nil {
					t.Errorf("%s: %v", what, err)
					return
				}
			}
		})
	}
	for range 2 {
		repeat("save", func(n int) error {
			all := gists("a", 60)
			all[n].Description = fmt.Sprint(n)
			_, err := s.SaveGists(t.Context(), 1, all, gistdeal.NewGistPolicy{}, noon)
			return err
		})
		repeat("adopt", func(n int) error {
			_, err := s.Adopt(t.Context(), map[string]int64{all[n].ID: adopt[all[n].ID], all[59-n].ID: adopt[all[59-n].ID]}, nil, noon)
			return err
		})
		repeat("claim", func(n int) error {
			c, ok, err := s.Claim(t.Context(), "me", noon, noon)
			if ok {
				_, err = s.RecordCreated(t.Context(), c, int64(n+1), noon)
			}
			return err
		})
		repeat("rename", func(n int) error {
			return s.Rename(t.Context(), gistdeal.Account{ID: int64(n%2 + 1), Login: "alice"}, noon)
		})
		repeat("take two logins", func(n int) error {
			_, err := s.Track(t.Context(), gistdeal.Account{ID: int64(n%2 + 1), Login: "bob"}, gistdeal.BackfillAll, noon)
			return err
		})
	}
	wg.Wait()
	counts, err := s.Counts(t.Context())
	testenv.Must(t, err)
	total := 0
	for _, n := range counts.Deals {
		total += n
	}
	if total != len(all) {
		t.Errorf("%d deals of %d gists", total, len(all))
	}
}

func TestADealNamedByTwoGistsIsAdoptedByOne(t *testing.T) {
	t.Parallel()
	s := open(t, pgtest.URL(t))
	track(t, s, "octocat", 1)
	save(t, s, 1, gists("a", 40))
	for id := range int64(20) {
		var known [2]bool
		var wg sync.WaitGroup
		for i := range known {
			c := claim(t, s, "me")
			wg.Go(func() {
				var err error
				if known[i], err = s.RecordCreated(t.Context(), c, id+1, noon); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if known[0] == known[1] {
			t.Errorf("deal %d belongs to both gists or to none: %v", id+1, known)
		}
	}
}

func TestAStatementThatLosesARaceRunsAgain(t *testing.T) {
	t.Parallel()
	s := open(t, pgtest.URL(t))
	track(t, s, "alice", 1)
	s.Exec(t, `CREATE SEQUENCE tries`)
	s.Exec(t, `CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		IF nextval('tries') < 3 THEN RAISE EXCEPTION 'deadlock detected' USING ERRCODE = 'deadlock_detected'; END IF;
		RETURN NEW;
	END $$`)
	s.Exec(t, `CREATE TRIGGER lose BEFORE UPDATE ON users FOR EACH ROW WHEN (NEW.state = 'gone') EXECUTE FUNCTION lose()`)
	testenv.Must(t, s.Gone(t.Context(), 1, false, "deleted", noon, noon))
}
