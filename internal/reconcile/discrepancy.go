package reconcile

import (
	"context"
	"fmt"
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
	byGist     map[string][]gistdeal.RemoteDeal
	repair     bool                   // repair discrepancies
	requests   int                    // that may still be sent for single deals without which nothing can be repaired
	living     map[string][]int64     // the living deals of gists with duplicates, as far as the list alone does not show them
	page       []gistdeal.Discrepancy // of the rows that were compared last
	others     []gistdeal.Discrepancy // that cannot be repaired
}

// add records a discrepancy.
func (c *comparison) add(kind gistdeal.DiscrepancyKind, d gistdeal.Discrepancy) {
	d.Kind = kind
	c.audit.Counts[kind]++
	c.page = append(c.page, d)
}

// endPage lists the discrepancies of a page of rows, after it has repaired them if that is
// requested. Queued deals are adopted in any case: they would be duplicates.
func (c *comparison) endPage(ctx context.Context) error {
	var repairs []*gistdeal.Discrepancy
	for i, d := range c.page {
		if d.Repair != "" && (c.repair || d.State == gistdeal.DealQueued) {
			repairs = append(repairs, &c.page[i])
		}
	}
	if err := c.repairAll(ctx, repairs); err != nil {
		return err
	}
	for _, d := range c.page {
		if d.Repair == "" && len(c.others) < gistdeal.MaxDiscrepancies {
			c.others = append(c.others, d)
		} else if d.Repair != "" && len(c.audit.Discrepancies) < gistdeal.MaxDiscrepancies {
			c.audit.Discrepancies = append(c.audit.Discrepancies, d)
		}
	}
	c.page = c.page[:0]
	return nil
}

// end completes the list: the discrepancies that cannot be repaired are last, so that they
// never crowd out the others.
func (c *comparison) end() {
	room := gistdeal.MaxDiscrepancies - len(c.audit.Discrepancies)
	c.audit.Discrepancies = append(c.audit.Discrepancies, c.others[:min(room, len(c.others))]...)
}

// row compares a gist's row with the deals of the gist.
func (c *comparison) row(ctx context.Context, row gistdeal.AuditRow, deals []gistdeal.RemoteDeal) error {
	d := gistdeal.Discrepancy{GistID: row.GistID, Login: row.Login, State: row.State, DealID: row.DealID}
	if row.Gone {
		c.add(gistdeal.DiscrepancyGistGone, d)
	}
	alive := gistdeal.Living(deals)
	switch {
	case row.State == gistdeal.DealSending: // Lookups decide.
	case row.State == gistdeal.DealCreated:
		return c.created(ctx, row, d, deals)
	case len(alive) > 0:
		d.Others, d.Repair = alive, repairAdopt
		c.add(gistdeal.DiscrepancyUnlinked, d)
	case row.State == gistdeal.DealFailed || row.State == "":
		d.Repair = repairQueue
		c.add(gistdeal.DiscrepancyNeverCreated, d)
	}
	return nil
}

// created compares the row of a gist that has a deal. The gist's other living deals are
// duplicates only while that deal is known to be alive.
func (c *comparison) created(ctx context.Context, row gistdeal.AuditRow, d gistdeal.Discrepancy, deals []gistdeal.RemoteDeal) error {
	i := slices.IndexFunc(deals, func(d gistdeal.RemoteDeal) bool { return d.ID == row.DealID })
	others := slices.DeleteFunc(gistdeal.Living(deals), func(id int64) bool { return id == row.DealID })
	var deal gistdeal.RemoteDeal
	kind := gistdeal.DiscrepancyKind("")
	if i >= 0 {
		deal = deals[i]
		kind = stateOf(deal)
	} else {
		var err error
		if kind, err = c.unlisted(ctx, row, len(others) > 0); err != nil {
			return err
		}
	}
	withOthers := d
	withOthers.Others = others
	switch {
	case kind == "" && len(others) > 0:
		c.living[row.GistID] = append(others, row.DealID)
		c.add(gistdeal.DiscrepancyDuplicate, withOthers)
	case kind == gistdeal.DiscrepancyMissing || kind == gistdeal.DiscrepancyDeleted:
		if len(others) > 0 {
			withOthers.Repair = repairRelink
		}
		c.add(kind, withOthers)
	case kind != "":
		c.add(kind, withOthers)
	}
	if deal.Archived && !deal.Deleted {
		c.add(gistdeal.DiscrepancyArchived, d)
	}
	if i >= 0 && !row.Ours {
		c.add(gistdeal.DiscrepancyForeign, d)
	}
	return nil
}

// stateOf returns the discrepancy of a deal that is not alive, or of which nothing is
// known; "" for a living one.
func stateOf(d gistdeal.RemoteDeal) gistdeal.DiscrepancyKind {
	switch {
	case d.Hidden:
		return gistdeal.DiscrepancyHidden
	case d.Deleted:
		return gistdeal.DiscrepancyDeleted
	}
	return ""
}

// unlisted reads a row's deal that no list shows with its gist, and returns its
// discrepancy; "" if it exists after all, because it was created after the list was read,
// or because a person emptied its fields and no other deal names the gist. Without a
// request left the deal counts as missing.
func (c *comparison) unlisted(ctx context.Context, row gistdeal.AuditRow, others bool) (gistdeal.DiscrepancyKind, error) {
	if !others {
		if c.requests == 0 {
			return gistdeal.DiscrepancyMissing, nil
		}
		c.requests--
	}
	d, err := c.reconciler.pipedrive.Deal(ctx, row.DealID)
	switch {
	case gistdeal.KindOf(err) == gistdeal.NotFound:
		return gistdeal.DiscrepancyMissing, nil
	case err != nil:
		return "", err
	case others && stateOf(d) == "" && d.GistID != row.GistID:
		return gistdeal.DiscrepancyMissing, nil
	}
	return stateOf(d), nil
}

// repairAll repairs discrepancies without creating or deleting a deal against a person's
// decision. Each change is conditional: a row that changed since the comparison is left
// alone.
func (c *comparison) repairAll(ctx context.Context, discrepancies []*gistdeal.Discrepancy) error {
	r := c.reconciler
	var repaired, queue []string
	adopt, seen := map[string]int64{}, map[string][]gistdeal.RemoteDeal{}
	for _, d := range discrepancies {
		switch d.Repair {
		case repairAdopt:
			adopt[d.GistID], seen[d.GistID] = d.Others[0], c.byGist[d.GistID]
		case repairQueue:
			queue = append(queue, d.GistID)
		case repairRelink:
			ok, err := r.store.Relink(ctx, d.GistID, d.DealID, d.Others[0], r.now())
			if err != nil {
				return err
			}
			if ok {
				repaired = append(repaired, d.GistID)
			}
		}
	}
	if len(adopt) > 0 {
		adopted, err := r.store.Adopt(ctx, adopt, seen, r.now())
		if err != nil {
			return err
		}
		repaired = append(repaired, adopted...)
	}
	if len(queue) > 0 {
		queued, err := r.store.Queue(ctx, queue, r.now())
		if err != nil {
			return err
		}
		repaired = append(repaired, queued...)
		r.queued.Set()
	}
	for _, d := range discrepancies {
		if d.Repaired = slices.Contains(repaired, d.GistID); d.Repaired {
			r.log.Info("discrepancy repaired", "gist", d.GistID, "discrepancy", string(d.Kind), "repair", d.Repair)
		}
	}
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
	if history.Gist.ID == "" {
		return gistdeal.Errorf(gistdeal.Invalid, "gist %s was never read, so its deal cannot be created: track its user first", gistID)
	}
	d, err := r.pipedrive.Deal(ctx, history.DealID)
	if err != nil && gistdeal.KindOf(err) != gistdeal.NotFound {
		return err
	}
	if err == nil && !d.Deleted {
		return gistdeal.Errorf(gistdeal.Invalid, "deal %d of gist %s exists in Pipedrive, or is hidden from the key's user: delete it there first", history.DealID, gistID)
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
// It reads the gist's own deal just before: the last living deal of a gist is never deleted.
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
	if err := r.hasLivingDeal(ctx, gistID); err != nil {
		return fmt.Errorf("deal %d stays: %w", dealID, err)
	}
	if err := r.pipedrive.DeleteDeal(ctx, dealID); err != nil && gistdeal.KindOf(err) != gistdeal.NotFound {
		return err
	}
	r.log.Info("duplicate deal deleted", "gist", gistID, "deal", dealID)
	return r.store.ForgetDuplicate(ctx, dealID)
}

// hasLivingDeal returns nil if the deal of a gist's row is alive and names the gist.
func (r *Reconciler) hasLivingDeal(ctx context.Context, gistID string) error {
	history, err := r.store.Explain(ctx, gistID)
	if err != nil {
		return err
	}
	if history.State != gistdeal.DealCreated {
		return gistdeal.Errorf(gistdeal.Invalid, "it may be the last deal of gist %s, which is %s", gistID, history.State)
	}
	d, err := r.pipedrive.Deal(ctx, history.DealID)
	if err != nil && gistdeal.KindOf(err) != gistdeal.NotFound {
		return err
	}
	if err != nil || stateOf(d) != "" || d.GistID != gistID {
		return gistdeal.Errorf(gistdeal.Invalid, "it may be the last deal of gist %s, because deal %d is deleted, is hidden from the key's user or names the gist no more: run gistdeal audit --repair, which links the gist to a living deal", gistID, history.DealID)
	}
	return nil
}
