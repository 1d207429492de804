package admin

import (
	"cmp"
	"context"
	"crypto/rand"
	"slices"
	"time"

	"gistdeal"
	"gistdeal/internal/loop"
)

// NewWebhook is a webhook with a secret that was just created, the only time that it is known.
type NewWebhook struct {
	gistdeal.Webhook
	Secret string `json:"secret,omitempty" doc:"It signs the messages; left out if they are for people."`
}

// WebhookInput describes a new webhook.
type WebhookInput struct {
	Name    string
	Kind    gistdeal.WebhookKind
	URL     string
	Headers map[string]string
	Types   []gistdeal.EventType
	User    string // whose events alone it gets; "" for all
	Timing  gistdeal.Timing
}

// AddWebhook creates a webhook, which gets the events from now on.
func (a *Admin) AddWebhook(ctx context.Context, in WebhookInput) (NewWebhook, error) {
	w := gistdeal.Webhook{ID: rand.Text(), Name: in.Name, Kind: in.Kind, Types: in.Types, Timing: in.Timing, CreatedAt: time.Now()}
	if w.Kind != gistdeal.WebhookSigned && w.Digest == "" {
		w.Digest = gistdeal.DigestMinute
	}
	err := cmp.Or(w.Check(w.Kind), gistdeal.CheckWebhookName(in.Name), gistdeal.CheckWebhookURL(in.Kind, in.URL), gistdeal.CheckWebhookHeaders(in.Headers), checkTypes(in.Types))
	if err != nil {
		return NewWebhook{}, err
	}
	if w.UserID, err = a.userID(ctx, in.User); err != nil {
		return NewWebhook{}, err
	}
	k := gistdeal.WebhookKeys{URL: in.URL, Headers: in.Headers}
	if w.Kind == gistdeal.WebhookSigned {
		k.Secret = gistdeal.NewWebhookSecret()
	}
	if err := a.db.AddWebhook(ctx, w, k); err != nil {
		return NewWebhook{}, err
	}
	added, err := a.db.Webhook(ctx, w.Name)
	return NewWebhook{added, k.Secret}, err
}

// checkTypes returns an Invalid error if no event has one of the types.
func checkTypes(types []gistdeal.EventType) error {
	for _, t := range types {
		if !slices.Contains(gistdeal.EventTypes, t) {
			return gistdeal.Errorf(gistdeal.Invalid, "%q is no type of events, want one of %v", t, gistdeal.EventTypes)
		}
	}
	return nil
}

// userID returns the number of a user, 0 for "".
func (a *Admin) userID(ctx context.Context, input string) (int64, error) {
	if input == "" {
		return 0, nil
	}
	u, err := a.user(ctx, input)
	return u.ID, err
}

// WebhookEdit is a change of a webhook; what is nil stays.
type WebhookEdit struct {
	URL     *string
	Headers *map[string]string
	Types   *[]gistdeal.EventType
	User    *string               // "" for all
	State   gistdeal.WebhookState // enabled or disabled; "" stays
	Digest  gistdeal.Digest       // "" stays
	Quiet   *string               // "" for none
	Zone    *string               // "" for UTC
}

// ChangeWebhook changes a webhook. One that is enabled continues behind the last event that
// it got.
func (a *Admin) ChangeWebhook(ctx context.Context, name string, e WebhookEdit) (gistdeal.Webhook, error) {
	w, err := a.db.Webhook(ctx, name)
	if err != nil {
		return w, err
	}
	c := gistdeal.WebhookChange{URL: e.URL, Headers: e.Headers, Types: e.Types, State: e.State}
	if e.URL != nil {
		err = gistdeal.CheckWebhookURL(w.Kind, *e.URL)
	}
	if e.Headers != nil {
		err = cmp.Or(err, gistdeal.CheckWebhookHeaders(*e.Headers))
	}
	if e.Types != nil {
		err = cmp.Or(err, checkTypes(*e.Types))
	}
	if err != nil {
		return w, err
	}
	if e.User != nil {
		id, err := a.userID(ctx, *e.User)
		if err != nil {
			return w, err
		}
		c.UserID = &id
	}
	if c.Timing = e.timing(w.Timing); c.Timing != nil {
		if err := c.Timing.Check(w.Kind); err != nil {
			return w, err
		}
	}
	if err := a.db.ChangeWebhook(ctx, name, c, time.Now()); err != nil {
		return w, err
	}
	return a.db.Webhook(ctx, name)
}

// timing returns the timing after the change; nil if it stays.
func (e WebhookEdit) timing(t gistdeal.Timing) *gistdeal.Timing {
	if e.Digest == "" && e.Quiet == nil && e.Zone == nil {
		return nil
	}
	t.Digest = cmp.Or(e.Digest, t.Digest)
	if e.Quiet != nil {
		t.Quiet = *e.Quiet
	}
	if e.Zone != nil {
		t.Zone = *e.Zone
	}
	return &t
}

// errForPeople refuses what only signed messages have.
func errForPeople(w gistdeal.Webhook) error {
	if w.Kind == gistdeal.WebhookSigned {
		return nil
	}
	return gistdeal.Errorf(gistdeal.Invalid, "the messages of webhook %q are for people: they have no secret, and none is sent again", w.Name)
}

// RotateWebhook gives a webhook a new secret. The old one signs messages too for the overlap.
func (a *Admin) RotateWebhook(ctx context.Context, name string, overlap time.Duration) (NewWebhook, error) {
	now, secret := time.Now(), gistdeal.NewWebhookSecret()
	if err := (gistdeal.Rotation{Overlap: overlap}).Check(now); err != nil {
		return NewWebhook{}, err
	}
	w, err := a.db.Webhook(ctx, name)
	if err != nil {
		return NewWebhook{}, err
	}
	if err := errForPeople(w); err != nil {
		return NewWebhook{}, err
	}
	if err := a.db.RotateWebhook(ctx, name, secret, now.Add(overlap), now); err != nil {
		return NewWebhook{}, err
	}
	w, err = a.db.Webhook(ctx, name)
	return NewWebhook{w, secret}, err
}

// DeleteWebhook deletes a webhook with the list of its messages.
func (a *Admin) DeleteWebhook(ctx context.Context, name string) (Result, error) {
	return Result{name, "deleted", ""}, a.db.DeleteWebhook(ctx, name, time.Now())
}

// Webhooks returns all webhooks, by name.
func (a *Admin) Webhooks(ctx context.Context) ([]gistdeal.Webhook, error) { return a.db.Webhooks(ctx) }

// Webhook returns a webhook; NotFound if there is none of that name.
func (a *Admin) Webhook(ctx context.Context, name string) (gistdeal.Webhook, error) {
	return a.db.Webhook(ctx, name)
}

// Deliveries returns up to limit messages of a webhook in the given states, the last one
// first, before the one about that event; from the last one for 0.
func (a *Admin) Deliveries(ctx context.Context, name string, states []gistdeal.DeliveryState, before int64, limit int) ([]gistdeal.Delivery, error) {
	w, err := a.db.Webhook(ctx, name)
	if err != nil {
		return nil, err
	}
	return a.db.Deliveries(ctx, w.ID, states, before, limit)
}

// AllDeliveries returns up to limit messages of a webhook in the given states, the last one
// first.
func (a *Admin) AllDeliveries(ctx context.Context, name string, states []gistdeal.DeliveryState, limit int) ([]gistdeal.Delivery, error) {
	return a.Deliveries(ctx, name, states, 0, limit)
}

// TestWebhook has the leader send a test message to a webhook, and waits for the result until
// ctx ends. Without one until then, the message is pending.
func (a *Admin) TestWebhook(ctx context.Context, name string) (gistdeal.Delivery, error) {
	id, err := a.db.AddTest(ctx, name, time.Now())
	if err != nil {
		return gistdeal.Delivery{}, err
	}
	w, err := a.db.Webhook(ctx, name)
	for {
		var m gistdeal.Delivery
		if err == nil {
			m, err = a.db.Delivery(context.WithoutCancel(ctx), w.ID, id)
		}
		if err != nil || m.State != gistdeal.DeliveryPending || !loop.Sleep(ctx, followPoll) {
			return m, err
		}
	}
}

// Redelivery selects messages to send again: those about the events from First to Last.
type Redelivery struct {
	First, Last int64
	FailedOnly  bool // only those that failed for good
}

// Redelivered is the number of messages that are sent again.
type Redelivered struct {
	Messages int `json:"messages"`
}

// Redeliver has messages sent again to a webhook: those about events that its filter lets
// through and that are kept.
func (a *Admin) Redeliver(ctx context.Context, name string, r Redelivery) (Redelivered, error) {
	w, err := a.db.Webhook(ctx, name)
	if err != nil {
		return Redelivered{}, err
	}
	if err := errForPeople(w); err != nil {
		return Redelivered{}, err
	}
	if r.Last = min(cmp.Or(r.Last, w.Cursor), w.Cursor); r.First > r.Last || r.First < 0 {
		return Redelivered{}, gistdeal.Errorf(gistdeal.Invalid, "name events up to %d, the last one that the webhook got", w.Cursor)
	}
	failed := map[int64]bool{}
	if r.FailedOnly {
		messages, err := a.db.Deliveries(ctx, w.ID, []gistdeal.DeliveryState{gistdeal.DeliveryFailed}, r.Last+1, maxRedelivered)
		if err != nil {
			return Redelivered{}, err
		}
		for _, m := range messages {
			failed[m.ID] = true
		}
	}
	deleted, err := a.db.DeletedEvents(ctx)
	if err != nil {
		return Redelivered{}, err
	}
	var events []gistdeal.Event
	for after := max(r.First-1, deleted); ; {
		page, err := a.db.Events(ctx, gistdeal.EventQuery{After: after, Types: w.Types, UserID: w.UserID, Limit: maxRedelivered})
		if err != nil {
			return Redelivered{}, err
		}
		for _, e := range page {
			if after = e.ID; e.ID <= r.Last && (!r.FailedOnly || failed[e.ID]) {
				events = append(events, e)
			}
		}
		if len(page) < maxRedelivered || after > r.Last || len(events) > maxRedelivered {
			break
		}
	}
	return Redelivered{len(events)}, a.db.Redeliver(ctx, name, events, time.Now())
}

// maxRedelivered is the most messages that one request has sent again; the database refuses
// more.
const maxRedelivered = 1000
