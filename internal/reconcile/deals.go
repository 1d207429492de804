package reconcile

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"sync"
	"time"

	"gistdeal"
)

// maxReadings is how many lists are kept: of a catch-up, a recheck and an audit.
const maxReadings = 3

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

// read lists the deals that changed since then. After an error another call continues the
// lists where they broke: those of a large account cost thousands of tokens.
func (r *Reconciler) read(ctx context.Context, since time.Time) (*reading, error) {
	l, continued := r.readings.take(since)
	if !continued {
		l = &reading{at: gistdeal.DealList{Since: since}, begin: r.EarliestNow(), byGist: map[string][]gistdeal.RemoteDeal{}}
	}
	for {
		for d, err := range r.deals(ctx, &l.at) {
			if err != nil {
				if gistdeal.KindOf(err) != gistdeal.Invalid { // The cursor may be invalid.
					r.readings.keep(since, l)
				}
				return nil, err
			}
			l.add(d)
		}
		if !continued {
			return l, nil
		}
		// Deals may have changed after they were read, before the lists broke.
		l.at, l.begin, continued = gistdeal.DealList{Since: l.begin.Add(-catchUpBack)}, r.EarliestNow(), false
	}
}

// reading is a list of deals as far as it was read.
type reading struct {
	at     gistdeal.DealList
	begin  time.Time // on Pipedrive's clock
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

// readings are the lists that broke, or whose deals could not be adopted, by the time since
// when they list deals.
type readings struct {
	mu   sync.Mutex
	kept map[time.Time]*reading
}

// keep keeps a list for take.
func (r *readings) keep(since time.Time, l *reading) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kept == nil || len(r.kept) >= maxReadings {
		r.kept = map[time.Time]*reading{}
	}
	r.kept[since] = l
}

// take returns and forgets a list, if there is one.
func (r *readings) take(since time.Time) (*reading, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	l, ok := r.kept[since]
	delete(r.kept, since)
	return l, ok
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

// living returns the ids of the deals that are not deleted, sorted.
func living(deals []gistdeal.RemoteDeal) (ids []int64) {
	for _, d := range deals {
		if !d.Deleted {
			ids = append(ids, d.ID)
		}
	}
	slices.Sort(ids)
	return ids
}
