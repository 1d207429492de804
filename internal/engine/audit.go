package engine

import (
	"context"
	"crypto/rand"
	"slices"
	"time"

	"gistdeal"
)

const (
	auditPoll  = time.Second // how often what was ordered is looked for
	auditBatch = 1000        // rows compared at a time
	auditHour  = 3           // UTC, in which an audit is made each night
	auditEvery = 20 * time.Hour
	// auditRetry is how long an audit that failed waits for its next try.
	auditRetry = time.Minute
	// auditQuestions is how many deals that no list shows an audit asks for, one by one.
	auditQuestions = 1000
)

// watchDeals looks again at gists to which two requests were sent, and makes
// the audits that somebody orders and one each night, until ctx ends.
func (e *Engine) watchDeals(ctx context.Context) error {
	for pause := auditPoll; sleep(ctx, pause); {
		pause = auditPoll
		if !e.ready.Load() || e.pushing.left() > 0 {
			continue
		}
		err := e.lookAgain(ctx)
		if err == nil {
			err = e.nextAudit(ctx)
		}
		if err != nil && ctx.Err() == nil {
			e.log.Warn("deals not audited", "error", err, "retry_in", auditRetry.String())
			pause = auditRetry
		}
	}
	return nil
}

// lookAgain lists the deals of gists to which a second request was sent a while
// ago: if the first was carried out after all, the gist has two.
func (e *Engine) lookAgain(ctx context.Context) error {
	then := e.now().Add(-e.options.LookAgain)
	gists, since, err := e.store.SentAgain(ctx, then)
	if err != nil || len(gists) == 0 {
		return err
	}
	if _, err := e.adoptSince(ctx, since.Add(-lookBack), e.pipedriveNow()); err != nil {
		return err
	}
	e.log.Info("deals looked at again", "gists", len(gists))
	return e.store.LookedAgain(ctx, gists, then, e.now())
}

// nextAudit makes the audit that was ordered first, or the one of the night.
func (e *Engine) nextAudit(ctx context.Context) error {
	o, ok, err := e.store.NextAudit(ctx)
	if err != nil {
		return err
	}
	if !ok {
		if due, err := e.nightlyDue(ctx); err != nil || !due {
			return err
		}
		o = gistdeal.AuditOrder{ID: rand.Text(), AskedAt: e.now()}
		if err := e.store.OrderAudit(ctx, o); err != nil {
			return err
		}
	}
	a := gistdeal.Audit{ID: o.ID, AskedAt: o.AskedAt, Counts: map[gistdeal.DiffKind]int{}, Differences: []gistdeal.Difference{}}
	switch err := e.carryOut(ctx, o, &a); gistdeal.KindOf(err) {
	case gistdeal.Invalid, gistdeal.NotFound, gistdeal.Unauthorized:
		a.Problem = reasonOf(err) // Asking again would not help.
	default:
		if err != nil {
			return err // The order stays.
		}
	}
	a.EndedAt = e.now()
	e.log.Info("audit ended", "audit", a.ID, "gists", a.Gists, "deals", a.Deals, "differences", a.Different(), "problem", a.Problem)
	return e.store.EndAudit(ctx, a)
}

// nightlyDue reports whether it is the hour for the audit of the night, there
// was none, and the day's budget has something left for it.
func (e *Engine) nightlyDue(ctx context.Context) (bool, error) {
	now := e.now().UTC()
	if now.Hour() != auditHour {
		return false, nil
	}
	last, err := e.store.LastAudit(ctx)
	if err != nil || now.Sub(last) < auditEvery {
		return false, err
	}
	return e.pipedrive.Reserve(ctx) == nil, nil
}

// carryOut does what was ordered.
func (e *Engine) carryOut(ctx context.Context, o gistdeal.AuditOrder, a *gistdeal.Audit) error {
	switch {
	case o.Recreate != "":
		return e.recreate(ctx, o.Recreate)
	case o.DeleteSurplus != 0:
		return e.deleteSurplus(ctx, o.DeleteSurplus)
	}
	if err := e.compare(ctx, a); err != nil {
		return err
	}
	if o.Repair {
		return e.repair(ctx, a)
	}
	return nil
}

// compare finds the differences between Pipedrive's deals, which are listed
// first, and our rows.
func (e *Engine) compare(ctx context.Context, a *gistdeal.Audit) error {
	byGist, err := e.dealsByGist(ctx, time.Time{})
	if err != nil {
		return err
	}
	for _, deals := range byGist {
		a.Deals += len(deals)
	}
	c := comparison{engine: e, audit: a, questions: auditQuestions}
	for after := ""; ; {
		rows, err := e.store.AuditRows(ctx, after, auditBatch)
		if err != nil {
			return err
		}
		for _, row := range rows {
			after = row.GistID
			if err := c.row(ctx, row, byGist[row.GistID]); err != nil {
				return err
			}
		}
		a.Gists += len(rows)
		if len(rows) < auditBatch {
			break
		}
	}
	return e.noteSurplus(ctx, byGist)
}

// noteSurplus records the second deals that are there, and forgets those that
// are not any more.
func (e *Engine) noteSurplus(ctx context.Context, byGist map[string][]gistdeal.RemoteDeal) error {
	known, err := e.store.Surplus(ctx)
	if err != nil {
		return err
	}
	there, surplus := map[int64]bool{}, map[string][]int64{}
	for gistID, deals := range byGist {
		for _, d := range deals {
			there[d.ID] = !d.Deleted
		}
		if ids := alive(deals); len(ids) > 1 {
			surplus[gistID] = ids
		}
	}
	for _, id := range known {
		if there[id] {
			continue
		}
		if err := e.store.ForgetSurplus(ctx, id); err != nil {
			return err
		}
	}
	return e.store.AddSurplus(ctx, surplus, e.now())
}

// alive returns the ids of those deals that are not deleted.
func alive(deals []gistdeal.RemoteDeal) (ids []int64) {
	for _, d := range deals {
		if !d.Deleted {
			ids = append(ids, d.ID)
		}
	}
	slices.Sort(ids)
	return ids
}
