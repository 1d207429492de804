package push

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"gistdeal"
	"gistdeal/internal/loop"
)

const (
	// targetPoll is how often the settings of the target are read.
	targetPoll = 2 * time.Second
	// offersEvery is how often pipelines and owners are listed at most: that costs
	// tokens of the day at each start, and only the settings page needs them.
	offersEvery = time.Hour
)

// errTargetChanged ends the pushes to the old target.
var errTargetChanged = errors.New("new deals go elsewhere from now on")

// errCatalogWanted ends the pushes for a moment, because somebody names in a rule what may be
// new in Pipedrive.
var errCatalogWanted = errors.New("fields, stages and owners are read again")

// OtherCompanyError is the error for a key of another company than the database's:
// its deals are not there, and each gist would get a second one.
type OtherCompanyError struct{ Database, Key string }

// Error explains the mismatch and both ways to resolve it.
func (e *OtherCompanyError) Error() string {
	return fmt.Sprintf("this database belongs to the Pipedrive company %s, but the key is of company %s: set the key of the former, or name a new database in GISTDEAL_DATABASE_URL", e.Database, e.Key)
}

// connect reads the account of the key, finds or creates its fields and the
// target, and saves them in the database. It returns what that cost.
func (p *Pusher) connect(ctx context.Context) (cost float64, err error) {
	ctx, spent := gistdeal.WithPurpose(ctx, gistdeal.PurposeConnect)
	err = p.readAccount(ctx)
	return spent.All(), err
}

func (p *Pusher) readAccount(ctx context.Context) (err error) {
	var prepared gistdeal.Prepared
	defer func() { p.notePipedrive(ctx, prepared, err) }()
	if p.wanted, err = p.store.Setting(ctx, gistdeal.KeyCatalogWanted); err != nil {
		return err
	}
	me, err := p.pipedrive.Me(ctx)
	if err != nil {
		return err
	}
	if err := p.checkCompany(ctx, me); err != nil {
		return err
	}
	if p.account.Swap(&me) == nil {
		p.log.Info("pipedrive connected", "company", me.CompanyName, "company_id", me.CompanyID, "key_of", me.UserName)
	}
	p.noteOffers(ctx)
	if p.target, err = p.chosenTarget(ctx); err != nil {
		return err
	}
	p.pipedrive.SetTarget(p.target)
	if prepared, err = p.prepare(ctx); err != nil {
		return err
	}
	for _, warning := range prepared.Warnings {
		p.log.Warn("account warning", "warning", warning)
	}
	if err := p.noteCatalog(ctx, func(c *gistdeal.Catalog) { c.Fields, c.Labels = prepared.Fields, prepared.Labels }); err != nil {
		return err
	}
	if err := p.holdPaused(ctx); err != nil {
		return err
	}
	return p.store.Set(ctx, gistdeal.KeyDealURL, me.DealURL)
}

// chosenTarget returns the target that new deals should have now.
func (p *Pusher) chosenTarget(ctx context.Context) (gistdeal.Target, error) {
	return gistdeal.CurrentTarget(ctx, p.store, p.options.Target, p.options.Locked)
}

// watchTarget returns errTargetChanged once the target was changed, errCatalogWanted once the
// catalog has to be read again, nil when ctx ends.
func (p *Pusher) watchTarget(ctx context.Context) error {
	for loop.Sleep(ctx, targetPoll) {
		if wanted, err := p.store.Setting(ctx, gistdeal.KeyCatalogWanted); err == nil && wanted != p.wanted {
			return errCatalogWanted
		}
		now, err := p.chosenTarget(ctx)
		if err == nil && now != p.target {
			return errTargetChanged
		}
	}
	return nil
}

// prepare prepares the account for new deals with the fields that the database knows,
// and saves the codes of the fields.
func (p *Pusher) prepare(ctx context.Context) (prepared gistdeal.Prepared, err error) {
	codes := map[string]string{}
	kept, err := p.store.Setting(ctx, gistdeal.KeyFields)
	if err != nil {
		return prepared, err
	}
	if kept != "" {
		if err := json.Unmarshal([]byte(kept), &codes); err != nil {
			return prepared, fmt.Errorf("setting %s: %w", gistdeal.KeyFields, err)
		}
	}
	if prepared, err = p.pipedrive.Prepare(ctx, codes); err != nil {
		return prepared, err
	}
	text, err := json.Marshal(prepared.Codes)
	if err != nil {
		return prepared, err
	}
	return prepared, p.store.Set(ctx, gistdeal.KeyFields, string(text))
}

// checkCompany binds the database to the first company that it meets.
func (p *Pusher) checkCompany(ctx context.Context, me gistdeal.PipedriveAccount) error {
	id := strconv.FormatInt(me.CompanyID, 10)
	kept, err := p.store.Setting(ctx, gistdeal.KeyCompany)
	if err != nil {
		return err
	}
	if kept == "" {
		return p.store.Set(ctx, gistdeal.KeyCompany, id)
	}
	if kept != id {
		return &OtherCompanyError{Database: kept, Key: id}
	}
	return nil
}

// noteOffers lists the pipelines and owners that can be chosen, if that is due.
func (p *Pusher) noteOffers(ctx context.Context) {
	var at *time.Time
	p.Accounts.Note(ctx, func(a *gistdeal.Accounts) { at = a.ListedAt })
	every := offersEvery
	if p.Backoff.Active() {
		every = 24 * time.Hour // The account refuses its use, and is read again and again.
	}
	if at != nil && p.now().Sub(*at).Abs() < every && !p.relist {
		return
	}
	ctx, _ = gistdeal.WithPurpose(ctx, gistdeal.PurposeConnect)
	pipelines, stages, err := p.pipedrive.Pipelines(ctx)
	owners, ownersErr := p.pipedrive.Owners(ctx)
	if failed := errors.Join(err, ownersErr); failed != nil {
		p.log.Warn("pipelines or owners not listed", "meaning", "the page offers none to choose", "error", failed)
	}
	if err != nil {
		return
	}
	p.relist = false
	now, names := p.now().UTC(), []string(nil)
	for _, o := range owners {
		names = append(names, o.Name)
	}
	p.Accounts.Note(ctx, func(a *gistdeal.Accounts) { a.Pipelines, a.Owners, a.ListedAt = pipelines, names, &now })
	if err := p.noteCatalog(ctx, func(c *gistdeal.Catalog) {
		c.Stages = stages
		if ownersErr == nil {
			c.Owners = owners
		}
	}); err != nil {
		p.log.Warn("catalog not saved", "error", err)
	}
}

// notePipedrive keeps how connecting went.
func (p *Pusher) notePipedrive(ctx context.Context, prepared gistdeal.Prepared, err error) {
	if gistdeal.OwnFault(err) {
		if _, other := errors.AsType[*OtherCompanyError](err); !other {
			return // It says nothing about the account.
		}
	}
	p.Accounts.Note(ctx, func(a *gistdeal.Accounts) {
		access := &a.Pipedrive
		access.Problem = ""
		if err != nil {
			access.Problem = loop.Reason(err)
		}
		if me := p.account.Load(); me != nil {
			access.Company, access.User = me.CompanyName, me.UserName
		}
		access.Pipeline, access.Stage, access.Owner = p.target.Pipeline, p.target.Stage, p.target.Owner
		if prepared.Codes == nil {
			return
		}
		access.Fields, access.Warnings = nil, prepared.Warnings
		for _, name := range slices.Sorted(maps.Keys(prepared.Codes)) {
			access.Fields = append(access.Fields, gistdeal.AccessField{Name: name, Code: prepared.Codes[name]})
		}
	})
}
