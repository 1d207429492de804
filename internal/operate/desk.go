package operate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gistdeal"
	"gistdeal/internal/app"
	"gistdeal/internal/store"
)

// Desk is a database as an operator's command uses it, beside a gistdeal that
// may be at work: what a command writes is carried out by that one, or by the
// next. It talks to no remote.
type Desk struct {
	db *store.Store // nil: nothing was ever stored
}

// followPoll is how often rows that another process writes are looked for.
const followPoll = 250 * time.Millisecond

// nobodyWorks is what a command says when its rows have to wait.
const nobodyWorks = "no gistdeal is at work on this database; it is done when one runs"

// OpenDesk opens the database for a command that writes, and makes it if there
// is none. It does not change the schema under a gistdeal at work.
func OpenDesk(ctx context.Context, c app.Config) (*Desk, error) {
	if err := refuseUpgrade(ctx, c); err != nil {
		return nil, err
	}
	db, err := c.OpenDatabase(ctx, nil)
	if err != nil {
		return nil, err
	}
	return &Desk{db}, nil
}

// refuseUpgrade returns an error if opening the database would take the tables
// of an older gistdeal at work from under it.
func refuseUpgrade(ctx context.Context, c app.Config) error {
	db, err := c.ReadDatabase(ctx)
	if gistdeal.KindOf(err) == gistdeal.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // Nothing was written.
	schema, err := db.Schema(ctx)
	if err != nil || schema.Current() {
		return err
	}
	if working, err := db.Worked(ctx); err != nil || !working {
		return err
	}
	return fmt.Errorf("the gistdeal at work on %s is of another version than this one: restart it first", c.Database)
}

// ReadDesk opens the database for a command that only reads. A database that
// does not exist yet reads as an empty one, and is not made.
func ReadDesk(ctx context.Context, c app.Config) (*Desk, error) {
	db, err := openIfThere(ctx, c)
	return &Desk{db}, err
}

// Close closes the database. What was written is carried out all the same.
func (d *Desk) Close() error {
	if d.db == nil {
		return nil
	}
	return d.db.Close()
}

// Result is what became of one thing that a command was asked for.
type Result struct {
	Asked  string `json:"asked"` // as it was given
	Result string `json:"result"`
	Reason string `json:"reason,omitempty"`
}

// Done reports whether it was done, or will be.
func (r Result) Done() bool {
	switch r.Result {
	case "invalid", "not_found", "refused":
		return false
	}
	return true
}

// Undone returns an error if some of the results are not what was asked for.
func Undone(results []Result) error {
	undone := 0
	for _, r := range results {
		if !r.Done() {
			undone++
		}
	}
	if undone == 0 {
		return nil
	}
	return fmt.Errorf("%s of %s could not be done", Number(undone), Number(len(results)))
}

// refusal is the result of an error that speaks of what was asked for; false
// for our own faults.
func refusal(asked string, err error) (Result, bool) {
	switch gistdeal.KindOf(err) {
	case gistdeal.Internal:
		return Result{}, false
	case gistdeal.Invalid:
		return Result{asked, "invalid", err.Error()}, true
	case gistdeal.NotFound:
		return Result{asked, "not_found", err.Error()}, true
	}
	return Result{asked, "refused", err.Error()}, true
}

// pause waits until rows may have changed; false if ctx has ended.
func pause(ctx context.Context) bool {
	timer := time.NewTimer(followPoll)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// when is a time in JSON: null for the zero time.
func when(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

var errStopped = errors.New("stopped; what was asked for stays")
