package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"time"

	"gistdeal"
	"gistdeal/internal/format"
	"gistdeal/internal/loop"
)

type eventsCmd struct {
	List   eventsListCmd   `cmd:"" help:"List events, the first one first."`
	Follow eventsFollowCmd `cmd:"" help:"Print each event when it happens, until Ctrl-C, also after an interruption. With --json one line for each."`
}

// eventFlags select events.
type eventFlags struct {
	printing
	After int64                `help:"Only events with a greater id." placeholder:"ID"`
	Since period               `help:"Only events since this long ago: 24h, 7d ..." placeholder:"DURATION"`
	Type  []gistdeal.EventType `help:"Only events of these types, such as deal.created." placeholder:"TYPE"`
	User  string               `help:"Only events of this user." placeholder:"LOGIN"`
}

// Validate refuses a type that no event has.
func (f *eventFlags) Validate() error { return checkEventTypes(f.Type) }

const (
	// eventsAtOnce is the number of events in a page.
	eventsAtOnce = 500
	// eventWait is how long a page waits for an event.
	eventWait = 20 * time.Second
)

// eventReader reads the selected events page by page.
type eventReader struct {
	user  string
	q     gistdeal.EventQuery
	since time.Time // zero: all
}

// reader returns a reader of the events since a time, unless --after names the place.
func (f *eventFlags) reader(since time.Time) *eventReader {
	r := &eventReader{user: f.User, q: gistdeal.EventQuery{After: f.After, Types: f.Type, Limit: eventsAtOnce}, since: since}
	if f.After == 0 && !since.IsZero() {
		r.q.After = since.UnixMilli() - 1 // An id is at least the time of its event.
	}
	return r
}

// next returns the next events, and whether there may be more at once.
func (r *eventReader) next(ctx context.Context, g backend, wait time.Duration) (events []gistdeal.Event, more bool, err error) {
	p, err := g.EventsAfter(ctx, r.user, r.q, wait)
	if err != nil {
		return nil, false, err
	}
	more, r.q.After = len(p.Events) == r.q.Limit, p.After
	for _, e := range p.Events {
		if !e.At.Before(r.since) {
			events = append(events, e)
		}
	}
	return events, more, nil
}

type eventsListCmd struct {
	eventFlags
	Limit int `default:"100" help:"The most events to print, the last ones; 0: all."`
}

// Run prints events, without --after and --since those of the last 24 hours.
func (c *eventsListCmd) Run(ctx context.Context, at serverFlags) error {
	var since time.Time
	if c.After == 0 || c.Since > 0 {
		since = time.Now().Add(-cmp.Or(time.Duration(c.Since), 24*time.Hour))
	}
	r := c.reader(since)
	return c.withGistdeal(ctx, at, reads, func(g backend) error {
		all := []gistdeal.Event{}
		for more, left := true, false; more; {
			some, again, err := r.next(ctx, g, 0)
			if gistdeal.KindOf(err) == gistdeal.Gone && c.After == 0 { // Older than all that are kept.
				r.q.After = 0
				continue
			}
			if err != nil {
				return err
			}
			all, more = append(all, some...), again
			if c.Limit > 0 && len(all) > c.Limit {
				all, left = all[len(all)-c.Limit:], true
			}
			if left && !more && !c.JSON {
				fmt.Fprintln(os.Stderr, "there are earlier ones: --limit 0 shows all")
			}
		}
		return c.print(struct {
			Events []gistdeal.Event `json:"events"`
		}{all}, func(t *table) {
			t.row("ID", "AT", "TYPE", "USER", "GIST", "DEAL", "FACTS")
			for _, e := range all {
				t.row(eventCells(e)...)
			}
		})
	})
}

type eventsFollowCmd struct{ eventFlags }

// Run prints events as they happen, without --after and --since from now on.
func (c *eventsFollowCmd) Run(ctx context.Context, at serverFlags) error {
	var since time.Time
	if c.Since > 0 {
		since = time.Now().Add(-time.Duration(c.Since))
	}
	r := c.reader(since)
	return c.withGistdeal(ctx, at, reads, func(g backend) error {
		err := c.follow(ctx, g, r)
		if ctx.Err() != nil { // Ctrl-C is the way to end it.
			return nil
		}
		if r.q.After > 0 {
			err = fmt.Errorf("%w; to go on: --after %d", err, r.q.After)
		}
		return err
	})
}

// follow prints events until ctx ends, and returns why it ended. Once it has begun, it goes on
// after an interruption, behind the last event.
func (c *eventsFollowCmd) follow(ctx context.Context, g backend, r *eventReader) error {
	if r.q.After == 0 {
		now, err := g.EventsAfter(ctx, r.user, gistdeal.EventQuery{Types: r.q.Types, Limit: 1}, 0)
		if err != nil {
			return err
		}
		r.q.After = now.LastEvent
	}
	if !c.JSON {
		fmt.Fprintln(os.Stderr, "following events: Ctrl-C ends it")
	}
	for failures := 0; ; {
		some, _, err := r.next(ctx, g, eventWait)
		if gistdeal.KindOf(err) == gistdeal.Gone && c.After == 0 { // Older than all that are kept.
			r.q.After = 0
			continue
		}
		if kind := gistdeal.KindOf(err); kind == gistdeal.Temporary || kind == gistdeal.Limited {
			if failures++; failures == 1 {
				fmt.Fprintf(os.Stderr, "interrupted, and tried again until Ctrl-C: %v\n", err)
			}
			if !loop.Sleep(ctx, loop.Delay(failures)) {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		failures = 0
		for _, e := range some {
			if err := c.printEvent(e); err != nil {
				return err
			}
		}
	}
}

// printEvent prints an event on one line.
func (c *eventsFollowCmd) printEvent(e gistdeal.Event) error {
	if !c.JSON {
		return show(os.Stdout, func(t *table) { t.row(eventCells(e)...) })
	}
	text, err := json.Marshal(e)
	if err != nil {
		return err
	}
	_, err = fmt.Println(format.EscapeJSON(string(text)))
	return err
}

func eventCells(e gistdeal.Event) []string {
	return []string{
		strconv.FormatInt(e.ID, 10), clock(e.At), string(e.Type), cmp.Or(e.Login, "-"), cmp.Or(e.GistID, "-"), dealName(e.DealID),
		shortened(cmp.Or(e.Reason, e.Description, e.OldLogin, e.Webhook, e.Remote), 60),
	}
}
