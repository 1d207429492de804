package torture

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"gistdeal/internal/testing/receiver"
)

const (
	// settleClock is ahead of all earlier clocks, so that all users are due and
	// scanned completely.
	settleClock = 30 * time.Hour
	settleLimit = 5 * time.Minute
)

// findings are the mistakes at the end of a world.
type findings struct {
	gists      int
	lost       []string           // gists without a deal
	duplicated map[string][]int64 // gists with more than one deal, including deleted deals
	wrong      []string           // differences between the database and Pipedrive, as text
	messages   []string           // broken promises of messages to webhooks, as text
}

func (f findings) any() bool { return len(f.lost)+len(f.duplicated)+len(f.wrong)+len(f.messages) > 0 }

// settle ends all faults, runs one more process to complete the work, and counts.
func (w *world) settle(ctx context.Context) (findings, error) {
	w.sim.ClearFaults()
	if w.outbox != nil {
		w.outbox.Behave(flaky, receiver.Accepts, 0)
	}
	l := life{clock: settleClock}
	begin := time.Now().Add(settleClock)
	// There are no more faults, so the program may take the time of a busy machine.
	p, err := w.start(l, "GISTDEAL_PUSH_TIMEOUT="+(w.options.ResendAfter-100*time.Millisecond).String(), "GISTDEAL_LEASE="+(2*w.options.ResendAfter).String())
	if err != nil {
		return findings{}, err
	}
	defer w.keepOutput(l, p)
	defer p.kill()
	limited, cancel := context.WithTimeout(ctx, settleLimit)
	defer cancel()
	g, requesting := errgroup.WithContext(limited)
	g.SetLimit(8)
	if w.outbox != nil {
		g.Go(func() error {
			status, err := w.call(requesting, p, http.MethodPut, "/"+flaky, `{"state": "enabled"}`)
			if err == nil && status != http.StatusOK {
				err = fmt.Errorf("enable a webhook: status %d", status)
			}
			return err
		})
	}
	for _, login := range w.users {
		g.Go(func() error { return w.ask(requesting, p, login) })
	}
	err = g.Wait()
	if err == nil {
		err = w.settled(limited, begin)
	}
	if err == nil {
		err = w.allSent(limited)
	}
	p.kill()
	if err := errors.Join(ctx.Err(), p.failed(), err); err != nil {
		return findings{}, err
	}
	return w.count(ctx)
}

// settled waits until all users were scanned since begin and no deal is pending.
func (w *world) settled(ctx context.Context, begin time.Time) error {
	for {
		left, err := waiting(ctx, w.database, begin)
		if err == nil && left == 0 {
			return nil
		}
		if wait(ctx, 200*time.Millisecond) != nil {
			return fmt.Errorf("not settled within %v: %d scans or deals are pending (%w)", settleLimit, left, err)
		}
	}
}

// count compares GitHub, Pipedrive and the database.
func (w *world) count(ctx context.Context) (findings, error) {
	f, report := w.duplicated(), w.sim.Report()
	f.lost = report.WithoutDeal
	rows, err := dealsOf(ctx, w.database)
	if err != nil {
		return f, err
	}
	for id, deals := range report.EverByGist {
		if one := rows[id]; one.state != "created" || !slices.Contains(deals, one.dealID) {
			f.wrong = append(f.wrong, fmt.Sprintf("gist %s has the deals %v, the database has %q %d", id, deals, one.state, one.dealID))
		}
	}
	slices.Sort(f.wrong)
	if f.messages, err = w.messages(ctx); err != nil {
		return f, err
	}
	if f.any() {
		err = w.explain()
	}
	return f, err
}

// duplicated returns the gists with more than one deal.
func (w *world) duplicated() findings {
	report := w.sim.Report()
	f := findings{gists: report.Gists, duplicated: map[string][]int64{}, wrong: slices.Clone(w.damage)}
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, deals := range report.EverByGist {
		ours := slices.DeleteFunc(slices.Clone(deals), func(deal int64) bool { return w.byHand[deal] })
		if len(ours) > 1 {
			f.duplicated[id] = ours
		}
	}
	return f
}

// explain writes the report of the simulators beside the logs.
func (w *world) explain() error {
	text, err := json.MarshalIndent(w.sim.Report(), "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(w.dir, "report.json"), text, 0o600)
}

// String returns the findings in a few lines.
func (f findings) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d gists, %d without a deal %v, %d with more than one", f.gists, len(f.lost), some(f.lost), len(f.duplicated))
	for _, id := range some(slices.Sorted(maps.Keys(f.duplicated))) {
		fmt.Fprintf(&b, "\n  gist %s has deals %v", id, f.duplicated[id])
	}
	for _, text := range append(some(f.wrong), some(f.messages)...) {
		fmt.Fprintf(&b, "\n  %s", text)
	}
	return b.String()
}

// some returns the first few elements of a list.
func some(list []string) []string { return list[:min(len(list), 5)] }
