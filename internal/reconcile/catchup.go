package reconcile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"gistdeal"
	"gistdeal/internal/testing/failpoint"
)

// catchUpBack is how far before the last catch-up the next one begins.
const catchUpBack = 15 * time.Minute

// recheckEvery is the time between two rechecks at least, in RecheckAfter.
const recheckEvery = 8

// adoptAtOnce is how many deals one statement adopts: the database allows each a few
// seconds.
const adoptAtOnce = 2000

// CatchUp adopts the deals of gists that changed since the last catch-up of the
// database, so that a lost or restored database, deals of the seed and deals that
// people created cause no duplicates. A database that never caught up reads all
// deals. No deal may be pushed before CatchUp has returned nil. stage
// is the stage of the backoff during its waits.
//
// Lists may show a deal late. A recent deal with a gist id that no attempt of
// ours created means that another database was in use until then, and more of
// its deals may still show up. CatchUp waits until the newest one is as old as a
// deal must be missing before it is sent again, and reads once more. If this
// database has lost commits, the deals of those may have been created just now.
func (r *Reconciler) CatchUp(ctx context.Context, stage string) error {
	since, err := r.knownUntil(ctx, true)
	if errors.Is(err, gistdeal.ErrCommitsLost) {
		r.commitsLost.Store(true)
		since, err = r.knownUntil(ctx, true)
	}
	if err != nil {
		return err
	}
	lost := r.commitsLost.Load()
	for {
		begin, earliest := r.RemoteNow(), r.EarliestNow()
		newest, err := r.adoptSince(ctx, since, begin.Add(-r.options.ResendAfter))
		if err != nil {
			return fmt.Errorf("catch up: %w", err)
		}
		failpoint.Hit(failpoint.CatchUpAdopted)
		reason := "another database made deals in this Pipedrive account until " + newest.UTC().Format(time.RFC3339)
		if lost {
			newest, reason, lost = begin, gistdeal.ErrCommitsLost.Error(), false
		}
		if newest.IsZero() {
			if err := r.store.EndCatchUp(ctx, earliest); err != nil {
				return err
			}
			r.commitsLost.Store(false)
			r.again.ended = time.Now()
			r.caughtUp.Store(true)
			return nil
		}
		since = earliest.Add(-catchUpBack)
		wait := min(newest.Add(r.options.ResendAfter).Sub(begin), r.options.ResendAfter)
		r.backoff.Begin(stage, &gistdeal.Error{Kind: gistdeal.Limited, RetryAfter: wait, Err: errors.New(reason + ": waiting until all deals show")})
		if !r.backoff.Wait(ctx) {
			return ctx.Err()
		}
	}
}

// knownUntil returns the time on Pipedrive's clock from which on deals may be
// unknown to the database, zero if all may be. first means that a catch-up begins because
// of a start or a failure.
func (r *Reconciler) knownUntil(ctx context.Context, first bool) (time.Time, error) {
	last, err := r.store.BeginCatchUp(ctx, first)
	if err != nil || last.IsZero() {
		return last, err
	}
	since := last.Add(-catchUpBack)
	if since.After(r.RemoteNow()) {
		return time.Time{}, nil // A clock was wrong, so any deal may be unknown.
	}
	return since, nil
}

// adoptSince adopts the deals that changed since then. It returns the creation
// time of the newest deal that has a gist id and that another database created
// after recent, zero if there is none.
func (r *Reconciler) adoptSince(ctx context.Context, since, recent time.Time) (newest time.Time, err error) {
	l, err := r.read(ctx, readingToAdopt, changedSince(since))
	if err != nil {
		return newest, err
	}
	failpoint.Hit(failpoint.CatchUpListed)
	for part := range slices.Chunk(slices.Collect(maps.Keys(l.byGist)), adoptAtOnce) {
		t, err := r.adoptDeals(ctx, part, l.byGist, recent)
		if err != nil {
			r.readings.keep(readingToAdopt, l)
			return newest, err
		}
		if t.After(newest) {
			newest = t
		}
	}
	return newest, nil
}

// adoptDeals adopts the deals of some gists for adoptSince.
func (r *Reconciler) adoptDeals(ctx context.Context, gistIDs []string, byGist map[string][]gistdeal.RemoteDeal, recent time.Time) (newest time.Time, err error) {
	one, seen, fresh, createdAt := map[string]int64{}, map[string][]gistdeal.RemoteDeal{}, map[string]int64{}, map[string]time.Time{}
	for _, gistID := range gistIDs {
		chosen := choose(byGist[gistID], func(gistdeal.RemoteDeal) bool { return false })
		one[gistID], seen[gistID] = chosen.ID, byGist[gistID]
		r.warnOfDuplicates(gistID, gistdeal.Living(byGist[gistID]))
		if chosen.Exact && chosen.AddedAt.After(recent) {
			fresh[gistID], createdAt[gistID] = chosen.ID, chosen.AddedAt
		}
	}
	foreign, err := r.store.ForeignDeals(ctx, fresh)
	if err != nil {
		return newest, err
	}
	for _, gistID := range foreign {
		if t := createdAt[gistID]; t.After(newest) {
			newest = t
		}
	}
	adopted, err := r.store.Adopt(ctx, one, seen, r.now())
	if len(adopted) > 0 {
		r.log.Info("deals adopted", "deals", len(adopted))
	}
	return newest, err
}

// recheck lists the deals of gists with a deal that was sent again a while ago: if
// Pipedrive carried out the first request after all, the gist has two deals. One list
// serves all gists, so further ones wait for a while.
func (r *Reconciler) recheck(ctx context.Context) error {
	if !r.recheckedAt.IsZero() && time.Since(r.recheckedAt) < recheckEvery*r.options.RecheckAfter {
		return nil
	}
	then := r.now().Add(-r.options.RecheckAfter)
	gists, since, err := r.store.ResentGists(ctx, then)
	if err != nil || len(gists) == 0 {
		return err
	}
	if _, err := r.adoptSince(ctx, since.Add(-lookBack), r.RemoteNow()); err != nil {
		return err
	}
	r.recheckedAt = time.Now()
	r.log.Info("gists rechecked for duplicates", "gists", len(gists))
	return r.store.MarkRechecked(ctx, gists, then, r.now())
}
