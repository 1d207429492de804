package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"gistdeal/internal/desk"
	"gistdeal/internal/operate"
)

type dealsCmd struct {
	List    dealsListCmd    `cmd:"" help:"List deals."`
	Retry   dealsRetryCmd   `cmd:"" help:"Make failed deals wait for their turn again; skipped and held ones too, if they are named by gist or state."`
	Skip    dealsSkipCmd    `cmd:"" help:"Make no deals for gists whose deals wait, are held or failed."`
	Explain dealsExplainCmd `cmd:"" help:"Tell the story of one gist and its deal."`
}

// dealFlags choose deals.
type dealFlags struct {
	State   []string `help:"Only deals in these states." enum:"held,found,sending,made,failed,skipped"`
	User    string   `help:"Only deals of this user's gists." placeholder:"LOGIN"`
	Problem string   `help:"Only deals with this problem, word for word." placeholder:"TEXT"`
}

func (f dealFlags) selection() desk.DealSelection {
	return desk.DealSelection{States: f.State, User: f.User, Problem: f.Problem}
}

type dealsListCmd struct {
	dealFlags
	printing
	Limit int `help:"How many at the most; 0 for all." default:"100"`
}

// Run prints the deals.
func (c *dealsListCmd) Run(ctx context.Context) error {
	return atDesk(ctx, operate.ReadDesk, func(d *desk.Desk) error {
		deals, more, err := d.Deals(ctx, c.selection(), "", c.Limit)
		if err != nil {
			return err
		}
		err = c.print(struct {
			Deals []desk.Deal `json:"deals"`
			More  bool        `json:"more"`
		}{deals, more}, func(t *table) {
			t.row("GIST", "USER", "STATE", "DEAL", "ATTEMPTS", "DESCRIPTION", "PROBLEM")
			for _, one := range deals {
				t.row(one.GistID, one.Login, string(one.State), dealName(one.DealID), strconv.Itoa(one.Attempts), shortened(one.Description, 40), one.Problem)
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

// shortened returns so much of a text as a table has room for.
func shortened(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}

// gistArgs are the deals that a command is to change.
type gistArgs struct {
	dealFlags
	Gists []string `arg:"" optional:"" name:"gist" help:"Ids or addresses of gists."`
}

func (a gistArgs) selection() desk.DealSelection {
	s := a.dealFlags.selection()
	s.Gists = a.Gists
	return s
}

type dealsRetryCmd struct {
	gistArgs
	printing
}

// Run retries, by default all that failed.
func (c *dealsRetryCmd) Run(ctx context.Context) error {
	return c.turn(ctx, c.printing, "deals wait for their turn", func(d *desk.Desk) (desk.Turned, error) {
		return d.Retry(ctx, c.selection())
	})
}

type dealsSkipCmd struct {
	gistArgs
	printing
	Why string `help:"The reason, which is shown with the deals." default:"skipped by a person"`
}

// Validate makes a command line that would skip everything one that is not understood.
func (c *dealsSkipCmd) Validate() error {
	if len(c.Gists) == 0 && len(c.State) == 0 && c.User == "" && c.Problem == "" {
		return errors.New("name gists, a --user, a --state or a --problem")
	}
	return nil
}

// Run skips.
func (c *dealsSkipCmd) Run(ctx context.Context) error {
	return c.turn(ctx, c.printing, "deals are skipped", func(d *desk.Desk) (desk.Turned, error) {
		return d.Skip(ctx, c.selection(), c.Why)
	})
}

// turn changes deals and prints what became of those that were named.
func (a gistArgs) turn(ctx context.Context, p printing, did string, change func(*desk.Desk) (desk.Turned, error)) error {
	return atDesk(ctx, operate.OpenDesk, func(d *desk.Desk) error {
		turned, err := change(d)
		if err != nil {
			return err
		}
		err = p.print(turned, func(t *table) {
			for _, r := range turned.Results {
				t.row(r.Asked, spaced(r.Result), r.Reason)
			}
			t.end()
			t.row(desk.Number(turned.Deals) + " " + did)
		})
		if err != nil {
			return err
		}
		return desk.Undone(turned.Results)
	})
}

type dealsExplainCmd struct {
	printing
	Gist string `arg:"" help:"Id or address of a gist."`
}

// Run tells the story.
func (c *dealsExplainCmd) Run(ctx context.Context) error {
	return atDesk(ctx, operate.ReadDesk, func(d *desk.Desk) error {
		story, err := d.Explain(ctx, c.Gist)
		if err != nil {
			return err
		}
		return c.print(story, func(t *table) { showStory(t, story) })
	})
}

func showStory(t *table, s desk.Story) {
	t.row("gist", s.GistID)
	for _, fact := range [][2]string{
		{"user", s.Login},
		{"description", s.Description},
		{"created", clock(s.CreatedAt)},
		{"noticed", clock(s.NoticedAt)},
		{"by", s.NoticedBy},
		{"state", string(s.State)},
		{"deal", dealName(s.DealID)},
		{"address", s.DealURL},
		{"waits since", clock(s.QueuedAt)},
		{"problem", s.Problem},
	} {
		if fact[1] != "" && fact[1] != "-" {
			t.row(fact[0], fact[1])
		}
	}
	for _, id := range s.Surplus {
		t.row("second deal", dealName(id))
	}
	t.end()
	if len(s.Tries) == 0 {
		t.row("No attempt was made.")
		return
	}
	t.row()
	t.row("ATTEMPT", "SENT", "ENDED", "OUTCOME", "DEAL", "LOOKS", "REASON")
	for _, a := range s.Tries {
		outcome := a.Outcome
		if outcome == "" {
			outcome = "not known yet"
		}
		t.row(strconv.Itoa(a.N), clock(a.SentAt), clock(a.EndedAt), outcome, dealName(a.DealID), strconv.Itoa(a.Looks), a.Reason)
	}
}
