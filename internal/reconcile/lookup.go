package reconcile

import (
	"context"
	"time"

	"gistdeal"
	"gistdeal/internal/testing/failpoint"
)

// lookBack is how far before a claim a lookup begins, on Pipedrive's clock.
const lookBack = 10 * time.Minute

// Attempt is an attempt in doubt.
type Attempt struct {
	Claim   gistdeal.Claim
	Lookups int // complete lookups that did not find its deal
}

// LookUp lists the deals created since the oldest of the attempts and adopts
// those that the attempts created. userID is the key's user. One list serves all
// attempts. It returns the attempts with an adopted deal, also beside an error;
// an error means that the lookup says nothing about the others. A lookup goes on
// after an error if wait, called with the number of errors in a row before, returns
// true.
func (r *Reconciler) LookUp(ctx context.Context, userID int64, attempts []Attempt, wait func(failures int, err error) bool) (adopted []gistdeal.Claim, err error) {
	since, byGist := r.EarliestNow(), make(map[string]Attempt, len(attempts))
	for _, a := range attempts {
		byGist[a.Claim.Draft.GistID] = a
		if a.Claim.Since.Before(since) {
			since = a.Claim.Since
		}
	}
	at, seen, unmarked := changedSince(since.Add(-lookBack)), map[string][]gistdeal.RemoteDeal{}, []gistdeal.RemoteDeal{}
	for failures, complete := 0, false; !complete; {
		complete = true
		for d, err := range r.deals(ctx, &at) {
			if err != nil && !wait(failures, err) {
				return nil, err
			}
			if err != nil {
				failures, complete = failures+1, false
				break // It goes on where it stopped.
			}
			failures = 0
			// A deal is known by its URL alone after a person deleted the field "Gist ID".
			if a, ok := byGist[d.GistID]; ok && (d.Exact || createdBy(userID, a.Claim, d)) {
				seen[d.GistID] = append(seen[d.GistID], d)
			}
			if d.GistID == "" {
				unmarked = append(unmarked, d)
			}
		}
	}
	r.listCost.Refill()
	failpoint.Hit(failpoint.LookedUp)
	for gistID, deals := range seen {
		a := byGist[gistID]
		ok, err := r.adopt(ctx, userID, a, deals)
		if err != nil {
			return adopted, err
		}
		if ok {
			adopted = append(adopted, a.Claim)
		}
		delete(byGist, gistID)
	}
	byTitle, err := r.adoptByTitle(ctx, userID, byGist, unmarked)
	return append(adopted, byTitle...), err
}

// adoptByTitle adopts deals without a gist id for the attempts that could have created
// them: a person may have deleted our fields meanwhile. It returns the attempts with an
// adopted deal, also beside an error.
func (r *Reconciler) adoptByTitle(ctx context.Context, userID int64, byGist map[string]Attempt, unmarked []gistdeal.RemoteDeal) (adopted []gistdeal.Claim, err error) {
	for _, d := range unmarked {
		for gistID, a := range byGist {
			if d.Title != a.Claim.Draft.Title() || !createdBy(userID, a.Claim, d) {
				continue
			}
			ok, err := r.adopt(ctx, userID, a, []gistdeal.RemoteDeal{d})
			if err != nil {
				return adopted, err
			}
			if ok {
				adopted = append(adopted, a.Claim)
				delete(byGist, gistID)
			}
			break // Otherwise d is the deal of another gist.
		}
	}
	return adopted, nil
}

// adopt records one of deals as the one that the attempt created, and reports
// whether the attempt was still in doubt.
func (r *Reconciler) adopt(ctx context.Context, userID int64, a Attempt, deals []gistdeal.RemoteDeal) (bool, error) {
	c := a.Claim
	chosen, alive := choose(deals, func(d gistdeal.RemoteDeal) bool { return createdBy(userID, c, d) }), gistdeal.Living(deals)
	lookups := a.Lookups + 1
	adopted, err := r.store.AdoptInDoubt(ctx, c, chosen.ID, alive, lookups, r.now())
	if err != nil || !adopted {
		return false, err
	}
	r.log.Info("deal adopted after a lookup", "gist", c.Draft.GistID, "deal", chosen.ID, "attempt", c.Attempt, "lookups", lookups)
	r.warnOfDuplicates(c.Draft.GistID, alive)
	return true, nil
}

func (r *Reconciler) warnOfDuplicates(gistID string, alive []int64) {
	if len(alive) > 1 {
		r.log.Warn("gist has more than one deal", "gist", gistID, "deals", alive)
	}
}

// createdBy reports whether the user created d since the attempt, or since an
// earlier attempt at the same gist.
func createdBy(userID int64, c gistdeal.Claim, d gistdeal.RemoteDeal) bool {
	return userID != 0 && d.CreatorID == userID && !d.AddedAt.Before(c.Since.Add(-lookBack))
}
