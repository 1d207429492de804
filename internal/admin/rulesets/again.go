package rulesets

import (
	"cmp"
	"context"
	"time"

	"gistdeal"
	"gistdeal/internal/rules"
)

// RuleChanges are what ApplyAgain would change.
type RuleChanges struct {
	Deals   int `json:"deals" doc:"The number of deals that would be decided again: queued ones, those that wait for approval, and those that rules skipped."`
	Queue   int `json:"queue" doc:"How many of them, at most, would be queued that are not: limits of rules may let some wait."`
	Hold    int `json:"hold" doc:"How many would wait for approval that do not."`
	Skip    int `json:"skip" doc:"How many would be skipped that are not."`
	Content int `json:"content" doc:"How many would stay in their state with another content or rule."`
	Asked   int `json:"github_requests" doc:"For how many of them GitHub is asked first: whether they are forks, or for first lines of files."`
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
			if facts := factsOf(g); c.add(g, all.Decide(facts)) {
				gistIDs = append(gistIDs, g.ID)
				if all.NeedsDetails(facts) {
					c.Asked++
				}
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

// Ask asks GitHub for facts that the present rules need of gists, if their deals may be decided
// again and the facts are not known, and stores them. It returns why there is no answer, by gist
// id. The error may be that of a limit of GitHub, which passes. A nil hub is not asked.
func (r *RuleSets) Ask(ctx context.Context, hub rules.GitHub, gistIDs []string) (unanswered map[string]string, err error) {
	all, err := r.current.Rules(ctx)
	if err != nil || all == nil || hub == nil {
		return nil, err
	}
	unanswered = map[string]string{}
	for _, id := range gistIDs {
		g, ok, err := r.db.DecidableGist(ctx, id)
		if err != nil {
			return nil, err
		}
		if !ok || !all.NeedsDetails(factsOf(g)) {
			continue
		}
		facts, err := all.Ask(ctx, hub, userOf(g), &g.Gist, g.NoticedBy == gistdeal.NoticedByFirstScan, g.NoticedAt, true)
		if err == nil && facts.Unanswered == "" {
			err = r.db.SaveDetails(ctx, g.Gist, time.Now())
		}
		if err != nil {
			return nil, err
		}
		unanswered[id] = facts.Unanswered
	}
	return unanswered, nil
}

// ApplyAgain decides about the deal of a gist by the present rules. unanswered is why GitHub did
// not tell facts that the rules need. The result is the new state of the deal, or
// "unchanged". That is no problem if it may not be decided again any more: the leader may have
// begun to send it since it was counted.
func (r *RuleSets) ApplyAgain(ctx context.Context, gistID, unanswered string) (result, reason string, err error) {
	all, err := r.current.Rules(ctx)
	if err != nil {
		return "", "", err
	}
	if all == nil {
		return "unchanged", "there are no rules", nil
	}
	before, after, err := r.db.DecideAgain(ctx, gistID, func(g gistdeal.DecidedGist) gistdeal.Decision {
		facts := factsOf(g)
		facts.Unanswered = cmp.Or(unanswered, "it was not asked: apply the rules again")
		return all.Decide(facts)
	}, time.Now())
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
