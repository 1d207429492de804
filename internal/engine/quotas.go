package engine

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"time"

	"gistdeal"
	"gistdeal/internal/loop"
	"gistdeal/internal/push"
)

// quotasEvery is how often the quotas are saved.
const quotasEvery = 5 * time.Second

// quotas returns the budgets of which something is known.
func (e *Engine) quotas() []gistdeal.Quota {
	known := []gistdeal.Quota{}
	for _, b := range append(e.pipedrive.Quotas(), e.github.Quotas()...) {
		if !b.SeenAt.IsZero() {
			known = append(known, b)
		}
	}
	return known
}

// keepQuotas saves the quotas and backoffs whenever they change, until ctx ends.
func (e *Engine) keepQuotas(ctx context.Context) error {
	for loop.SleepOrWake(ctx, quotasEvery, e.backoffs) {
		e.keep(ctx)
	}
	return nil
}

// keepLastQuotas keeps the limits after all work has ended: the last requests may
// have met one.
func (e *Engine) keepLastQuotas(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), loop.RecordTimeout)
	defer cancel()
	e.keep(ctx)
}

func (e *Engine) keep(ctx context.Context) {
	now := gistdeal.Quotas{
		Quotas: e.quotas(), Pushes: e.pushBackoff.Status(), GitHub: e.gitHubBackoff.Status(), Database: e.faults.Status(), Sweep: e.plan.Load(),
		Outages: append(e.pipedrive.Outages(), e.github.Outages()...),
	}
	if reflect.DeepEqual(now, e.kept) {
		return
	}
	text, err := json.Marshal(now)
	if err == nil {
		err = e.store.SaveQuotas(ctx, string(text), e.quotaEvents(now)...)
	}
	if err != nil {
		e.log.Error("quotas not saved", "error", err)
		return
	}
	e.kept = now
}

// quotaEvents returns the events about quotas that are spent now, or available again,
// compared with those that were saved last.
func (e *Engine) quotaEvents(now gistdeal.Quotas) (events []gistdeal.Event) {
	for _, b := range []struct {
		remote      string
		before, now gistdeal.Backoff
	}{{"Pipedrive", e.kept.Pushes, now.Pushes}, {"GitHub", e.kept.GitHub, now.GitHub}} {
		event := gistdeal.Event{Type: gistdeal.EventQuotaSpent, At: e.options.Now(), EventFacts: gistdeal.EventFacts{Remote: b.remote, Reason: b.now.Reason}}
		switch {
		case b.before.Spent == b.now.Spent:
			continue
		case b.before.Spent:
			event.Type, event.Reason = gistdeal.EventQuotaRestored, ""
		}
		events = append(events, event)
	}
	return events
}

const (
	// deleteEventsEvery is how often old events are deleted.
	deleteEventsEvery = 10 * time.Minute
	// eventsDeletedAtOnce is the number of events that one transaction deletes.
	eventsDeletedAtOnce = 1000
)

// deleteEvents deletes old events, until ctx ends.
func (e *Engine) deleteEvents(ctx context.Context) error {
	for e.options.KeepEvents > 0 {
		n, err := e.store.DeleteEvents(ctx, e.options.Now().Add(-e.options.KeepEvents), eventsDeletedAtOnce)
		if err != nil && ctx.Err() == nil {
			e.log.Error("old events not deleted", "error", err)
		}
		if n < eventsDeletedAtOnce && !loop.Sleep(ctx, deleteEventsEvery) || ctx.Err() != nil {
			return nil
		}
	}
	return nil
}

// restoreQuotas continues with the limits of the leader before this one: a ban or
// a spent day does not end with a restart, and requests in the meantime prolong
// it. Our own share of the day may have changed, and so may the GitHub token:
// those are found out again.
func (e *Engine) restoreQuotas(ctx context.Context) {
	var known gistdeal.Quotas
	text, err := e.store.Setting(ctx, gistdeal.KeyQuotas)
	if err == nil && text != "" {
		err = json.Unmarshal([]byte(text), &known)
	}
	if err != nil {
		e.log.Error("quotas not read", "error", err)
		return
	}
	e.kept = known
	e.pipedrive.Restore(known.Quotas)
	b := known.Pushes
	left := min(time.Until(b.Until), 24*time.Hour)
	if b.Kind == gistdeal.Limited.String() && b.Stage != push.StageQuota && left > 0 {
		e.pushBackoff.Begin(push.StageConnect, &gistdeal.Error{Kind: gistdeal.Limited, RetryAfter: left, Err: errors.New(b.Reason)})
	}
}
