package stack

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"gistdeal/internal/engine"
	"gistdeal/internal/github"
	"gistdeal/internal/operation"
	"gistdeal/internal/pipedrive"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

// The tokens that the clients send. No answer and no log may contain them.
const (
	GitHubToken    = "secret-github"
	PipedriveToken = "secret-pipedrive"
)

// eraseKey lets tests erase users in PostgreSQL too.
const eraseKey = "a key for tests, not random"

// Open opens a new SQLite database until the end of the test.
func Open(t testing.TB) *store.Store {
	t.Helper()
	return OpenAt(t, filepath.Join(t.TempDir(), "test.db"))
}

// OpenAt opens a database by its path or URL until the end of the test.
func OpenAt(t testing.TB, database string) *store.Store {
	t.Helper()
	db, err := store.Open(context.Background(), database, store.Options{EraseKey: eraseKey})
	testenv.Must(t, err)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// Clients returns clients of the simulators at url, with almost no rate limit
// of their own.
func Clients(t testing.TB, url string, o pipedrive.Options) (*github.Client, *pipedrive.Client) {
	t.Helper()
	hub, err := github.New(url, github.Options{Token: GitHubToken})
	testenv.Must(t, err)
	o.Token, o.Rate = PipedriveToken, 1000
	pipe, err := pipedrive.New(url, o)
	testenv.Must(t, err)
	return hub, pipe
}

// Run runs an engine until stop is called. Stop waits for its end and returns
// the error of Run.
func Run(e *engine.Engine) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- e.Run(ctx) }()
	return sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
}

// Start runs an engine on the database against the simulators at url until the
// end of the test. It returns once the engine has the lease.
func Start(t testing.TB, db *store.Store, url string) (*engine.Engine, *github.Client) {
	t.Helper()
	hub, pipe := Clients(t, url, pipedrive.Options{PushTimeout: 5 * time.Second})
	operations := operation.New(db, nil)
	e := engine.New(db, hub, pipe, engine.Options{Owner: "test", AuditsOnRequest: true, Operations: func(ctx context.Context) error { return operations.Run(ctx, hub) }})
	stop := Run(e)
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("the engine ended with: %v", err)
		}
	})
	testenv.Eventually(t, "the engine has the lease", func() bool { return e.Status().Working })
	return e, hub
}
