package admin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gistdeal"
	"gistdeal/internal/format"
	"gistdeal/internal/loop"
	"gistdeal/internal/store"
)

// Admin works on a database, beside a gistdeal that may be running on it: the
// leader acts on the rows that Admin writes, now or after its next start.
type Admin struct{ db *store.Store }

const (
	// page is how many rows are read at a time.
	page = 500
	// followPoll is the interval at which rows of another process are read again.
	followPoll = 250 * time.Millisecond
)

// noLeader is the reason that a command gives if its rows have to wait.
const noLeader = "no gistdeal instance is running on this database; it is done when one runs"

var errStopped = errors.New("stopped; the request stays")

// New returns an Admin of the database.
func New(db *store.Store) *Admin { return &Admin{db} }

// Result is the result of one of the things that a request named.
type Result struct {
	Input  string `json:"input" doc:"As it was given."`
	Result string `json:"result" enum:"added,tracked,waiting,requested,paused,resumed,approved,removed,retried,skipped,canceled,revoked,deleted,signed_out,forgotten,unchanged,queued,awaiting_approval,tagged,invalid,not_found,refused" doc:"The outcome. Nothing was done for invalid, not_found and refused."`
	Reason string `json:"reason,omitempty" doc:"Why, if there is more to say."`
}

// Done reports whether the thing was done, or will be.
func (r Result) Done() bool {
	switch r.Result {
	case "invalid", "not_found", "refused":
		return false
	}
	return true
}

// Undone returns an error if some of the things could not be done.
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
	return fmt.Errorf("%s of %s could not be done", format.Number(undone), format.Number(len(results)))
}

// refusal is the result of an error that is about the input; false for an
// internal error.
func refusal(input string, err error) (Result, bool) {
	switch gistdeal.KindOf(err) {
	case gistdeal.Internal:
		return Result{}, false
	case gistdeal.Invalid:
		return Result{input, "invalid", err.Error()}, true
	case gistdeal.NotFound:
		return Result{input, "not_found", err.Error()}, true
	}
	return Result{input, "refused", err.Error()}, true
}

// wait waits until rows may have changed; it reports false if ctx has ended.
func wait(ctx context.Context) bool { return loop.Sleep(ctx, followPoll) }

// dealAddress returns the address of deals for gistdeal.DealURL.
func (a *Admin) dealAddress(ctx context.Context) (string, error) {
	return a.db.Setting(ctx, gistdeal.KeyDealURL)
}
