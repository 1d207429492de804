package desk

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"gistdeal"
)

// Deal is a deal with what tells a person whose it is.
type Deal struct {
	GistID      string             `json:"gist_id"`
	Login       string             `json:"login"` // "" if only its deal was ever seen
	State       gistdeal.DealState `json:"state" enum:"held,found,sending,made,failed,skipped"`
	DealID      int64              `json:"deal_id"` // Pipedrive's, 0 until it is made
	DealURL     string             `json:"deal_url"`
	Problem     string             `json:"problem"`
	Attempts    int                `json:"attempts"`
	Description string             `json:"description"`
}

// DealStates lists all states of a deal in the order in which it may pass them.
var DealStates = gistdeal.DealStates

// DealSelection says which deals are meant: those to which all that is set applies.
type DealSelection struct {
	Gists   []string // ids or addresses
	States  []string
	User    string // a login or an address
	Problem string // as a failure names it, as a whole
}

// filter turns a selection into what the database understands.
func (d *Desk) filter(ctx context.Context, s DealSelection) (f gistdeal.DealFilter, err error) {
	f.Problem = s.Problem
	for _, state := range s.States {
		f.States = append(f.States, gistdeal.DealState(state))
	}
	for _, gist := range s.Gists {
		f.GistIDs = append(f.GistIDs, gistID(gist))
	}
	if s.User != "" {
		u, err := d.user(ctx, s.User)
		if err != nil {
			return f, err
		}
		f.UserID = u.ID
	}
	return f, nil
}

// gistID returns the id that a person means by an id or an address.
func gistID(text string) string {
	if id := gistdeal.GistIDFromURL(text); id != "" {
		return id
	}
	return strings.TrimSpace(text)
}

// Deals returns up to limit of the selected deals, all for 0, by gist id, from
// the one that follows the gist id after, and whether there are more.
func (d *Desk) Deals(ctx context.Context, s DealSelection, after string, limit int) (all []Deal, more bool, err error) {
	all = []Deal{}
	if d.db == nil {
		return all, false, nil
	}
	f, err := d.filter(ctx, s)
	if err != nil {
		return nil, false, err
	}
	address, err := d.db.Setting(ctx, gistdeal.SettingDealURL)
	if err != nil {
		return nil, false, err
	}
	for {
		deals, err := d.db.Deals(ctx, f, after, page)
		if err != nil {
			return nil, false, err
		}
		for _, one := range deals {
			if limit > 0 && len(all) == limit {
				return all, true, nil
			}
			after = one.GistID
			all = append(all, Deal{
				GistID: one.GistID, Login: one.Login, State: one.State, DealID: one.DealID, DealURL: dealURL(address, one.DealID),
				Problem: one.Problem, Attempts: one.Attempts, Description: one.Description,
			})
		}
		if len(deals) < page {
			return all, false, nil
		}
	}
}

// dealURL returns where people see a deal, "" if there is none.
func dealURL(address string, id int64) string {
	if address == "" || id == 0 {
		return ""
	}
	return fmt.Sprintf("%s%d", address, id)
}

// Turned is what became of deals that were to be retried or skipped.
type Turned struct {
	Deals   int      `json:"deals"`   // that were
	Results []Result `json:"results"` // of gists that were named, each
}

// Retry makes failed, skipped and held deals wait for their turn again: the
// selected ones, and of those that are not named each by its gist only failed
// ones, unless the selection has states.
func (d *Desk) Retry(ctx context.Context, s DealSelection) (Turned, error) {
	if len(s.Gists) == 0 && len(s.States) == 0 {
		s.States = []string{string(gistdeal.DealFailed)}
	}
	return d.turn(ctx, s, "retried", gistdeal.WhyNotRetried, func(f gistdeal.DealFilter) (gistdeal.Changed, error) {
		return d.db.Retry(ctx, f, time.Now())
	})
}

// Skip makes the selected deals get none, for the reason in note.
func (d *Desk) Skip(ctx context.Context, s DealSelection, note string) (Turned, error) {
	return d.turn(ctx, s, "skipped", gistdeal.WhyNotSkipped, func(f gistdeal.DealFilter) (gistdeal.Changed, error) {
		return d.db.Skip(ctx, f, note, time.Now())
	})
}

// turn changes the selected deals: each gist that is named by itself, so that
// each has a result.
func (d *Desk) turn(ctx context.Context, s DealSelection, did string, whyNot map[gistdeal.DealState]string, change func(gistdeal.DealFilter) (gistdeal.Changed, error)) (Turned, error) {
	t := Turned{Results: []Result{}}
	f, err := d.filter(ctx, s)
	if err != nil {
		return t, err
	}
	if len(f.GistIDs) == 0 {
		done, err := change(f)
		t.Deals = done.Deals
		return t, err
	}
	ids := f.GistIDs
	for i, id := range ids {
		f.GistIDs = []string{id}
		done, err := change(f)
		if err != nil {
			return t, err
		}
		t.Deals += done.Deals
		t.Results = append(t.Results, turned(s.Gists[i], did, done, whyNot))
	}
	return t, nil
}

// turned words what became of one gist's deal.
func turned(asked, did string, done gistdeal.Changed, whyNot map[gistdeal.DealState]string) Result {
	if done.Deals > 0 {
		return Result{Asked: asked, Result: did}
	}
	for state := range done.Left {
		if why := whyNot[state]; why != "" {
			return Result{asked, "refused", why}
		}
		return Result{asked, "refused", fmt.Sprintf("is %s, which was not asked for", state)}
	}
	return Result{asked, "not_found", "no such gist is known, or not of that user"}
}

// Story is all that is known of one gist and its deal.
type Story struct {
	Deal
	CreatedAt *time.Time `json:"created_at"` // null if only its deal was ever seen
	NoticedAt *time.Time `json:"noticed_at"`
	NoticedBy string     `json:"noticed_by"`
	QueuedAt  *time.Time `json:"queued_at"` // null unless it waits for its turn
	Tries     []Attempt  `json:"tries"`
	Surplus   []int64    `json:"surplus"` // deal ids beyond the one
}

// SurplusDeal is a deal in Pipedrive beyond the one of its gist.
type SurplusDeal struct {
	DealID    int64     `json:"deal_id"`
	DealURL   string    `json:"deal_url"`
	GistID    string    `json:"gist_id"`
	Login     string    `json:"login"` // "" if the gist was never read
	NoticedAt time.Time `json:"noticed_at"`
}

// Surplus returns up to limit deals beyond the one of their gist, by deal id,
// from the one that follows the id after.
func (d *Desk) Surplus(ctx context.Context, after int64, limit int) ([]SurplusDeal, error) {
	address, err := d.db.Setting(ctx, gistdeal.SettingDealURL)
	if err != nil {
		return nil, err
	}
	found, err := d.db.SurplusDeals(ctx, after, limit)
	deals := make([]SurplusDeal, len(found))
	for i, s := range found {
		deals[i] = SurplusDeal{s.DealID, dealURL(address, s.DealID), s.GistID, s.Login, s.NoticedAt.UTC()}
	}
	return deals, err
}

// Attempt is one attempt at a deal.
type Attempt struct {
	N       int        `json:"n"`
	SentAt  *time.Time `json:"sent_at"`
	EndedAt *time.Time `json:"ended_at"` // null while nobody knows the outcome
	Outcome string     `json:"outcome"`
	DealID  int64      `json:"deal_id"`
	Looks   int        `json:"looks"` // complete looks at Pipedrive that the outcome took
	Reason  string     `json:"reason"`
}

// Explain tells the story of a gist, given by its id or address.
func (d *Desk) Explain(ctx context.Context, gist string) (Story, error) {
	id := gistID(gist)
	deals, _, err := d.Deals(ctx, DealSelection{Gists: []string{id}}, "", 0)
	if err != nil {
		return Story{}, err
	}
	if len(deals) == 0 {
		return Story{}, gistdeal.Errorf(gistdeal.NotFound, "no gist %q was ever seen: it may be secret, deleted, or of a user who is not tracked", id)
	}
	told, err := d.db.Explain(ctx, id)
	if err != nil {
		return Story{}, err
	}
	s := Story{
		Deal: deals[0], CreatedAt: when(told.Gist.CreatedAt), NoticedAt: when(told.NoticedAt), NoticedBy: told.NoticedBy,
		QueuedAt: when(told.QueuedAt), Tries: []Attempt{}, Surplus: []int64{},
	}
	for _, a := range told.Attempts {
		s.Tries = append(s.Tries, Attempt{
			N: a.N, SentAt: when(a.SentAt), EndedAt: when(a.EndedAt), Outcome: a.Outcome, DealID: a.DealID, Looks: a.Looks, Reason: a.Reason,
		})
	}
	for _, one := range told.Surplus {
		s.Surplus = append(s.Surplus, one.DealID)
	}
	slices.Sort(s.Surplus)
	return s, nil
}
