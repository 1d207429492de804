package reconcile

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"sync"
	"time"

	"gistdeal"
	"gistdeal/internal/loop"
)

// The names of readings.
const (
	readingToAdopt = "adopt"
	readingToAudit = "audit"
)

// deals lists the deals of gists from a position on, without deleted deals that an
// operator has replaced. After an error nothing follows.
func (r *Reconciler) deals(ctx context.Context, at *gistdeal.DealList) iter.Seq2[gistdeal.RemoteDeal, error] {
	return func(yield func(gistdeal.RemoteDeal, error) bool) {
		replaced, err := r.store.ReplacedDeals(ctx)
		if err != nil {
			yield(gistdeal.RemoteDeal{}, err)
			return
		}
		for d, err := range r.pipedrive.Deals(ctx, at) {
			if err == nil && d.Deleted && replaced[d.ID] {
				continue
			}
			if !yield(d, err) || err != nil {
				return
			}
		}
	}
}

// read lists deals from a position on. After an error another call with the same name
// continues the lists where they broke: those of a large account cost thousands of tokens.
func (r *Reconciler) read(ctx context.Context, name string, at gistdeal.DealList) (*reading, error) {
	l, continued := r.readings.take(name, at)
	if !continued {
		l = &reading{from: at, at: at, begin: r.EarliestNow(), byGist: map[string][]gistdeal.RemoteDeal{}}
	}
	for {
		for d, err := range r.deals(ctx, &l.at) {
			if err != nil {
				if gistdeal.KindOf(err) != gistdeal.Invalid { // The cursor may be invalid.
					r.readings.keep(name, l)
				}
				return nil, err
			}
			l.add(d)
		}
		if !continued {
			return l, nil
		}
		// Deals may have changed after they were read, before the lists broke.
		l.at, l.begin, continued = changedSince(l.begin.Add(-catchUpBack)), r.EarliestNow(), false
	}
}

// RetryDelay returns how long a failed lookup or audit waits after that many failures in
// a row. The last one is err, and cost a share of the day's quota.
func (r *Reconciler) RetryDelay(failures int, err error, cost float64) time.Duration {
	if gistdeal.KindOf(err) == gistdeal.Limited {
		return gistdeal.RetryAfter(err)
	}
	delay := loop.CostlyDelay(failures, cost)
	if failures == 0 {
		return delay // The first try was worth its cost.
	}
	return max(delay, r.listCost.Charge(cost))
}

// changedSince is the begin of both lists of the deals that changed since then.
func changedSince(t time.Time) gistdeal.DealList {
	return gistdeal.DealList{Since: t, ArchivedSince: t}
}

// reading is a list of deals as far as it was read.
type reading struct {
	from   gistdeal.DealList // where it began
	at     gistdeal.DealList // up to where it was read
	begin  time.Time         // when that was, on Pipedrive's clock
	byGist map[string][]gistdeal.RemoteDeal
}

// add adds a deal of a gist, or replaces its earlier state.
func (l *reading) add(d gistdeal.RemoteDeal) {
	if d.GistID == "" {
		return
	}
	deals := l.byGist[d.GistID]
	if i := slices.IndexFunc(deals, func(old gistdeal.RemoteDeal) bool { return old.ID == d.ID }); i >= 0 {
		deals[i] = d
		return
	}
	l.byGist[d.GistID] = append(deals, d)
}

// readings are the lists that broke, or whose deals could not be adopted, by name.
type readings struct {
	mu   sync.Mutex
	kept map[string]*reading
}

// has reports whether a list is kept.
func (r *readings) has(name string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.kept[name] != nil
}

// keep keeps a list for take.
func (r *readings) keep(name string, l *reading) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kept == nil {
		r.kept = map[string]*reading{}
	}
	r.kept[name] = l
}

// take returns and forgets a list, if there is one that has all deals from a position on.
func (r *readings) take(name string, at gistdeal.DealList) (*reading, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	l, ok := r.kept[name]
	delete(r.kept, name)
	return l, ok && !l.from.Since.After(at.Since) && !l.from.ArchivedSince.After(at.ArchivedSince)
}

// choose returns the deal that counts as the gist's one: a living one before a deleted
// one, then a preferred one, then the lowest id.
func choose(deals []gistdeal.RemoteDeal, preferred func(gistdeal.RemoteDeal) bool) gistdeal.RemoteDeal {
	return slices.MinFunc(deals, func(a, b gistdeal.RemoteDeal) int {
		return cmp.Or(trueFirst(!a.Deleted, !b.Deleted), trueFirst(preferred(a), preferred(b)), cmp.Compare(a.ID, b.ID))
	})
}

func trueFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}
