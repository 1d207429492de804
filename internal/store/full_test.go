package store_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"gistdeal"
	"gistdeal/internal/admin/activity"
	"gistdeal/internal/server"
	"gistdeal/internal/sim"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/stack"
	"gistdeal/internal/testing/testenv"
)

func TestAFullDiskIsReportedUntilThereIsSpace(t *testing.T) {
	t.Parallel()
	log := &strings.Builder{}
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), store.Options{Log: slog.New(slog.NewTextHandler(log, nil))})
	testenv.Must(t, err)
	t.Cleanup(func() { testenv.Must(t, s.Close()) })
	track(t, s, "octocat", 1)
	s.Fill(t)
	for range 2 {
		_, err = s.SaveGists(t.Context(), 1, gists("a", 500), gistdeal.NewGistPolicy{}, noon)
		for _, err := range []error{err, s.Ping(t.Context())} {
			if gistdeal.KindOf(err) != gistdeal.Temporary || !strings.Contains(err.Error(), "the database disk is full") {
				t.Errorf("the error is %v, of kind %v", err, gistdeal.KindOf(err))
			}
		}
		if _, err := s.User(t.Context(), 1); err != nil {
			t.Errorf("reading fails: %v", err)
		}
	}
	s.MakeRoom(t)
	testenv.Must(t, s.Ping(t.Context()))
	if got := save(t, s, 1, gists("a", 500)); got != 500 {
		t.Errorf("%d gists were saved after there was space, want 500", got)
	}
	for line, want := range map[string]int{"database unavailable": 1, "(13)": 1, "database available again": 1} {
		if got := strings.Count(log.String(), line); got != want {
			t.Errorf("%q is %d times in the log, want %d:\n%s", line, got, want, log)
		}
	}
}

func TestTheProgramRecoversFromAFullDisk(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "test.db"))
	remotes, url := testenv.Simulate(t, testenv.Unlimited(sim.Options{Seed: 1}))
	remotes.MakeGists("alice", 3)
	for i := range 150 {
		remotes.AddGist("bob", sim.Gist{ID: fmt.Sprintf("b%04d", i), Description: strings.Repeat("long ", 40)})
	}
	ask := work(t, s, url)
	if status, body := ask("/user/alice"); status != http.StatusOK {
		t.Fatalf("alice: %d %s", status, body)
	}
	s.Fill(t)
	// bob may or may not be tracked yet: a page of the file may have free space.
	if status, body := ask("/user/bob"); status != http.StatusAccepted && status != http.StatusServiceUnavailable {
		t.Errorf("bob while the disk is full: %d %s", status, body)
	}
	if status, body := ask("/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(body, "the database disk is full") {
		t.Errorf("/readyz while the disk is full: %d %s", status, body)
	}
	s.MakeRoom(t)
	testenv.Eventually(t, "bob is shown and has his deals", func() bool {
		status, _ := ask("/user/bob")
		return status == http.StatusOK && len(remotes.Report().WithoutDeal) == 0
	})
	if status, body := ask("/readyz"); status != http.StatusOK {
		t.Errorf("/readyz after there was space: %d %s", status, body)
	}
	if duplicates := remotes.Report().Duplicated; len(duplicates) > 0 {
		t.Errorf("gists with more than one deal: %v", duplicates)
	}
}

func TestAFullDiskIsNotReportedAsARefusalOfPipedrive(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "test.db"))
	remotes, url := testenv.Simulate(t, testenv.Unlimited(sim.Options{Seed: 1}))
	remotes.MakeGists("alice", 2000)
	e, _ := stack.Start(t, s, url)
	if err := e.Track(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	testenv.Eventually(t, "deals are created", func() bool { return remotes.Report().Deals > 10 })
	s.Fill(t)
	testenv.Eventually(t, "the status names the disk", func() bool { return strings.Contains(e.Status().Pushes, "the database disk is full") })
	if pushes := e.Status().Pushes; !strings.HasPrefix(pushes, "a fault of gistdeal or of its database: ") {
		t.Errorf("the status is %q", pushes)
	}
	quotas, err := activity.New(s).Quotas(t.Context())
	testenv.Must(t, err)
	if quotas.Pushes != (gistdeal.Backoff{}) || quotas.Database.Reason != "the database disk is full" {
		t.Errorf("the backoffs are %+v and %+v, want one of the database alone", quotas.Pushes, quotas.Database)
	}
	s.MakeRoom(t)
	testenv.Eventually(t, "the pushes go on", func() bool { return e.Status().Pushes == "on" })
}

// work runs the engine and the server on s until the end of the test. It returns
// a function that sends a request to the server.
func work(t *testing.T, s *store.Store, url string) (ask func(path string) (status int, body string)) {
	t.Helper()
	e, _ := stack.Start(t, s, url)
	front := httptest.NewServer(server.New(s, e, server.Options{Log: slog.New(slog.DiscardHandler)}).Handler())
	t.Cleanup(front.Close)
	return func(path string) (int, string) {
		t.Helper()
		r, err := http.Get(front.URL + path) //nolint:noctx // The server is closed at the end of the test.
		testenv.Must(t, err)
		defer r.Body.Close()
		body, err := io.ReadAll(r.Body)
		testenv.Must(t, err)
		return r.StatusCode, string(body)
	}
}
