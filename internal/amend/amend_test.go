package amend_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"gistdeal"
	"gistdeal/internal/amend"
	"gistdeal/internal/rules"
)

// world is a database with amendments, and a Pipedrive that refuses changes with an error.
type world struct {
	next     map[string]time.Time // by gist id
	attempts map[string]int
	due      bool // a new deal can be claimed
	refusal  error
	changes  int
	tokens   float64
}

func newWorld(gists int) *world {
	w := &world{next: map[string]time.Time{}, attempts: map[string]int{}}
	for i := range gists {
		w.next[fmt.Sprintf("aa%02d", i)] = time.Time{}
	}
	return w
}

func (w *world) Setting(_ context.Context, name string) (string, error) {
	set := rules.Stored{Version: 1, Set: rules.Set{Rules: []rules.Rule{{Name: "all", Action: gistdeal.RuleCreate, Title: "{{.Description}}", TitleOnEdit: gistdeal.EditUpdate}}}}
	text, err := json.Marshal(set)
	return map[string]string{rules.KeyVersion: "1", gistdeal.KeyRules: string(text)}[name], err
}

func (w *world) AmendmentDue(_ context.Context, now time.Time) (bool, error) {
	_, ok := w.turn(now)
	return ok, nil
}

func (w *world) turn(now time.Time) (string, bool) {
	for id, next := range w.next {
		if !next.After(now) {
			return id, true
		}
	}
	return "", false
}

func (w *world) Due(context.Context) (bool, bool, error) { return w.due, false, nil }

func (w *world) ClaimAmendment(_ context.Context, _ string, now, next time.Time) (a gistdeal.Amendment, ok bool, err error) {
	id, ok := w.turn(now)
	if ok {
		w.next[id] = next
		w.attempts[id]++
		a.ID, a.Rule, a.Description, a.Edited, a.Change, a.Attempt = id, "all", "new", true, 1, w.attempts[id]
		a.Content = &gistdeal.Content{Title: "old"}
	}
	return a, ok, nil
}

func (w *world) IntendAmendment(context.Context, gistdeal.Amendment, gistdeal.Intent, bool) (bool, error) {
	return true, nil
}

func (w *world) EndAmendment(_ context.Context, a gistdeal.Amendment, _ *gistdeal.Content, _ gistdeal.Event) error {
	delete(w.next, a.ID)
	return nil
}

func (w *world) PostponeAmendment(_ context.Context, a gistdeal.Amendment, next time.Time) error {
	w.next[a.ID] = next
	return nil
}

// spend counts the tokens of a request, as the client does.
func (w *world) spend(ctx context.Context, tokens float64) {
	w.tokens += tokens
	gistdeal.CostOf(ctx).Add(tokens / 30_000)
}

func (w *world) DealValues(ctx context.Context, _ int64, _ []string) (gistdeal.DealValues, error) {
	w.spend(ctx, 1)
	return gistdeal.DealValues{Title: "old", Open: true, Editable: true}, nil
}

func (w *world) UpdateDeal(ctx context.Context, _ int64, _ gistdeal.DealChange) error {
	w.spend(ctx, 5)
	if w.refusal == nil {
		w.changes++
	}
	return w.refusal
}

func (*world) HasNote(context.Context, int64, string) (bool, error) { return false, nil }

func (*world) AddNote(context.Context, int64, string) error { return nil }

func (*world) Gist(context.Context, string) (gistdeal.GistDetails, error) {
	return gistdeal.GistDetails{}, nil
}

// run runs an amender for a while in virtual time.
func (w *world) run(t *testing.T, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	if err := amend.New(w, w, w, amend.Options{Ready: func() bool { return true }}).Run(ctx); err != nil {
		t.Error(err)
	}
}

func TestChangesThatAreRefusedCostAtMostOnePercentOfTheDay(t *testing.T) {
	t.Parallel()
	for _, kind := range []gistdeal.Kind{gistdeal.Unauthorized, gistdeal.Temporary} {
		for _, gists := range []int{1, 500} {
			t.Run(fmt.Sprintf("%v, %d gists", kind, gists), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(gists)
					w.refusal = gistdeal.Errorf(kind, "no")
					w.run(t, 24*time.Hour)
					if w.tokens > 300 || w.tokens < 30 {
						t.Errorf("%v tokens in a day, want some, and at most 300", w.tokens)
					}
					w.refusal = nil
					w.run(t, 2*time.Hour)
					if w.changes != gists {
						t.Errorf("%d of %d deals have followed", w.changes, gists)
					}
				})
			})
		}
	}
}

func TestNewDealsComeFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(3)
		w.due = true
		w.run(t, time.Hour)
		if w.tokens != 0 {
			t.Errorf("%v tokens were spent before a new deal", w.tokens)
		}
		w.due = false
		w.run(t, time.Minute)
		if w.changes != 3 {
			t.Errorf("%d of 3 deals have followed", w.changes)
		}
	})
}
