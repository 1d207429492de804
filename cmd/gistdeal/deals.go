package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"gistdeal"
	"gistdeal/internal/admin"
	"gistdeal/internal/format"
)

type dealsCmd struct {
	List    dealsListCmd    `cmd:"" help:"List deals."`
	Retry   dealsRetryCmd   `cmd:"" help:"Queue failed deals again. Skipped deals and deals awaiting approval are queued too if they are selected by gist or state."`
	Skip    dealsSkipCmd    `cmd:"" help:"Skip deals that are queued, failed or awaiting approval: they are not created."`
	Explain dealsExplainCmd `cmd:"" help:"Show the history of one gist and its deal."`
}

// dealFlags select deals.
type dealFlags struct {
	State   []string `help:"Only deals in these states." enum:"awaiting_approval,queued,sending,created,failed,skipped"`
	User    string   `help:"Only deals of this user's gists." placeholder:"LOGIN"`
	Problem string   `help:"Only deals with this problem, word for word." placeholder:"TEXT"`
}

func (f dealFlags) selection() admin.DealSelection {
	return admin.DealSelection{States: f.State, User: f.User, Problem: f.Problem}
}

type dealsListCmd struct {
	dealFlags
	printing
	CSV    bool          `name:"csv" help:"Print CSV."`
	Search string        `help:"Only deals with this text in the description of the gist or in the login, or with this gist id or number." placeholder:"TEXT"`
	Rule   string        `help:"Only deals that this rule decided about." placeholder:"NAME"`
	Since  time.Duration `help:"Only deals that changed since this long ago, such as 24h." placeholder:"DURATION"`
	Sort   string        `help:"The order: gist, created or updated; a leading - reverses it." enum:"gist,-gist,created,-created,updated,-updated" default:"gist"`
	Limit  int           `help:"Maximum number of deals; 0 for all. With --csv always all." default:"100"`
}

func (c *dealsListCmd) selection() admin.DealSelection {
	s := c.dealFlags.selection()
	s.Search, s.Rule, s.Order = c.Search, c.Rule, gistdeal.DealOrder(c.Sort)
	if c.Since > 0 {
		s.UpdatedSince = time.Now().Add(-c.Since)
	}
	return s
}

// Run prints the deals.
func (c *dealsListCmd) Run(ctx context.Context, at serverFlags) error {
	return c.withGistdeal(ctx, at, reads, func(g backend) error {
		limit := c.Limit
		if c.CSV {
			limit = 0
		}
		deals, more, err := g.Deals(ctx, c.selection(), limit)
		if err != nil {
			return err
		}
		if c.CSV {
			return admin.WriteDeals(os.Stdout, func(yield func([]admin.Deal, error) bool) { yield(deals, nil) })
		}
		err = c.print(struct {
			Deals []admin.Deal `json:"deals"`
			More  bool         `json:"more"`
		}{deals, more}, func(t *table) {
			t.row("GIST", "USER", "STATE", "DEAL", "ATTEMPTS", "CHANGED", "DESCRIPTION", "PROBLEM")
			for _, one := range deals {
				t.row(one.GistID, one.Login, string(one.State), dealName(one.DealID), strconv.Itoa(one.Attempts), ago(one.UpdatedAt), shortened(one.Description, 40), one.Problem)
			}
		})
		if more && !c.JSON {
			fmt.Fprintln(os.Stderr, "there are more: --limit 0 shows all")
		}
		return err
	})
}

func dealName(id int64) string {
	if id == 0 {
		return "-"
	}
	return strconv.FormatInt(id, 10)
}

// shortened returns at most that many runes of text.
func shortened(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}

// gistArgs select the deals that a command changes.
type gistArgs struct {
	dealFlags
	Gists []string `arg:"" optional:"" name:"gist" help:"Ids or addresses of gists."`
}

func (a gistArgs) selection() admin.DealSelection {
	s := a.dealFlags.selection()
	s.Gists = a.Gists
	return s
}

type dealsRetryCmd struct {
	gistArgs
	printing
	confirming
}

// Run queues the deals again, by default all failed ones. It asks before it queues deals
// that were not meant to be created.
func (c *dealsRetryCmd) Run(ctx context.Context, at serverFlags) error {
	return c.turn(ctx, at, c.printing, "deals queued", func(g backend) (bool, error) { return c.agree(ctx, g) }, func(g backend) (admin.DealResults, error) {
		return g.Retry(ctx, c.selection())
	})
}

// agree reports whether to queue the deals. Failed ones were meant to be created.
func (c *dealsRetryCmd) agree(ctx context.Context, g backend) (bool, error) {
	notMeant := func(state string) bool {
		return state == string(gistdeal.DealSkipped) || state == string(gistdeal.DealAwaitingApproval)
	}
	if !c.DryRun && !slices.ContainsFunc(c.State, notMeant) {
		return true, nil
	}
	deals, err := g.Retryable(ctx, c.selection())
	if err != nil {
		return false, err
	}
	return c.creating(ctx, c.printing, g, deals)
}

type dealsSkipCmd struct {
	gistArgs
	printing
	Reason string `help:"The reason, which is shown with the deals." default:"skipped by an operator"`
}

// Validate refuses a command line that would skip everything.
func (c *dealsSkipCmd) Validate() error {
	if len(c.Gists) == 0 && len(c.State) == 0 && c.User == "" && c.Problem == "" {
		return errors.New("name gists, a --user, a --state or a --problem")
	}
	return nil
}

// Run skips.
func (c *dealsSkipCmd) Run(ctx context.Context, at serverFlags) error {
	always := func(backend) (bool, error) { return true, nil }
	return c.turn(ctx, at, c.printing, "deals skipped", always, func(g backend) (admin.DealResults, error) {
		return g.Skip(ctx, c.selection(), c.Reason)
	})
}

// turn changes deals, if agree says so, and prints the result of each named gist.
func (gistArgs) turn(ctx context.Context, at serverFlags, p printing, did string, agree func(backend) (bool, error), change func(backend) (admin.DealResults, error)) error {
	return p.withGistdeal(ctx, at, requests, func(g backend) error {
		if ok, err := agree(g); err != nil || !ok {
			return err
		}
		turned, err := change(g)
		if err != nil {
			return err
		}
		err = p.print(turned, func(t *table) {
			for _, r := range turned.Results {
				t.row(r.Input, spaced(r.Result), r.Reason)
			}
			t.end()
			t.row(format.Number(turned.Deals) + " " + did)
		})
		if err != nil {
			return err
		}
		return admin.Undone(turned.Results)
	})
}

type dealsExplainCmd struct {
	printing
	Gist string `arg:"" help:"Id or address of a gist."`
}

// Run shows the history.
func (c *dealsExplainCmd) Run(ctx context.Context, at serverFlags) error {
	return c.withGistdeal(ctx, at, reads, func(g backend) error {
		history, err := g.History(ctx, c.Gist)
		if err != nil {
			return err
		}
		return c.print(history, func(t *table) { showHistory(t, history) })
	})
}

// noticed tells when a gist was noticed, and how long that took if gistdeal was watching.
func noticed(h admin.History) string {
	text := clock(h.NoticedAt)
	if h.NoticedBy == gistdeal.NoticedByScan || h.NoticedBy == gistdeal.NoticedByFeed {
		text += ", " + format.Duration(h.NoticedAt.Sub(h.Gist.CreatedAt)) + " after its publication"
	}
	return text
}

// ruleOf names the rule that decided about a deal; "" if there were no rules.
func ruleOf(h admin.History) string {
	if h.Rule == "" {
		return ""
	}
	return fmt.Sprintf("%s (version %d of the rules)", h.Rule, h.RulesVersion)
}

func showHistory(t *table, h admin.History) {
	t.row("gist", h.GistID)
	for _, fact := range [][2]string{
		{"user", h.User.Login},
		{"description", h.Gist.Description},
		{"created", clock(h.Gist.CreatedAt)},
		{"noticed", noticed(h)},
		{"by", h.NoticedBy},
		{"state", string(h.State)},
		{"deal", dealName(h.DealID)},
		{"address", h.DealURL},
		{"queued since", clock(h.QueuedAt)},
		{"problem", h.Problem},
		{"rule", ruleOf(h)},
		{"priority", string(h.Priority)},
	} {
		if fact[1] != "" && fact[1] != "-" {
			t.row(fact[0], fact[1])
		}
	}
	for _, d := range h.Duplicates {
		t.row("duplicate deal", dealName(d.DealID))
	}
	t.end()
	if len(h.Attempts) == 0 {
		t.row("No attempt yet.")
		return
	}
	t.row()
	t.row("ATTEMPT", "SENT", "ENDED", "OUTCOME", "DEAL", "LOOKUPS", "REASON")
	for _, a := range h.Attempts {
		outcome := a.Outcome
		if outcome == "" {
			outcome = "in doubt"
		}
		t.row(strconv.Itoa(a.N), clock(a.SentAt), clock(a.EndedAt), outcome, dealName(a.DealID), strconv.Itoa(a.Lookups), a.Reason)
	}
}
