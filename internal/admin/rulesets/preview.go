package rulesets

import (
	"context"
	"math"
	"time"

	"gistdeal"
	"gistdeal/internal/pipedrive"
	"gistdeal/internal/rules"
)

// RulePreview is what rules decide about stored gists.
type RulePreview struct {
	Tally
	CreateNow   int             `json:"create_now" doc:"How many of them get a deal by the present rules."`
	DealsPerDay float64         `json:"deals_per_day" doc:"The deals that the gists of a day make, by the number of new gists in the last 30 days."`
	AskedPerDay float64         `json:"github_requests_per_day" doc:"The requests to GitHub about single gists, as in github_requests, that the gists of a day take."`
	Tokens      float64         `json:"pipedrive_tokens_per_day" doc:"What these deals cost in tokens of Pipedrive."`
	Results     []PreviewedGist `json:"results" doc:"The first gists with their decisions, the last noticed one first."`
}

// PreviewedGist is what rules decide about one stored gist.
type PreviewedGist struct {
	DecidedGist
	Now   gistdeal.RuleAction `json:"now" enum:"create,hold,skip" doc:"What the present rules decide."`
	State gistdeal.DealState  `json:"state" enum:"awaiting_approval,queued,sending,created,failed,skipped" doc:"The state of the gist's deal, which a preview does not change."`
}

const (
	// rateDays is over how many days the rate of new gists is taken.
	rateDays = 30
	// page is how many rows are read at a time.
	page = 500
)

// Preview decides about up to gists stored gists with the draft, or with the present rules
// if it is nil, and returns the results of up to results of them. It changes nothing.
func (r *RuleSets) Preview(ctx context.Context, draft *rules.Set, gists, results int) (p RulePreview, err error) {
	if err := r.enter(ctx); err != nil {
		return p, err
	}
	defer r.leave()
	now, err := r.current.Rules(ctx)
	if err != nil {
		return p, err
	}
	if now == nil {
		now = &rules.Rules{}
	}
	next := now
	if draft != nil {
		if next, err = r.compile(ctx, *draft, now.Version+1); err != nil {
			return p, err
		}
	}
	p.Rules, p.Results = map[string]int{}, []PreviewedGist{}
	var tracked Tally // those that were noticed while their user was tracked
	for before := int64(math.MaxInt64); p.Gists < gists; {
		some, err := r.db.LatestGists(ctx, before, min(page, gists-p.Gists))
		if err != nil {
			return p, err
		}
		for _, g := range some {
			if err := ctx.Err(); err != nil {
				return p, err
			}
			before = g.Seq
			earlier := p.Tally
			p.add(g, now, next, results)
			if g.NoticedBy != gistdeal.NoticedByFirstScan {
				tracked.Gists, tracked.Create, tracked.Asked = tracked.Gists+1, tracked.Create+p.Create-earlier.Create, tracked.Asked+p.Asked-earlier.Asked
			}
		}
		if len(some) < page {
			break
		}
	}
	return p, r.rate(ctx, &p, tracked)
}

func (r *RuleSets) compile(ctx context.Context, draft rules.Set, version int64) (*rules.Rules, error) {
	if err := draft.Check(); err != nil { // Before it is compared with the catalog.
		return nil, err
	}
	catalog, err := rules.ReadCatalog(ctx, r.db)
	if err != nil {
		return nil, err
	}
	resolved, err := draft.Resolve(catalog)
	if err != nil {
		return nil, err
	}
	return rules.New(resolved, version, catalog)
}

// add adds the decision about a gist.
func (p *RulePreview) add(g gistdeal.DecidedGist, now, next *rules.Rules, results int) {
	facts := factsOf(g)
	before := now.Decide(facts)
	one := p.decide(next, facts, len(p.Results) < results)
	if len(p.Results) < results {
		p.Results = append(p.Results, PreviewedGist{one, before.Action, g.State})
	}
	if before.Action == gistdeal.RuleCreate {
		p.CreateNow++
	}
}

// factsOf returns the facts of a stored gist at the moment when it was noticed.
func factsOf(g gistdeal.DecidedGist) rules.Facts {
	return rules.FactsOf(userOf(g), g.Gist, g.NoticedBy == gistdeal.NoticedByFirstScan, g.NoticedAt)
}

func userOf(g gistdeal.DecidedGist) gistdeal.User { return gistdeal.User{Login: g.Login, Tags: g.Tags} }

// rate sets the deals and requests of a day. Their shares are those of the gists that were
// noticed while their user was tracked, if there are any.
func (r *RuleSets) rate(ctx context.Context, p *RulePreview, tracked Tally) error {
	noticed, err := r.db.NoticedSince(ctx, time.Now().AddDate(0, 0, -rateDays))
	if err != nil || p.Gists == 0 {
		return err
	}
	of := p.Tally
	if tracked.Gists > 0 {
		of = tracked
	}
	perDay := func(some int) float64 {
		return math.Round(10*float64(some)/float64(of.Gists)*float64(noticed)/rateDays) / 10
	}
	p.DealsPerDay, p.AskedPerDay = perDay(of.Create), perDay(of.Asked)
	p.Tokens = p.DealsPerDay * pipedrive.DealTokens
	return nil
}
