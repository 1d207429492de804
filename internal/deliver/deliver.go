package deliver

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"gistdeal"
	"gistdeal/internal/loop"
	"gistdeal/internal/mail"
	"gistdeal/internal/store"
	"gistdeal/internal/webhook"
)

const (
	poll = 500 * time.Millisecond
	// perTurn is how many messages a webhook gets until the others of the process are looked at.
	perTurn = 200
	// deleteEvery is how often old deliveries are deleted.
	deleteEvery = time.Hour
	// saveEvery is how often a cursor is stored that only passed events of no interest. Ids of
	// events are times in milliseconds, or more.
	saveEvery = int64(time.Hour / time.Millisecond)
	// measureEvery is how often the waiting events are counted, up to maxCounted.
	measureEvery = time.Minute
	maxCounted   = 10_000
)

// Options are the settings of a Deliverer; the zero value works.
type Options struct {
	Mail      mail.Server      // for e-mail; the zero value means none
	PublicURL string           // of the page, for links in notices; "" if it is not known
	Now       func() time.Time // the clock of the rows; nil means time.Now
	Log       *slog.Logger     // nil means none
	Metrics   prometheus.Registerer
}

// Sender sends a message once, as *webhook.Sender does.
type Sender interface {
	Send(ctx context.Context, m webhook.Message) (status int, err error)
}

// Deliverer sends the events to the webhooks.
type Deliverer struct {
	db        *store.Store
	sender    Sender
	mail      mail.Server
	publicURL string
	now       func() time.Time
	log       *slog.Logger
	metrics   metrics

	working  sync.WaitGroup
	deleted  time.Time // when old deliveries were deleted
	measured time.Time // when the waiting events were counted

	mu    sync.Mutex
	busy  map[string]bool      // webhooks that a goroutine works on
	seen  map[string]int64     // how far webhooks without a filter's match have come, beyond their cursors
	until map[string]time.Time // when the next notices are due
	since map[string]time.Time // the time of the oldest message that a webhook has not got
}

// New returns a Deliverer. Nothing is sent before Run.
func New(db *store.Store, sender Sender, o Options) *Deliverer {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	d := &Deliverer{db: db, sender: sender, mail: o.Mail, publicURL: o.PublicURL, now: o.Now, log: o.Log}
	d.reset()
	d.metrics = d.watch(o.Metrics)
	return d
}

// reset forgets what another process may have changed.
func (d *Deliverer) reset() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.busy, d.seen, d.since, d.until = map[string]bool{}, map[string]int64{}, map[string]time.Time{}, map[string]time.Time{}
}

// Run sends messages until ctx ends. It always returns nil: a webhook is no reason to stop.
func (d *Deliverer) Run(ctx context.Context) error {
	d.reset()
	defer d.reset()
	defer d.working.Wait()
	for {
		err, delay := d.turn(ctx), poll
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			d.log.Error("webhooks not read", "error", err)
			delay = loop.MaxDelay
		}
		if !loop.Sleep(ctx, delay) {
			return nil
		}
	}
}

// turn starts a goroutine for each webhook that has something to do, unless one is at it.
func (d *Deliverer) turn(ctx context.Context) error {
	if now := time.Now(); now.Sub(d.deleted) > deleteEvery {
		if err := d.db.DeleteDeliveries(ctx, d.now()); err != nil {
			return err
		}
		d.deleted = now
	}
	webhooks, err := d.db.KeyedWebhooks(ctx)
	if err != nil || len(webhooks) == 0 {
		d.forget(nil)
		return err
	}
	last, err := d.db.LastEvent(ctx)
	if err != nil {
		return err
	}
	d.forget(webhooks)
	if err := d.measure(ctx, webhooks); err != nil {
		return err
	}
	for _, w := range webhooks {
		if d.begin(w, last) {
			d.working.Go(func() {
				defer d.end(w.ID)
				d.serve(ctx, w.ID, last)
			})
		}
	}
	return nil
}

// measure counts now and then the events that the webhook furthest behind has not got.
func (d *Deliverer) measure(ctx context.Context, webhooks []gistdeal.KeyedWebhook) error {
	if time.Since(d.measured) < measureEvery {
		return nil
	}
	most := 0
	for _, w := range webhooks {
		n, err := d.db.EventsAfter(ctx, max(w.Cursor, d.passed(w.ID)), maxCounted)
		if err != nil {
			return err
		}
		most = max(most, n+w.Pending)
	}
	d.measured = time.Now()
	d.metrics.waiting.Set(float64(most))
	return nil
}

// begin reports whether a goroutine has to begin work on a webhook.
func (d *Deliverer) begin(w gistdeal.KeyedWebhook, last int64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.now().Before(d.until[w.ID]) && w.Pending == 0 {
		return false
	}
	if d.busy[w.ID] || d.now().Before(w.NextAt) || (max(w.Cursor, d.seen[w.ID]) >= last && w.Pending == 0) {
		return false
	}
	d.busy[w.ID] = true
	return true
}

func (d *Deliverer) end(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.busy, id)
}

// forget forgets all webhooks but the given ones.
func (d *Deliverer) forget(but []gistdeal.KeyedWebhook) {
	d.mu.Lock()
	defer d.mu.Unlock()
	known := map[string]bool{}
	for _, w := range but {
		known[w.ID] = true
	}
	for id := range d.seen {
		if !known[id] {
			delete(d.seen, id)
		}
	}
	for id := range d.since {
		if !known[id] {
			delete(d.since, id)
		}
	}
	for id := range d.until {
		if !known[id] {
			delete(d.until, id)
		}
	}
}

// serve sends messages to a webhook, one after another, up to the event last.
func (d *Deliverer) serve(ctx context.Context, id string, last int64) {
	for range perTurn {
		// Read each time: a person may have changed the webhook.
		w, err := d.db.KeyedWebhook(ctx, id)
		if gistdeal.KindOf(err) == gistdeal.NotFound || ctx.Err() != nil {
			return
		}
		more := false
		if err == nil {
			more, err = d.step(ctx, w, last)
		}
		if err != nil && ctx.Err() == nil {
			d.log.Error("message not sent", "webhook", w.Name, "error", err)
		}
		if err != nil || !more {
			return
		}
	}
}
