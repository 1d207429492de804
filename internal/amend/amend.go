package amend

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"gistdeal"
	"gistdeal/internal/loop"
	"gistdeal/internal/rules"
	"gistdeal/internal/testing/failpoint"
)

const (
	// poll is how often changes are read.
	poll = 2 * time.Second
	// attemptTime is longer than an attempt takes: after it, one of a process that died is made
	// again.
	attemptTime = 2 * time.Minute
	// noteWait is how long a note without an answer may take to show in the list of notes, and the
	// first wait after an attempt that failed. Each further one is twice as long.
	noteWait    = time.Minute
	longestWait = time.Hour

	stage = "amend" // in the backoff
)

// Pipedrive is the part of Pipedrive's client that an Amender uses.
type Pipedrive interface {
	DealValues(ctx context.Context, id int64, codes []string) (gistdeal.DealValues, error)
	UpdateDeal(ctx context.Context, id int64, change gistdeal.DealChange) error
	HasNote(ctx context.Context, dealID int64, text string) (bool, error)
	AddNote(ctx context.Context, dealID int64, html string) error
}

// Store is the part of the database that an Amender uses.
type Store interface {
	gistdeal.SettingReader
	// AmendmentDue reports whether ClaimAmendment may find one.
	AmendmentDue(ctx context.Context, now time.Time) (bool, error)
	// Due reports whether a deal can be claimed, and whether queued deals wait for a catch-up.
	Due(ctx context.Context) (due, catchUp bool, err error)
	ClaimAmendment(ctx context.Context, owner string, now, next time.Time) (gistdeal.Amendment, bool, error)
	IntendAmendment(ctx context.Context, a gistdeal.Amendment, i gistdeal.Intent, note bool) (bool, error)
	EndAmendment(ctx context.Context, a gistdeal.Amendment, content *gistdeal.Content, e gistdeal.Event) error
	PostponeAmendment(ctx context.Context, a gistdeal.Amendment, next time.Time) error
}

// Options are the settings of an Amender.
type Options struct {
	Owner    string           // names this process in claims; unique for each start
	Ready    func() bool      // reports whether Pipedrive can be used, and is the company of the database
	Stopping <-chan struct{}  // closed when the process is about to end
	Now      func() time.Time // the clock of the rows; nil means time.Now
	Log      *slog.Logger     // nil means none
	Metrics  prometheus.Registerer
}

// Amender brings deals up to date.
type Amender struct {
	store     Store
	pipedrive Pipedrive
	github    rules.GitHub
	options   Options
	rules     *rules.Current
	backoff   *loop.Backoff // from Pipedrive, or from GitHub
	log       *slog.Logger
	now       func() time.Time
	ended     *prometheus.CounterVec
}

// New returns an Amender.
func New(s Store, p Pipedrive, g rules.GitHub, o Options) *Amender {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Amender{
		store: s, pipedrive: p, github: g, options: o, rules: rules.NewCurrent(s), backoff: loop.NewBackoff("Pipedrive", o.Log, loop.NewSignal()), log: o.Log, now: o.Now,
		ended: promauto.With(o.Metrics).NewCounterVec(prometheus.CounterOpts{
			Name: "gistdeal_amendments_total", Help: "Deals whose gists were edited or deleted, by what came of it.",
		}, []string{"outcome"}),
	}
}

// Run brings deals up to date, one after another, until ctx ends. New deals come first.
func (a *Amender) Run(ctx context.Context) error {
	for a.backoff.Wait(ctx) && loop.Sleep(ctx, poll) {
		if err := a.work(ctx); err != nil && ctx.Err() == nil {
			a.backoff.Begin(stage, err)
		}
	}
	return nil
}

// TryNow ends the wait after a refusal, because an operator has changed something.
func (a *Amender) TryNow() { a.backoff.TryNow() }

// work brings deals up to date until there are none left, or new deals come first. It returns an
// error if others would fail too.
func (a *Amender) work(ctx context.Context) error {
	for ctx.Err() == nil && a.options.Ready() {
		now := a.now()
		if any, err := a.store.AmendmentDue(ctx, now); err != nil || !any {
			return err
		}
		if due, catchUp, err := a.store.Due(ctx); err != nil || due || catchUp {
			return err
		}
		c, ok, err := a.store.ClaimAmendment(ctx, a.options.Owner, now, now.Add(attemptTime))
		if err != nil || !ok {
			return err
		}
		if err := a.attempt(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// attempt makes one attempt to bring a deal up to date. After an error the next one follows
// later.
func (a *Amender) attempt(ctx context.Context, c gistdeal.Amendment) error {
	ctx, spent := gistdeal.WithPurpose(ctx, gistdeal.PurposeAmend)
	err := a.follow(ctx, c)
	if err == nil {
		a.backoff.Succeeded(stage)
	}
	if err == nil || ctx.Err() != nil {
		return nil
	}
	a.backoff.Charge(spent.All())
	a.ended.WithLabelValues(gistdeal.KindOf(err).String()).Inc()
	a.log.Warn("deal not updated yet", "gist", c.ID, "deal", c.DealID, "error", err)
	wait := min(max(gistdeal.RetryAfter(err), noteWait<<min(c.Attempt-1, 6)), longestWait)
	if postponed := a.store.PostponeAmendment(ctx, c, a.now().Add(wait)); postponed != nil {
		return postponed
	}
	return err
}

// follow applies the rules to the last changes of a gist.
func (a *Amender) follow(ctx context.Context, c gistdeal.Amendment) error {
	wanted, err := a.wanted(ctx, &c)
	if err != nil {
		return err
	}
	if !needsDeal(c, wanted) {
		return a.end(ctx, c, work{}, "unchanged")
	}
	values, err := a.pipedrive.DealValues(ctx, c.DealID, codesOf(wanted))
	if err != nil {
		return err
	}
	if !values.Editable { // A person has deleted or archived it.
		return a.end(ctx, c, work{}, "gone")
	}
	w := plan(c, wanted, values)
	if w.change.Empty() && len(w.note) == 0 {
		return a.end(ctx, c, w, "unchanged")
	}
	if ok, err := a.store.IntendAmendment(ctx, c, w.intent, len(w.note) > 0); err != nil || !ok {
		return err // Without an error, another process has taken it.
	}
	return a.write(ctx, c, w)
}

// write changes the deal, writes the note, and records both. A deal that Pipedrive refuses to
// change stays as it is.
func (a *Amender) write(ctx context.Context, c gistdeal.Amendment, w work) error {
	failpoint.Hit(failpoint.AmendIntended)
	if !w.change.Empty() {
		err := a.pipedrive.UpdateDeal(ctx, c.DealID, w.change) // The same values may be written again.
		if refused(err) {
			a.log.Warn("deal not updated", "gist", c.ID, "deal", c.DealID, "login", c.Login, "error", err)
			return a.end(ctx, c, work{}, "refused")
		}
		if err != nil {
			return err
		}
		failpoint.Hit(failpoint.AmendWritten)
	}
	if err := a.note(ctx, c, w); refused(err) {
		a.log.Warn("note not written", "gist", c.ID, "deal", c.DealID, "login", c.Login, "error", err)
		w.noted = nil
	} else if err != nil {
		return err
	}
	return a.end(ctx, c, w, "updated")
}

// wanted returns the effects that the rules want. A list of gists that a deletion shifts may lack others, so
// GitHub is asked about the gist before its deal follows. First lines of files are read again.
func (a *Amender) wanted(ctx context.Context, c *gistdeal.Amendment) (u rules.FollowUp, err error) {
	all, err := a.rules.Rules(ctx)
	if err != nil || all == nil {
		return u, err
	}
	followUp := func() rules.FollowUp {
		return all.FollowUp(c.Rule, rules.FactsOf(gistdeal.User{Login: c.Login, Tags: c.Tags}, c.Gist, c.NoticedBy == gistdeal.NoticedByFirstScan, c.NoticedAt))
	}
	u = followUp()
	confirm, read := c.Gone && u.OnDelete != gistdeal.DeleteLeave, c.Edited && u.Unknown
	if !confirm && !read {
		return u, nil
	}
	details, err := a.github.Gist(ctx, c.ID)
	if err != nil && gistdeal.KindOf(err) != gistdeal.NotFound {
		return u, err
	}
	if confirm {
		c.Gone = !details.Public
	}
	if read && details.Public {
		c.FirstLines = details.FirstLines
		u = followUp()
	}
	return u, nil
}

// refused reports whether Pipedrive refuses this change of this deal.
func refused(err error) bool {
	kind := gistdeal.KindOf(err)
	return err != nil && (kind == gistdeal.Invalid || kind == gistdeal.NotFound)
}

// note writes the note about the change, unless an earlier attempt has.
func (a *Amender) note(ctx context.Context, c gistdeal.Amendment, w work) error {
	if len(w.note) == 0 {
		return nil
	}
	if c.MayBeNoted {
		if has, err := a.pipedrive.HasNote(ctx, c.DealID, marker(c)); has || err != nil {
			return err
		}
	}
	err := a.pipedrive.AddNote(ctx, c.DealID, noteText(c, w.note))
	if err == nil {
		failpoint.Hit(failpoint.AmendWritten)
	}
	return err
}

// end records that the deal is up to date, and the work that was done.
func (a *Amender) end(ctx context.Context, c gistdeal.Amendment, w work, outcome string) error {
	a.ended.WithLabelValues(outcome).Inc()
	var e gistdeal.Event
	if w.summary() != "" {
		e = gistdeal.Event{
			At: a.now(), Type: gistdeal.EventDealUpdated, UserID: c.UserID, Login: c.Login, GistID: c.ID, DealID: c.DealID,
			EventFacts: gistdeal.EventFacts{Description: c.Description, Reason: w.summary()},
		}
		a.log.Info("deal updated", "gist", c.ID, "deal", c.DealID, "login", c.Login, "what", w.summary())
	}
	loop.Record(ctx, a.options.Stopping, a.log, func(ctx context.Context) error {
		return a.store.EndAmendment(ctx, c, w.content, e)
	})
	return nil
}
