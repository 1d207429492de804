package reconcile

import (
	"context"
	"slices"

	"gistdeal"
)

// Repairs of discrepancies.
const (
	repairAdopt  = "adopt the existing deal"
	repairRelink = "link the gist to the existing deal"
	repairQueue  = "queue the deal"
)

// comparison compares rows with the deals that Pipedrive lists.
type comparison struct {
	reconciler *Reconciler
	audit      *gistdeal.Audit
	requests   int // that may still be sent for single deals
}

// add records a discrepancy.
func (c *comparison) add(kind gistdeal.DiscrepancyKind, d gistdeal.Discrepancy) {
	d.Kind = kind
	c.audit.Counts[kind]++
	if len(c.audit.Discrepancies) < gistdeal.MaxDiscrepancies {
		c.audit.Discrepancies = append(c.audit.Discrepancies, d)
	}
}

// row compares a gist's row with the deals of the gist.
func (c *comparison) row(ctx context.Context, row gistdeal.AuditRow, deals []gistdeal.RemoteDeal) error {
	d := gistdeal.Discrepancy{GistID: row.GistID, Login: row.Login, DealID: row.DealID}
	if row.Gone {
		c.add(gistdeal.DiscrepancyGistGone, d)
	}
	alive := living(deals)
	others := slices.DeleteFunc(slices.Clone(alive), func(id int64) bool { return id == row.DealID })
	switch row.State {
	case gistdeal.DealCreated:
		return c.created(ctx, row, d, deals, others)
	case gistdeal.DealSending:
		return nil // Lookups decide.
	}
	switch {
	case len(alive) > 0:
		d.Others, d.Repair = alive, repairAdopt
		c.add(gistdeal.DiscrepancyUnlinked, d)
	case row.State == gistdeal.DealFailed || row.State == "":
		d.Repair = repairQueue
		c.add(gistdeal.DiscrepancyNeverCreated, d)
	}
	return nil
}

// created compares the row of a gist that has a deal. others are the gist's other
// living deals.
func (c *comparison) created(ctx context.Context, row gistdeal.AuditRow, d gistdeal.Discrepancy, deals []gistdeal.RemoteDeal, others []int64) error {
	i := slices.IndexFunc(deals, func(d gistdeal.RemoteDeal) bool { return d.ID == row.DealID })
	missing := false
	if i < 0 {
		var err error
		if missing, err = c.missing(ctx, row.DealID); err != nil {
			return err
		}
	}
	d.Others = others
	if missing {
		// Without a request left the deal was not read, and may exist.
		if len(others) == 1 && c.requests > 0 {
			d.Repair = repairRelink
		}
		c.add(gistdeal.DiscrepancyMissing, d)
	} else if len(others) > 0 {
		c.add(gistdeal.DiscrepancyDuplicate, d)
	}
	if i < 0 {
		return nil
	}
	d.Others = nil
	if deals[i].Deleted {
		c.add(gistdeal.DiscrepancyDeleted, d)
	} else if deals[i].Archived {
		c.add(gistdeal.DiscrepancyArchived, d)
	}
	if !row.Ours {
		c.add(gistdeal.DiscrepancyForeign, d)
	}
	return nil
}

// missing reports whether Pipedrive has no deal of that id. No list shows it with
// its gist, but a person may have emptied its fields, or it was created after the
// list was read.
func (c *comparison) missing(ctx context.Context, dealID int64) (bool, error) {
	if c.requests == 0 {
		return true, nil
	}
	c.requests--
	_, err := c.reconciler.pipedrive.Deal(ctx, dealID)
	if gistdeal.KindOf(err) == gistdeal.NotFound {
		return true, nil
	}
	return false, err
}

// repair repairs the discrepancies for which that neither creates nor deletes a
// deal against a person's decision. Each change is conditional: a row that changed
// since the comparison is left alone.
func (r *Reconciler) repair(ctx context.Context, a *gistdeal.Audit) error {
	for i := range a.Discrepancies {
		d := &a.Discrepancies[i]
		var err error
		switch d.Repair {
		case repairAdopt:
			var n int
			n, err = r.store.Adopt(ctx, map[string]int64{d.GistID: d.Others[0]}, map[string][]int64{d.GistID: d.Others[1:]}, r.now())
			d.Repaired = n > 0
		case repairRelink:
			d.Repaired, err = r.store.Relink(ctx, d.GistID, d.DealID, d.Others[0])
		case repairQueue:
			d.Repaired, err = r.store.Queue(ctx, d.GistID, r.now())
		}
		if err != nil {
			return err
		}
		if d.Repaired {
			r.log.Info("discrepancy repaired", "gist", d.GistID, "discrepancy", string(d.Kind), "repair", d.Repair)
		}
	}
	r.queued.Set()
	return nil
}

// recreate queues the deal of a gist again, on an operator's request. Its old deal
// must be deleted in Pipedrive.
func (r *Reconciler) recreate(ctx context.Context, gistID string) error {
	history, err := r.store.Explain(ctx, gistID)
	if err != nil {
		return err
	}
	if history.State != gistdeal.DealCreated {
		return gistdeal.Errorf(gistdeal.Invalid, "gist %s has no deal to recreate: it is %s", gistID, history.State)
	}
	d, err := r.pipedrive.Deal(ctx, history.DealID)
	if err != nil && gistdeal.KindOf(err) != gistdeal.NotFound {
		return err
	}
	if err == nil && !d.Deleted {
		return gistdeal.Errorf(gistdeal.Invalid, "deal %d of gist %s exists in Pipedrive: delete it there first", history.DealID, gistID)
	}
	ok, err := r.store.Recreate(ctx, gistID, history.DealID, r.now())
	if err == nil && !ok {
		err = gistdeal.Errorf(gistdeal.Invalid, "the deal of gist %s has just changed: try again", gistID)
	}
	if err == nil {
		r.log.Info("deal will be recreated", "gist", gistID, "instead_of", history.DealID)
		r.queued.Set()
	}
	return err
}

// deleteDuplicate deletes the second deal of a gist in Pipedrive, because a person said so.
func (r *Reconciler) deleteDuplicate(ctx context.Context, dealID int64) error {
	gistID, err := r.store.DuplicateOf(ctx, dealID)
	if err != nil {
		return err
	}
	d, err := r.pipedrive.Deal(ctx, dealID)
	switch {
	case gistdeal.KindOf(err) == gistdeal.NotFound || err == nil && d.Deleted:
		return r.store.ForgetDuplicate(ctx, dealID)
	case err != nil:
		return err
	case d.GistID != gistID:
		return gistdeal.Errorf(gistdeal.Invalid, "deal %d no longer names gist %s: delete it in Pipedrive if you want to", dealID, gistID)
	}
	if err := r.pipedrive.DeleteDeal(ctx, dealID); err != nil && gistdeal.KindOf(err) != gistdeal.NotFound {
		return err
	}
	r.log.Info("duplicate deal deleted", "gist", gistID, "deal", dealID)
	return r.store.ForgetDuplicate(ctx, dealID)
}
