package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"gistdeal"
	"gistdeal/internal/admin/rulesets"
	"gistdeal/internal/format"
	"gistdeal/internal/manifest"
	"gistdeal/internal/rules"
)

type rulesCmd struct {
	List   rulesListCmd   `cmd:"" help:"List the rules that decide which gists become deals."`
	Export rulesExportCmd `cmd:"" help:"Write the rules as YAML."`
	Test   rulesTestCmd   `cmd:"" help:"Show what rules decide about the stored gists; changes nothing."`
	Apply  rulesApplyCmd  `cmd:"" help:"Replace the rules by those of a YAML file, after showing the differences. They decide about gists that are noticed from now on."`
	Again  rulesAgainCmd  `cmd:"" help:"Decide again, by the present rules, about the deals that are queued, wait for approval, or were skipped by rules."`
}

// ruleBook are the rules of a gistdeal.
type ruleBook interface {
	Rules(ctx context.Context) (rules.Stored, error)
	SaveRules(ctx context.Context, set rules.Set, version int64) (rules.Stored, error)
	RuleCatalog(ctx context.Context) (rulesets.RuleCatalog, error)
	PreviewRules(ctx context.Context, draft *rules.Set, gists, results int) (rulesets.RulePreview, error)
	RuleChanges(ctx context.Context) (rulesets.RuleChanges, error)
	ApplyRules(ctx context.Context) (gistdeal.Operation, error)
}

type rulesListCmd struct{ printing }

// Run prints the rules.
func (c *rulesListCmd) Run(ctx context.Context, at serverFlags) error {
	return c.withGistdeal(ctx, at, reads, func(g backend) error {
		stored, err := g.Rules(ctx)
		if err != nil {
			return err
		}
		catalog, err := g.RuleCatalog(ctx)
		if err != nil {
			return err
		}
		return c.print(struct {
			rules.Stored
			Paused map[string]string `json:"paused"`
		}{stored, catalog.Paused}, func(t *table) {
			t.row("", "RULE", "ACTION", "GISTS", "PROBLEM")
			for i, r := range stored.Rules {
				problem := catalog.Paused[r.Name]
				if r.Off {
					problem = "off"
				}
				action := string(r.Action)
				if r.Priority != gistdeal.PriorityNormal {
					action += fmt.Sprintf(", %s priority", r.Priority)
				}
				t.row(strconv.Itoa(i+1), r.Name, action, conditionsOf(r), problem)
			}
			t.row(strconv.Itoa(len(stored.Rules)+1), gistdeal.EverythingElse, string(gistdeal.RuleCreate)+limitsOf(stored.EverythingElse), "", "")
		})
	})
}

// limitsOf describes the limits of the last rule.
func limitsOf(r rules.LastRule) (text string) {
	if r.UserDay > 0 {
		text += fmt.Sprintf(", %s a day per user", format.Number(r.UserDay))
	}
	if r.RuleDay > 0 {
		text += fmt.Sprintf(", %s a day", format.Number(r.RuleDay))
	}
	return text
}

// conditionsOf describes which gists a rule matches.
func conditionsOf(r rules.Rule) string {
	words := func(all []rules.Condition, between string) string {
		texts := make([]string, len(all))
		for i, c := range all {
			texts[i] = c.String()
		}
		return strings.Join(texts, between)
	}
	parts := []string{words(r.All, " and "), words(r.Any, " or ")}
	if len(r.None) > 0 {
		parts = append(parts, "but not: "+words(r.None, " or "))
	}
	parts = slices.DeleteFunc(parts, func(s string) bool { return s == "" })
	if len(parts) == 0 {
		return "all"
	}
	return shortened(strings.Join(parts, "; "), 100)
}

type rulesExportCmd struct {
	Output string `short:"o" help:"Write to this file, not to standard output." placeholder:"FILE"`
}

// Run writes the rules.
func (c *rulesExportCmd) Run(ctx context.Context, at serverFlags) error {
	return printing{}.withGistdeal(ctx, at, reads, func(g backend) error {
		stored, err := g.Rules(ctx)
		if err != nil {
			return err
		}
		if c.Output == "" {
			w := bufio.NewWriter(os.Stdout)
			return errors.Join(manifest.WriteRules(w, stored.Set), w.Flush())
		}
		return replaceFile(c.Output, func(f *os.File) error { return manifest.WriteRules(f, stored.Set) })
	})
}

// ruleFile names a file of rules.
type ruleFile struct {
	File string `short:"f" help:"The file; - reads standard input." placeholder:"FILE"`
}

func (f ruleFile) read() (rules.Set, error) {
	text, err := readText(f.File)
	if err != nil {
		return rules.Set{}, err
	}
	set, err := manifest.ReadRules([]byte(text))
	if err != nil {
		return set, fmt.Errorf("%s: %w", f.File, err)
	}
	return set, nil
}

type rulesTestCmd struct {
	ruleFile
	printing
	Gists   int `help:"The number of gists to look at: the last ones of all users." default:"500"`
	Results int `help:"The number of gists to list." default:"20"`
}

// Run prints what the rules decide: those of the file, or the present ones without a file.
func (c *rulesTestCmd) Run(ctx context.Context, at serverFlags) error {
	var draft *rules.Set
	if c.File != "" {
		set, err := c.read()
		if err != nil {
			return err
		}
		draft = &set
	}
	return c.withGistdeal(ctx, at, reads, func(g backend) error {
		p, err := g.PreviewRules(ctx, draft, max(c.Gists, 1), max(c.Results, 1))
		if err != nil {
			return err
		}
		return c.print(p, func(t *table) { showPreview(t, p) })
	})
}

func showPreview(t *table, p rulesets.RulePreview) {
	decided := make([]rulesets.DecidedGist, len(p.Results))
	for i, r := range p.Results {
		decided[i] = r.DecidedGist
	}
	showDecisions(t, decided)
	t.row()
	t.row(counted(p.Tally) + ".")
	more := format.Number(p.Create-p.CreateNow) + " more"
	if p.Create < p.CreateNow {
		more = format.Number(p.CreateNow-p.Create) + " fewer"
	}
	t.row(fmt.Sprintf("That is %s than now: %.1f deals a day at the pace of the last 30 days, %.0f tokens a day.", more, p.DealsPerDay, p.Tokens))
	if p.Asked > 0 {
		t.row(fmt.Sprintf("GitHub is asked about %s of %s gists alone, with one request each, when they are noticed: %.1f requests a day.", format.Number(p.Asked), format.Number(p.Gists), p.AskedPerDay))
	}
	following(t, p.Tally)
}

// following describes the cost of deals that follow changes of their gists.
func following(t *table, p rulesets.Tally) {
	if p.Following > 0 {
		t.row(fmt.Sprintf("%s of these deals follow changes of their gists: each change takes up to %s tokens on top.", format.Number(p.Following), format.Number(p.ChangeTokens)))
	}
}

// counted says how many gists get a deal.
func counted(p rulesets.Tally) string {
	return fmt.Sprintf("%s of %s gists get a deal, %s wait for approval, %s get none", format.Number(p.Create), format.Number(p.Gists), format.Number(p.Hold), format.Number(p.Skip))
}

func showDecisions(t *table, all []rulesets.DecidedGist) {
	if len(all) == 0 {
		return
	}
	t.row("GIST", "USER", "RULE", "ACTION", "TITLE OF THE DEAL", "REASON")
	for _, r := range all {
		title := ""
		if r.Deal != nil {
			title = shortened(r.Deal.Title, 40)
			if len(r.Deal.Unknown) > 0 {
				title += " (without first lines of files: " + strings.Join(r.Deal.Unknown, ", ") + ")"
			}
		}
		t.row(r.GistID, r.Login, r.Rule, string(r.Action), title, r.Reason)
	}
	t.end()
}

type rulesApplyCmd struct {
	ruleFile
	printing
	confirming
}

// Run replaces the rules if that is agreed.
func (c *rulesApplyCmd) Run(ctx context.Context, at serverFlags) error {
	if c.File == "" {
		return fmt.Errorf("%w: name a file with -f", errUsage)
	}
	wanted, err := c.read()
	if err != nil {
		return err
	}
	how := creates
	if c.DryRun {
		how = reads
	}
	return c.withGistdeal(ctx, at, how, func(g backend) error {
		present, err := g.Rules(ctx)
		if err != nil {
			return err
		}
		difference := manifest.CompareRules(present.Set, wanted)
		if !c.JSON {
			notice("rules: " + orNone(difference))
		}
		if c.DryRun {
			if difference != "" {
				return errDiffers
			}
			return nil
		}
		if difference != "" && !c.Yes {
			if err := c.mayAsk(); err != nil {
				return err
			}
			if err := ask("Continue? [y/N] "); err != nil {
				return err
			}
		}
		if difference != "" {
			if present, err = g.SaveRules(ctx, wanted, present.Version); err != nil {
				return err
			}
		}
		changes, err := g.RuleChanges(ctx)
		if err != nil {
			return err
		}
		return c.print(struct {
			Version int64                `json:"version"`
			Changes rulesets.RuleChanges `json:"changes"`
		}{present.Version, changes}, func(t *table) {
			t.row(fmt.Sprintf("The rules have version %d.", present.Version))
			if n := changes.Queue + changes.Hold + changes.Skip + changes.Content; n > 0 {
				t.row(fmt.Sprintf("%s deals that were not sent would be decided otherwise: `gistdeal rules again` does that.", format.Number(n)))
			}
			if asking := present.NeedingDetails(); len(asking) > 0 {
				t.row(fmt.Sprintf("A request to GitHub for each gist that they decide about is needed by: %s. `gistdeal rules test` shows how many that are.", strings.Join(asking, ", ")))
			}
		})
	})
}

func orNone(difference string) string {
	if difference == "" {
		return "no differences"
	}
	return difference
}

type rulesAgainCmd struct {
	printing
	confirming
}

// Run counts the deals, and decides about them again if that is agreed.
func (c *rulesAgainCmd) Run(ctx context.Context, at serverFlags) error {
	return c.withGistdeal(ctx, at, requests, func(g backend) error {
		n, err := g.RuleChanges(ctx)
		if err != nil {
			return err
		}
		cost, err := g.Cost(ctx, n.Queue)
		if err != nil {
			return err
		}
		ok, err := c.agreed(c.printing, effect{
			Change: fmt.Sprintf("decide again about %s deals: queue at most %s, let %s wait for approval, skip %s, and change the content or rule of %s",
				format.Number(n.Deals), format.Number(n.Queue), format.Number(n.Hold), format.Number(n.Skip), format.Number(n.Content)) + asking(n.Asked),
			Gists: n.Queue + n.Hold + n.Skip + n.Content, Cost: cost,
		})
		if err != nil || !ok {
			return err
		}
		op, err := g.ApplyRules(ctx)
		if err != nil {
			return err
		}
		return c.followOperation(ctx, g, op)
	})
}

// asking describes the requests to GitHub that decisions take.
func asking(requests int) string {
	if requests == 0 {
		return ""
	}
	return fmt.Sprintf(", after %s requests to GitHub", format.Number(requests))
}

type usersTagCmd struct {
	loginArgs
	printing
	Add    []string `help:"Tags to add." placeholder:"TAG"`
	Remove []string `help:"Tags to remove." placeholder:"TAG"`
}

// Run changes the tags, and prints the tags of each user.
func (c *usersTagCmd) Run(ctx context.Context, at serverFlags) error {
	if len(c.Add) == 0 && len(c.Remove) == 0 {
		return fmt.Errorf("%w: name tags with --add or --remove", errUsage)
	}
	return c.changeTags(ctx, at, c.Add, c.Remove)
}
