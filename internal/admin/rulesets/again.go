package rulesets

import (
	"context"
	"time"

	"gistdeal"
)

// RuleChanges are what ApplyAgain would change.
type RuleChanges struct {
	Deals   int `json:"deals" doc:"The number of deals that would be decided again: queued ones, those that wait for approval, and those that rules skipped."`
	Queue   int `json:"queue" doc:"How many of them, at most, would be queued that are not: limits of rules may let some wait."`
	Hold    int `json:"hold" doc:"How many would wait for approval that do not."`
	Skip    int `json:"skip" doc:"How many would be skipped that are not."`
	Content int `json:"content" doc:"How many would stay in their state with another content or rule."`
}

// Changes returns what ApplyAgain would change, and the gists whose deals it would change.
func (r *RuleSets) Changes(ctx context.Context) (c RuleChanges, gistIDs []string, err error) {
	if err := r.enter(ctx); err != nil {
		return c, nil, err
	}
	defer r.leave()
	all, err := r.current.Rules(ctx)
	if err != nil || all == nil {
		return c, nil, err
	}
	for after := ""; ; {
		some, err := r.db.DecidableGists(ctx, after, page)
		if err != nil {
			return c, nil, err
		}
		for _, g := range some {
			if err := ctx.Err(); err != nil {
				return c, nil, err
			}
			after = g.ID
			c.Deals++
			if c.add(g, all.Decide(factsOf(g))) {
				gistIDs = append(gistIDs, g.ID)
			}
		}
		if len(some) < page {
			return c, gistIDs, nil
		}
	}
}

// add counts what a decision changes, and reports whether it changes something.
func (c *RuleChanges) add(g gistdeal.DecidedGist, d gistdeal.Decision) bool {
	switch {
	case d.Action == gistdeal.RuleSkip && g.State != gistdeal.DealSkipped:
		c.Skip++
	case d.Action == gistdeal.RuleHold && g.State != gistdeal.DealAwaitingApproval:
		c.Hold++
	case d.Action == gistdeal.RuleCreate && (g.State == gistdeal.DealSkipped || g.State == gistdeal.DealAwaitingApproval && gistdeal.AwaitsByRule(g.Problem)):
		c.Queue++
	case g.RulesVersion != d.Version:
		c.Content++
	default:
		return false
	}
	return true
}

// ApplyAgain decides about the deal of a gist by the present rules. The result is the new
// state of the deal, or "unchanged". That is no problem if it may not be decided again any
// more: the leader may have begun to send it since it was counted.
func (r *RuleSets) ApplyAgain(ctx context.Context, gistID string) (result, reason string, err error) {
	all, err := r.current.Rules(ctx)
	if err != nil {
		return "", "", err
	}
	if all == nil {
		return "unchanged", "there are no rules", nil
	}
	before, after, err := r.db.DecideAgain(ctx, gistID, func(g gistdeal.DecidedGist) gistdeal.Decision { return all.Decide(factsOf(g)) }, time.Now())
	switch {
	case err != nil:
		return "", "", err
	case after == "":
		return "unchanged", "its deal was sent, or skipped by a person or by the backfill, or its user is not tracked", nil
	case before == after:
		return "unchanged", "its content is that of the present rules", nil
	}
	return string(after), "", nil
}
