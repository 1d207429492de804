package reconcile

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"time"

	"gistdeal"
)

// dealsSince lists the deals of gists that changed since then, without deleted
// deals that an operator has replaced. After an error nothing follows.
func (r *Reconciler) dealsSince(ctx context.Context, since time.Time) iter.Seq2[gistdeal.RemoteDeal, error] {
	return func(yield func(gistdeal.RemoteDeal, error) bool) {
		replaced, err := r.store.ReplacedDeals(ctx)
		if err != nil {
			yield(gistdeal.RemoteDeal{}, err)
			return
		}
		for d, err := range r.pipedrive.Deals(ctx, since) {
			if err == nil && d.Deleted && replaced[d.ID] {
				continue
			}
			if !yield(d, err) || err != nil {
				return
			}
		}
	}
}

// dealsByGist lists the same deals by gist id, without those that have none.
func (r *Reconciler) dealsByGist(ctx context.Context, since time.Time) (map[string][]gistdeal.RemoteDeal, error) {
	byGist := map[string][]gistdeal.RemoteDeal{}
	for d, err := range r.dealsSince(ctx, since) {
		if err != nil {
			return nil, err
		}
		if d.GistID != "" {
			byGist[d.GistID] = append(byGist[d.GistID], d)
		}
	}
	return byGist, nil
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
