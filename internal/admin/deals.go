package admin

import (
	"context"
	"fmt"
	"io"
	"iter"
	"path"
	"strconv"
	"strings"
	"time"

	"gistdeal"
	"gistdeal/internal/format"
)

// Deal is a deal with its URL.
type Deal struct {
	gistdeal.DealSummary
	DealURL string `json:"deal_url" doc:"Its page in Pipedrive; empty until it is created."`
}

// DealSelection selects deals: those that match everything that is set.
type DealSelection struct {
	Gists   []string // ids or addresses
	States  []string
	User    string // a login or an address
	Problem string // as a failure names it, the whole text

	// Only Deals and AllDeals regard these.
	Search       string // a part of a description or login, a gist id or a deal's number
	Rule         string // that decided about the deals
	UpdatedSince time.Time
	Order        gistdeal.DealOrder
}

// filter returns the selection as the database knows it.
func (a *Admin) filter(ctx context.Context, s DealSelection) (f gistdeal.DealFilter, err error) {
	f.Problem, f.Search, f.Rule, f.UpdatedSince = s.Problem, s.Search, s.Rule, s.UpdatedSince
	for _, state := range s.States {
		f.States = append(f.States, gistdeal.DealState(state))
	}
	for _, gist := range s.Gists {
		f.GistIDs = append(f.GistIDs, GistID(gist))
	}
	if s.User != "" {
		u, err := a.user(ctx, s.User)
		if err != nil {
			return f, err
		}
		f.UserID = u.ID
	}
	return f, nil
}

// GistID returns the id in an input, which is an id or an address. An operator's address
// is that of a gist, so its last element counts whatever it looks like.
func GistID(input string) string {
	input = strings.TrimSpace(input)
	if id := gistdeal.GistIDFromURL(input); id != "" {
		return id
	}
	if strings.Contains(input, "gist.github.com/") {
		return path.Base(input)
	}
	return input
}

// Deals returns up to limit of the selected deals, all for 0, in the order of the
// selection, from the one that follows the place after, and whether there are more.
func (a *Admin) Deals(ctx context.Context, s DealSelection, after gistdeal.DealPlace, limit int) (all []Deal, more bool, err error) {
	size := page
	if limit > 0 {
		size = min(page, limit+1) // One more row tells whether there are more.
	}
	all = []Deal{}
	for deals, err := range a.dealPages(ctx, s, after, size) {
		if err != nil {
			return nil, false, err
		}
		if all = append(all, deals...); limit > 0 && len(all) > limit {
			return all[:limit], true, nil
		}
	}
	return all, false, nil
}

// AllDeals yields the pages of the selected deals.
func (a *Admin) AllDeals(ctx context.Context, s DealSelection) iter.Seq2[[]Deal, error] {
	return a.dealPages(ctx, s, gistdeal.DealPlace{}, page)
}

func (a *Admin) dealPages(ctx context.Context, s DealSelection, after gistdeal.DealPlace, size int) iter.Seq2[[]Deal, error] {
	return func(yield func([]Deal, error) bool) {
		f, err := a.filter(ctx, s)
		if err != nil {
			yield(nil, err)
			return
		}
		address, err := a.dealAddress(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		for {
			some, err := a.db.Deals(ctx, f, s.Order, after, size)
			if err != nil {
				yield(nil, err)
				return
			}
			deals := make([]Deal, len(some))
			for i, d := range some {
				deals[i] = Deal{d, gistdeal.DealURL(address, d.DealID)}
			}
			if len(some) > 0 {
				after = s.Order.Place(some[len(some)-1])
			}
			if len(some) > 0 && !yield(deals, nil) || len(some) < size {
				return
			}
		}
	}
}

// WriteDeals writes pages of deals as CSV: a head, and a row for each deal.
func WriteDeals(w io.Writer, pages iter.Seq2[[]Deal, error]) error {
	out := format.NewCSV(w)
	if err := out.Row("gist_id", "gist_url", "login", "description", "state", "deal_id", "deal_url", "problem", "attempts", "created_at", "updated_at", "rule"); err != nil {
		return err
	}
	for deals, err := range pages {
		if err != nil {
			return err
		}
		for _, d := range deals {
			address, id := "", ""
			if d.Login != "" {
				address = gistdeal.GistURL(d.Login, d.GistID)
			}
			if d.DealID != 0 {
				id = strconv.FormatInt(d.DealID, 10)
			}
			if err := out.Row(d.GistID, address, d.Login, d.Description, string(d.State), id, d.DealURL, d.Problem, strconv.Itoa(d.Attempts),
				format.CSVTime(d.CreatedAt), format.CSVTime(d.UpdatedAt), d.Rule); err != nil {
				return err
			}
		}
		if err := out.Flush(); err != nil {
			return err
		}
	}
	return out.Flush()
}

// DealResults is the result of retrying or skipping deals.
type DealResults struct {
	Deals   int      `json:"deals" doc:"How many were changed."`
	Results []Result `json:"results" doc:"One for each gist that was named."`
}

// Retry queues failed, skipped and held deals again. Deals that are selected
// neither by their gist nor by a state are retried only if they failed.
func (a *Admin) Retry(ctx context.Context, s DealSelection) (DealResults, error) {
	return a.turn(ctx, s.OrFailed(), turning{"retried", gistdeal.WhyNotRetried, func(f gistdeal.DealFilter) (gistdeal.Changed, error) {
		return a.db.Retry(ctx, f, time.Now())
	}})
}

// OrFailed returns the selection, of failed deals if it names neither gists nor states.
func (s DealSelection) OrFailed() DealSelection {
	if len(s.Gists) == 0 && len(s.States) == 0 {
		s.States = []string{string(gistdeal.DealFailed)}
	}
	return s
}

// Skip decides that the selected deals are not created, for the reason in note.
func (a *Admin) Skip(ctx context.Context, s DealSelection, note string) (DealResults, error) {
	return a.turn(ctx, s, turning{"skipped", gistdeal.WhyNotSkipped, func(f gistdeal.DealFilter) (gistdeal.Changed, error) {
		return a.db.Skip(ctx, f, note, time.Now())
	}})
}

// turning is retrying or skipping.
type turning struct {
	result string
	whyNot map[gistdeal.DealState]string
	change func(gistdeal.DealFilter) (gistdeal.Changed, error)
}

// turn changes the selected deals, one by one if they are named by their gists:
// each of those has a result.
func (a *Admin) turn(ctx context.Context, s DealSelection, how turning) (DealResults, error) {
	t := DealResults{Results: []Result{}}
	f, err := a.filter(ctx, s)
	if err != nil {
		return t, err
	}
	if len(f.GistIDs) == 0 {
		changed, err := how.change(f)
		t.Deals = changed.Deals
		return t, err
	}
	ids := f.GistIDs
	for i, id := range ids {
		f.GistIDs = []string{id}
		changed, err := how.change(f)
		if err != nil {
			return t, err
		}
		t.Deals += changed.Deals
		t.Results = append(t.Results, how.of(s.Gists[i], changed))
	}
	return t, nil
}

// of returns the result of one gist's deal.
func (how turning) of(input string, changed gistdeal.Changed) Result {
	if changed.Deals > 0 {
		return Result{Input: input, Result: how.result}
	}
	for state := range changed.Left {
		if why := how.whyNot[state]; why != "" {
			return Result{input, "refused", why}
		}
		return Result{input, "refused", fmt.Sprintf("is %s, which was not selected", state)}
	}
	return Result{input, "not_found", "this gist is not known, or it belongs to another user"}
}

// History is the history of a gist with the URL of its deal.
type History struct {
	gistdeal.History
	DealURL string `json:"deal_url"`
}

// History returns the history of a gist, given by its id or address.
func (a *Admin) History(ctx context.Context, gist string) (History, error) {
	history, err := a.db.Explain(ctx, GistID(gist))
	if err != nil {
		return History{}, err
	}
	address, err := a.dealAddress(ctx)
	return History{history, gistdeal.DealURL(address, history.DealID)}, err
}

// ListedDuplicate is a duplicate deal with its URL.
type ListedDuplicate struct {
	gistdeal.DuplicateDeal
	DealURL string `json:"deal_url"`
}

// Duplicates returns up to limit deals beyond the one of their gist, by deal id,
// from the one that follows the id after.
func (a *Admin) Duplicates(ctx context.Context, after int64, limit int) ([]ListedDuplicate, error) {
	address, err := a.dealAddress(ctx)
	if err != nil {
		return nil, err
	}
	page, err := a.db.DuplicateDeals(ctx, after, limit)
	deals := make([]ListedDuplicate, len(page))
	for i, d := range page {
		deals[i] = ListedDuplicate{d, gistdeal.DealURL(address, d.DealID)}
	}
	return deals, err
}
