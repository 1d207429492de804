package reconcile

import (
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

// choose returns the deal that counts as the gist's one: a preferred one, then
// one that was not deleted, then the lowest id. rest are the other living ones.
func choose(deals []gistdeal.RemoteDeal, preferred func(gistdeal.RemoteDeal) bool) (best gistdeal.RemoteDeal, rest []int64) {
	rank := func(d gistdeal.RemoteDeal) int {
		switch {
		case preferred(d):
			return 0
		case !d.Deleted:
			return 1
		}
		return 2
	}
	best = deals[0]
	for _, d := range deals[1:] {
		if r, b := rank(d), rank(best); r < b || (r == b && d.ID < best.ID) {
			best = d
		}
	}
	for _, d := range deals {
		if d.ID != best.ID && !d.Deleted {
			rest = append(rest, d.ID)
		}
	}
	return best, rest
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
