package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"gistdeal"
)

// SettingLimits is the name of the setting that keeps Limits, as JSON.
const SettingLimits = "limits"

// limitsEvery is how often what the answers tell of the budgets is kept.
const limitsEvery = 5 * time.Second

// Limits is what the working process knows of the remotes' limits, kept for the
// next process and for people.
type Limits struct {
	Budgets []gistdeal.Budget `json:"budgets"`
	Pushes  pause             `json:"pushes"`
	GitHub  pause             `json:"github"`
}

// pause is how a gate stands; the zero value is an open one.
type pause struct {
	Stage  string    `json:"stage,omitempty"`
	Kind   string    `json:"kind,omitempty"`
	Reason string    `json:"reason,omitempty"`
	Until  time.Time `json:"until,omitzero"`
}

// String says in words whether the gate is open, and if not, why and until when.
func (p pause) String() string {
	if p.Stage == "" {
		return "on"
	}
	return fmt.Sprintf("paused: %s; next try at %s", p.Reason, p.Until.UTC().Format(time.RFC3339))
}

// Holds reports whether nothing is tried at now.
func (p pause) Holds(now time.Time) bool { return p.Stage != "" && now.Before(p.Until) }

// budgets returns those allowances of which something is known.
func (e *Engine) budgets() []gistdeal.Budget {
	known := []gistdeal.Budget{}
	for _, b := range append(e.pipedrive.Budgets(), e.github.Budget()) {
		if !b.SeenAt.IsZero() {
			known = append(known, b)
		}
	}
	return known
}

// keepLimits writes down what is known of the limits when it has changed, until
// ctx ends.
func (e *Engine) keepLimits(ctx context.Context) error {
	var kept Limits
	for sleepUnless(ctx, limitsEvery, e.gates) {
		e.keep(ctx, &kept)
	}
	return nil
}

// keepLast writes down the limits once all work has ended: the last requests
// may have met one.
func (e *Engine) keepLast(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	e.keep(ctx, &Limits{})
}

func (e *Engine) keep(ctx context.Context, kept *Limits) {
	now := Limits{Budgets: e.budgets(), Pushes: e.pushing.pause(), GitHub: e.reading.pause()}
	if reflect.DeepEqual(now, *kept) {
		return
	}
	text, err := json.Marshal(now)
	if err == nil {
		err = e.store.Set(ctx, SettingLimits, string(text))
	}
	if err != nil {
		e.log.Error("limits not kept", "error", err)
		return
	}
	*kept = now
}

// takeUpLimits begins where the process before this one was: what Pipedrive
// refused for a time, because of a ban or a spent day, does not end with a
// restart, and asking in the meantime makes it longer. Our own share of a day
// may be another one now, and so may the token for GitHub: those are asked about.
func (e *Engine) takeUpLimits(ctx context.Context) {
	var known Limits
	text, err := e.store.Setting(ctx, SettingLimits)
	if err == nil && text != "" {
		err = json.Unmarshal([]byte(text), &known)
	}
	if err != nil {
		e.log.Error("limits not read", "error", err)
		return
	}
	e.pipedrive.Restore(known.Budgets)
	p := known.Pushes
	left := min(time.Until(p.Until), 24*time.Hour)
	if p.Kind == gistdeal.Limited.String() && p.Stage != stageBudget && left > 0 {
		e.pushing.close(stageConnect, &gistdeal.Error{Kind: gistdeal.Limited, RetryAfter: left, Err: errors.New(p.Reason)})
	}
}
