package reconcile

import (
	"context"
	"crypto/rand"
	"maps"
	"slices"
	"time"

	"gistdeal"
	"gistdeal/internal/loop"
)

const (
	auditPoll  = time.Second // how often requested audits are read
	auditBatch = 1000        // rows compared at a time
	auditHour  = 3           // UTC, of the nightly audit
	auditEvery = 20 * time.Hour
	// auditRequests is how many deals that no list shows an audit reads one by one.
	auditRequests = 1000
)

// Watch rechecks gists with a deal that was sent twice, and carries out requested
// audits and one each night, until ctx ends.
func (r *Reconciler) Watch(ctx context.Context) error {
	failures := 0
	for pause := auditPoll; loop.Sleep(ctx, pause); {
		pause = auditPoll
		if !r.caughtUp.Load() || r.backoff.Left() > 0 {
			continue
		}
		auditing, spent := gistdeal.WithPurpose(ctx, gistdeal.PurposeAudit)
		err := r.recheck(auditing)
		if err == nil {
			err = r.nextAudit(auditing)
		}
		if err == nil {
			failures = 0
			continue
		}
		cost := spent.All()
		if r.readings.has(readingToAudit) {
			cost = spent.Last() // The lists go on where they broke.
		}
		pause = r.RetryDelay(failures, err, cost)
		failures++
		if ctx.Err() == nil {
			r.log.Warn("deals not audited", "error", err, "retry_in", pause.String())
		}
	}
	return nil
}

// nextAudit carries out the audit requested first, or the nightly one.
func (r *Reconciler) nextAudit(ctx context.Context) error {
	o, ok, last, err := r.store.NextAudit(ctx)
	if err != nil {
		return err
	}
	if !ok {
		if !r.nightlyDue(ctx, last) {
			return nil
		}
		o = gistdeal.AuditRequest{ID: rand.Text(), Nightly: true, RequestedAt: r.now()}
		if err := r.store.RequestAudit(ctx, o); err != nil {
			return err
		}
	}
	a := gistdeal.Audit{ID: o.ID, RequestedAt: o.RequestedAt, Counts: map[gistdeal.DiscrepancyKind]int{}, Discrepancies: []gistdeal.Discrepancy{}}
	switch err := r.carryOut(ctx, o, &a); gistdeal.KindOf(err) {
	case gistdeal.Invalid, gistdeal.NotFound, gistdeal.Unauthorized:
		a.Problem = loop.Reason(err) // A repetition would not help.
	default:
		if err != nil {
			return err // The request stays.
		}
	}
	r.listCost.Refill()
	a.EndedAt = r.now()
	r.log.Info("audit ended", "audit", a.ID, "gists", a.Gists, "deals", a.Deals, "discrepancies", a.Different(), "problem", a.Problem)
	return r.store.EndAudit(ctx, a)
}

// nightlyDue reports whether the nightly audit is due and the day's quota has room
// for it. The last audit ended at last.
func (r *Reconciler) nightlyDue(ctx context.Context, last time.Time) bool {
	now := r.now().UTC()
	return !r.options.OnRequest && now.Hour() == auditHour && now.Sub(last).Abs() >= auditEvery && r.pipedrive.Reserve(ctx) == nil
}

// carryOut carries out a request.
func (r *Reconciler) carryOut(ctx context.Context, o gistdeal.AuditRequest, a *gistdeal.Audit) error {
	switch {
	case o.Recreate != "":
		return r.recreate(ctx, o.Recreate)
	case o.DeleteDuplicate != 0:
		return r.deleteDuplicate(ctx, o.DeleteDuplicate)
	}
	return r.compare(ctx, o, a)
}

// compare finds the discrepancies between Pipedrive's deals, which it lists first,
// and our rows, and repairs them page by page if the request says so.
func (r *Reconciler) compare(ctx context.Context, o gistdeal.AuditRequest, a *gistdeal.Audit) error {
	byGist, err := r.allDeals(ctx, o.Archived)
	if err != nil {
		return err
	}
	for _, deals := range byGist {
		a.Deals += len(deals)
	}
	c := comparison{reconciler: r, audit: a, byGist: byGist, repair: o.Repair, requests: auditRequests, living: map[string][]int64{}}
	for after := ""; ; {
		rows, err := r.store.AuditRows(ctx, after, auditBatch)
		if err != nil {
			return err
		}
		for _, row := range rows {
			after = row.GistID
			if err := c.row(ctx, row, byGist[row.GistID]); err != nil {
				return err
			}
		}
		if err := c.endPage(ctx); err != nil {
			return err
		}
		a.Gists += len(rows)
		if len(rows) < auditBatch {
			break
		}
	}
	c.end()
	for gistID, deals := range byGist {
		if c.living[gistID] == nil {
			c.living[gistID] = gistdeal.Living(deals)
		}
	}
	return r.store.ReplaceDuplicates(ctx, c.living, r.now())
}

// allDeals lists all deals by gist id. Archived deals that have not changed since the last
// catch-up come from the database, unless all of them are to be listed: each page costs
// twice as much, and there may be hundreds of thousands that never change.
func (r *Reconciler) allDeals(ctx context.Context, archived bool) (map[string][]gistdeal.RemoteDeal, error) {
	known, until, err := r.store.ArchivedDeals(ctx)
	if err != nil {
		return nil, err
	}
	at := gistdeal.DealList{}
	if !archived && !until.IsZero() {
		at.ArchivedSince = until.Add(-catchUpBack)
	}
	l, err := r.read(ctx, readingToAudit, at)
	if err != nil {
		return nil, err
	}
	listed := map[int64]bool{}
	for _, deals := range l.byGist {
		for _, d := range deals {
			listed[d.ID] = true
		}
	}
	var unlisted []gistdeal.RemoteDeal
	for _, d := range known {
		if !listed[d.ID] {
			unlisted = append(unlisted, d)
		}
	}
	if archived {
		return l.byGist, r.noteArchived(ctx, l.byGist, unlisted)
	}
	for _, d := range unlisted {
		l.add(d)
	}
	return l.byGist, nil
}

// noteArchived records which deals are archived after all of them were listed. unlisted are
// those that are not any more.
func (r *Reconciler) noteArchived(ctx context.Context, byGist map[string][]gistdeal.RemoteDeal, unlisted []gistdeal.RemoteDeal) error {
	seen := map[string][]gistdeal.RemoteDeal{}
	for gistID, deals := range byGist {
		if slices.ContainsFunc(deals, func(d gistdeal.RemoteDeal) bool { return d.Archived }) {
			seen[gistID] = slices.Clone(deals)
		}
	}
	for _, d := range unlisted {
		d.Deleted = true
		seen[d.GistID] = append(seen[d.GistID], d)
	}
	for gistIDs := range slices.Chunk(slices.Collect(maps.Keys(seen)), adoptAtOnce) {
		part := make(map[string][]gistdeal.RemoteDeal, len(gistIDs))
		for _, gistID := range gistIDs {
			part[gistID] = seen[gistID]
		}
		if _, err := r.store.Adopt(ctx, nil, part, r.now()); err != nil {
			return err
		}
	}
	return nil
}
