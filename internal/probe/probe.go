package probe

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"gistdeal"
	"gistdeal/internal/loop"
)

const (
	// refusedRetry is how long no query is sent after GitHub refused one for good.
	refusedRetry = 10 * time.Minute
	// patience is how often in a row a query may fail before its users are scanned instead.
	patience = 3
)

// GitHub is the part of GitHub's client that a Prober uses.
type GitHub interface {
	// Probe returns a probe of each user in their order, with the newest gists if they are
	// asked for. An Unauthorized, NotFound or
	// Invalid error means that GitHub serves no such queries here.
	Probe(ctx context.Context, users []gistdeal.User, gists bool) ([]gistdeal.Probe, error)
	// ProbeReady returns nil if a query may be sent, or the error of Probe.
	ProbeReady() error
}

// Store is the part of the database that a Prober uses.
type Store interface {
	DueScanned(ctx context.Context, now, latest time.Time, limit int) ([]gistdeal.User, error)
	TrackProbed(ctx context.Context, p gistdeal.Probe, policy gistdeal.Backfill, first gistdeal.FirstScan, now time.Time) (gistdeal.TakenIn, error)
	TrackNew(ctx context.Context, probes []gistdeal.Probe, requests []gistdeal.ScanRequest, now time.Time, next func() time.Time) (tracked []int, err error)
	RecordProbes(ctx context.Context, probes []gistdeal.Probe, now time.Time, next func() time.Time) (unchanged map[int64]bool, err error)
	ListedGists(ctx context.Context, userID int64) (int, error)
	SetProbed(ctx context.Context, userID int64, update time.Time) error
	SetHidden(ctx context.Context, userID int64, hidden int) error
}

// Prober compares users with GitHub. It is safe for concurrent use.
type Prober struct {
	store  Store
	github GitHub
	log    *slog.Logger
	now    func() time.Time // the clock of the rows

	mu       sync.Mutex
	failures int       // in a row
	refused  bool      // GitHub's last word
	until    time.Time // no query before
}

// New returns a Prober.
func New(s Store, g GitHub, log *slog.Logger, now func() time.Time) *Prober {
	return &Prober{store: s, github: g, log: log, now: now}
}

// Change is a user to scan. Probe is nil if nothing is known about what has changed.
type Change struct {
	User  gistdeal.User
	Probe *gistdeal.Probe
}

// Due returns up to limit users that are due at now and that may be compared.
func (p *Prober) Due(ctx context.Context, now, latest time.Time, limit int) ([]gistdeal.User, error) {
	return p.store.DueScanned(ctx, now, latest, limit)
}

// Changed compares users with GitHub and returns those that have to be scanned. For the
// others it records a successful scan, with the next one at the time that next returns. A
// Limited or Temporary error tells when to try again.
func (p *Prober) Changed(ctx context.Context, users []gistdeal.User, next func() time.Time) ([]Change, error) {
	changes := make([]Change, len(users))
	for i, u := range users {
		changes[i].User = u
	}
	probes, err := p.probe(ctx, users, false)
	if err != nil || probes == nil {
		return changes, err
	}
	var same []gistdeal.Probe
	for i, u := range users {
		changes[i].Probe = &probes[i]
		// A login may have another owner by now.
		if probes[i].Err == nil && probes[i].ID == u.ID && !u.LoginStale {
			same = append(same, probes[i])
		}
	}
	unchanged, err := p.store.RecordProbes(ctx, same, p.now(), next)
	if err != nil {
		return nil, err
	}
	var changed []Change
	for _, c := range changes {
		if !unchanged[c.User.ID] {
			changed = append(changed, c)
		}
	}
	return changed, nil
}

// Track tracks the account of a probe. If the probe has all of its gists, that was its first scan.
func (p *Prober) Track(ctx context.Context, probe gistdeal.Probe, policy gistdeal.Backfill, first gistdeal.FirstScan) (gistdeal.TakenIn, error) {
	return p.store.TrackProbed(ctx, probe, policy, first, p.now())
}

// TrackNew tracks the new accounts of probes without gists, and answers the requests for them.
// They need no scan before the time that next returns. It returns the indices of the tracked
// ones; accounts that were erased or tracked before are left out.
func (p *Prober) TrackNew(ctx context.Context, probes []gistdeal.Probe, requests []gistdeal.ScanRequest, next func() time.Time) ([]int, error) {
	return p.store.TrackNew(ctx, probes, requests, p.now(), next)
}

// Available reports whether GitHub serves queries, as far as is known.
func (p *Prober) Available() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !time.Now().Before(p.until)
}

// Refused reports whether GitHub has refused to serve queries.
func (p *Prober) Refused() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.refused
}

// Probe asks GitHub about users and their newest gists. It returns nothing if GitHub serves no
// queries, now or at all: then each user needs requests of its own.
func (p *Prober) Probe(ctx context.Context, users []gistdeal.User) ([]gistdeal.Probe, error) {
	return p.probe(ctx, users, true)
}

func (p *Prober) probe(ctx context.Context, users []gistdeal.User, gists bool) ([]gistdeal.Probe, error) {
	if len(users) == 0 || !p.Available() {
		return nil, nil
	}
	err := p.github.ProbeReady()
	var probes []gistdeal.Probe
	if err == nil {
		probes, err = p.github.Probe(ctx, users, gists)
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return probes, p.outcome(err)
}

// outcome notes how a query ended, and returns the error if it is to be tried again.
func (p *Prober) outcome(err error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch gistdeal.KindOf(err) {
	case gistdeal.Limited:
		return err
	case gistdeal.Unauthorized, gistdeal.NotFound, gistdeal.Invalid:
		p.until = time.Now().Add(refusedRetry)
		if !p.refused {
			p.log.Info("users scanned one by one", "meaning", "GitHub does not compare a hundred users at once here: each user needs a request", "reason", loop.Reason(err))
		}
		p.refused = true
		return nil
	}
	if err == nil {
		if p.refused {
			p.log.Info("users compared in batches again")
		}
		p.refused, p.failures = false, 0
		return nil
	}
	p.failures++
	if p.failures > patience {
		p.log.Warn("users not compared", "meaning", "GitHub failed to compare them several times: each of them is scanned", "reason", loop.Reason(err))
		return nil
	}
	return &gistdeal.Error{Kind: gistdeal.Temporary, RetryAfter: max(gistdeal.RetryAfter(err), loop.Delay(p.failures-1)), Err: err}
}

// Scanned notes, after a scan of a user that differed, its last change, and how many more
// gists GitHub counts than it lists. Otherwise the difference would cause a scan each time.
func (p *Prober) Scanned(ctx context.Context, c Change) error {
	if c.Probe == nil || c.Probe.Err != nil || c.Probe.ID != c.User.ID {
		return nil
	}
	if err := p.store.SetProbed(ctx, c.User.ID, c.Probe.UpdatedAt); err != nil {
		return err
	}
	listed, err := p.store.ListedGists(ctx, c.User.ID)
	hidden := c.Probe.PublicGists - listed
	if err != nil || hidden == c.User.Hidden {
		return err
	}
	// The user may have changed between the count and the scan.
	u := c.User
	u.NodeID = c.Probe.NodeID
	again, err := p.probe(ctx, []gistdeal.User{u}, false)
	if err != nil || len(again) == 0 || again[0].Err != nil || again[0].PublicGists != c.Probe.PublicGists {
		return err
	}
	return p.store.SetHidden(ctx, u.ID, hidden)
}
