package desk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gistdeal"
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

// New returns a desk over the database; nil if nothing was ever stored. Close closes it.
func New(db *store.Store) *Desk { return &Desk{db} }

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
