package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"gistdeal"
	"gistdeal/internal/testing/failpoint"
)

const (
	// lookBack is how far before a claim a look begins, on Pipedrive's clock.
	lookBack = 10 * time.Minute
	// catchUpBack is how far before our newest outcome catching up begins.
	catchUpBack = 15 * time.Minute

	settingCaughtUp = "caught_up_at"
)

// SettingFields is the name of the setting that keeps the codes of the
// account's fields by name, as JSON.
const SettingFields = "field_codes"

// SettingCompany is the name of the setting that keeps Pipedrive's id of the
// company that the database belongs to; "" before the first connection.
const SettingCompany = "company_id"

// OtherCompanyError is what Run returns for a key of another company than the
// database's: its deals are not there, and each gist would get a second one.
type OtherCompanyError struct{ Database, Key string }

// Error says what is wrong and what to do.
func (e *OtherCompanyError) Error() string {
	return fmt.Sprintf("this database belongs to the Pipedrive company %s, but the key is of company %s: set the key of the former, or name a new database in GISTDEAL_DATABASE_URL", e.Database, e.Key)
}

// connect asks whose key it is, finds or makes the account's fields and where
// new deals go, and keeps what it learns in the database.
func (e *Engine) connect(ctx context.Context) (err error) {
	var codes map[string]string
	defer func() { e.notePipedrive(ctx, codes, err) }()
	me, err := e.pipedrive.Me(ctx)
	if err != nil {
		return err
	}
	if err := e.checkCompany(ctx, me); err != nil {
		return err
	}
	if e.account.Swap(&me) == nil {
		e.log.Info("pipedrive connected", "company", me.CompanyName, "company_id", me.CompanyID, "key_of", me.UserName)
	}
	e.noteOffers(ctx)
	if e.aimed, err = e.aim(ctx); err != nil {
		return err
	}
	e.pipedrive.Aim(e.aimed)
	codes, err = e.prepareFields(ctx)
	if err != nil {
		return err
	}
	return e.store.Set(ctx, gistdeal.SettingDealURL, me.DealURL)
}

// prepareFields finds or makes the account's fields, and returns their codes by name.
func (e *Engine) prepareFields(ctx context.Context) (map[string]string, error) {
	codes := map[string]string{}
	kept, err := e.store.Setting(ctx, SettingFields)
	if err != nil {
		return nil, err
	}
	if kept != "" {
		if err := json.Unmarshal([]byte(kept), &codes); err != nil {
			return nil, fmt.Errorf("setting %s: %w", SettingFields, err)
		}
	}
	if codes, err = e.pipedrive.Prepare(ctx, codes); err != nil {
		return nil, err
	}
	text, err := json.Marshal(codes)
	if err != nil {
		return nil, err
	}
	return codes, e.store.Set(ctx, SettingFields, string(text))
}

// checkCompany makes the database belong to the first company that it meets.
func (e *Engine) checkCompany(ctx context.Context, me gistdeal.PipedriveAccount) error {
	id := strconv.FormatInt(me.CompanyID, 10)
	kept, err := e.store.Setting(ctx, SettingCompany)
	if err != nil {
		return err
	}
	if kept == "" {
		return e.store.Set(ctx, SettingCompany, id)
	}
	if kept != id {
		return &OtherCompanyError{Database: kept, Key: id}
	}
	return nil
}

// catchUp adopts the deals that were made for gists since the newest outcome
// that the database holds, so that a lost or restored database, or deals that
// the seed or a person made, double nothing. A database without outcomes reads
// all deals. No deal is pushed before it has ended well.
//
// Lists may show a deal late. A deal with a gist id that was made a moment ago
// and not by an attempt of ours means that another database was at work until
// then, and more of its deals may be on their way: catchUp waits until the
// newest is as old as a deal must be missing before it counts as absent, and
// reads again.
func (e *Engine) catchUp(ctx context.Context) error {
	since, err := e.outcomesKnownUntil(ctx)
	if err != nil {
		return err
	}
	for {
		begin := e.pipedriveNow()
		newest, err := e.adoptSince(ctx, since, begin.Add(-e.options.Absence))
		if err != nil {
			return fmt.Errorf("catch up: %w", err)
		}
		failpoint.Hit(failpoint.CatchUpAdopted)
		if newest.IsZero() {
			return e.store.Set(ctx, settingCaughtUp, strconv.FormatInt(begin.UnixMilli(), 10))
		}
		since = begin.Add(-catchUpBack)
		wait := min(newest.Add(e.options.Absence).Sub(begin), e.options.Absence)
		e.pushing.close(stageConnect, &gistdeal.Error{Kind: gistdeal.Limited, RetryAfter: wait, Err: fmt.Errorf(
			"another database made deals in this Pipedrive account until %s: waiting until all of them show", newest.UTC().Format(time.RFC3339))})
		if !e.pushing.wait(ctx) {
			return ctx.Err()
		}
	}
}

// outcomesKnownUntil returns the time on Pipedrive's clock from which on deals
// may be unknown to the database, zero if all may be.
func (e *Engine) outcomesKnownUntil(ctx context.Context) (time.Time, error) {
	last, err := e.store.LastOutcome(ctx)
	if err != nil {
		return last, err
	}
	text, err := e.store.Setting(ctx, settingCaughtUp)
	if err != nil {
		return last, err
	}
	if text != "" {
		ms, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return last, fmt.Errorf("setting %s: %w", settingCaughtUp, err)
		}
		if t := time.UnixMilli(ms); t.After(last) {
			last = t
		}
	}
	if last.IsZero() {
		return last, nil
	}
	if now := e.pipedriveNow(); last.After(now) {
		last = now // A clock was wrong.
	}
	return last.Add(-catchUpBack), nil
}

// pipedriveNow returns the time on Pipedrive's clock. While no answer has told
// it, that is a day before ours: a look that begins too early only takes longer.
func (e *Engine) pipedriveNow() time.Time {
	now, known := e.pipedrive.Now()
	if !known {
		now = now.Add(-24 * time.Hour)
	}
	return now
}

// adoptSince adopts the deals changed since then. It returns when the newest of
// those was made that have a gist id and that another database made after
// recent, zero if there are none.
func (e *Engine) adoptSince(ctx context.Context, since, recent time.Time) (newest time.Time, err error) {
	byGist, err := e.dealsByGist(ctx, since)
	if err != nil {
		return newest, err
	}
	failpoint.Hit(failpoint.CatchUpListed)
	one, surplus, fresh, madeAt := map[string]int64{}, map[string][]int64{}, map[string]int64{}, map[string]time.Time{}
	for gistID, deals := range byGist {
		chosen, rest := choose(deals, func(gistdeal.RemoteDeal) bool { return false })
		one[gistID] = chosen.ID
		if len(rest) > 0 {
			surplus[gistID] = rest
			e.log.Warn("gist has more than one deal", "gist", gistID, "deal", chosen.ID, "surplus", rest)
		}
		if chosen.Exact && chosen.AddedAt.After(recent) {
			fresh[gistID], madeAt[gistID] = chosen.ID, chosen.AddedAt
		}
	}
	strange, err := e.store.Strange(ctx, fresh)
	if err != nil {
		return newest, err
	}
	for _, gistID := range strange {
		if t := madeAt[gistID]; t.After(newest) {
			newest = t
		}
	}
	adopted, err := e.store.Adopt(ctx, one, surplus, e.now())
	if err == nil && adopted > 0 {
		e.log.Info("deals adopted", "deals", adopted)
	}
	return newest, err
}

// listDeals lists the deals of gists that were changed since then, but for those
// that are deleted and that a person wanted others made for.
func (e *Engine) listDeals(ctx context.Context, since time.Time, each func(gistdeal.RemoteDeal)) error {
	dropped, err := e.store.Dropped(ctx)
	if err != nil {
		return err
	}
	return e.pipedrive.Deals(ctx, since, func(d gistdeal.RemoteDeal) {
		if !d.Deleted || !dropped[d.ID] {
			each(d)
		}
	})
}

func (e *Engine) dealsByGist(ctx context.Context, since time.Time) (map[string][]gistdeal.RemoteDeal, error) {
	byGist := map[string][]gistdeal.RemoteDeal{}
	err := e.listDeals(ctx, since, func(d gistdeal.RemoteDeal) {
		byGist[d.GistID] = append(byGist[d.GistID], d)
	})
	return byGist, err
}

// choose returns which of a gist's deals is its one: one that is preferred,
// then one that was not deleted, then the lowest id. rest are the others that
// were not deleted.
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
