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

// limitsEvery is how often the remotes' limits are kept.
const limitsEvery = 5 * time.Second

// budgets returns the budgets of which something is known.
func (e *Engine) budgets() []gistdeal.Budget {
	known := []gistdeal.Budget{}
	for _, b := range append(e.pipedrive.Budgets(), e.github.Budget()) {
		if !b.SeenAt.IsZero() {
			known = append(known, b)
		}
	}
	return known
}

// keepLimits keeps what is known about the limits whenever it has changed, until
// ctx ends.
func (e *Engine) keepLimits(ctx context.Context) error {
	var kept gistdeal.Quotas
	for loop.SleepOrWake(ctx, limitsEvery, e.backoffs) {
		e.keep(ctx, &kept)
	}
	return nil
}

// keepLastLimits keeps the limits after all work has ended: the last requests may
// have met one.
func (e *Engine) keepLastLimits(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), loop.RecordTimeout)
	defer cancel()
	e.keep(ctx, &gistdeal.Quotas{})
}

func (e *Engine) keep(ctx context.Context, kept *gistdeal.Quotas) {
	now := gistdeal.Quotas{Budgets: e.budgets(), Pushes: e.pushBackoff.Status(), GitHub: e.gitHubBackoff.Status()}
	if reflect.DeepEqual(now, *kept) {
		return
	}
	text, err := json.Marshal(now)
	if err == nil {
		err = e.store.Set(ctx, gistdeal.SettingLimits, string(text))
	}
	if err != nil {
		e.log.Error("limits not kept", "error", err)
		return
	}
	*kept = now
}

// restoreLimits continues with the limits of the leader before this one: a ban or
// a spent day does not end with a restart, and requests in the meantime prolong
// it. Our own share of the day may have changed, and so may the GitHub token:
// those are found out again.
func (e *Engine) restoreLimits(ctx context.Context) {
	var known gistdeal.Quotas
	text, err := e.store.Setting(ctx, gistdeal.SettingLimits)
	if err == nil && text != "" {
		err = json.Unmarshal([]byte(text), &known)
	}
	if err != nil {
		e.log.Error("limits not read", "error", err)
		return
	}
	e.pipedrive.Restore(known.Budgets)
	b := known.Pushes
	left := min(time.Until(b.Until), 24*time.Hour)
	if b.Kind == gistdeal.Limited.String() && b.Stage != push.StageQuota && left > 0 {
		e.pushBackoff.Begin(push.StageConnect, &gistdeal.Error{Kind: gistdeal.Limited, RetryAfter: left, Err: errors.New(b.Reason)})
	}
}
