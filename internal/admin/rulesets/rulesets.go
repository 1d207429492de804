package rulesets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"gistdeal"
	"gistdeal/internal/pipedrive"
	"gistdeal/internal/rules"
	"gistdeal/internal/store"
)

// RuleSets are the rules of a database. They preview and count changes one at a time, so that
// callers together keep at most one processor busy; the others wait.
type RuleSets struct {
	db      *store.Store
	current *rules.Current
	turn    chan struct{}
}

// New returns the rules of the database.
func New(db *store.Store) *RuleSets {
	return &RuleSets{db, rules.NewCurrent(db), make(chan struct{}, 1)}
}

// enter waits until nothing else is previewed or counted. The caller calls leave after use.
func (r *RuleSets) enter(ctx context.Context) error {
	select {
	case r.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (r *RuleSets) leave() { <-r.turn }

// Get returns the rules; an empty set with version 0 if none were ever saved.
func (r *RuleSets) Get(ctx context.Context) (rules.Stored, error) { return rules.Read(ctx, r.db) }

// Save replaces the rules of the version expected, and returns the new ones. The error is a
// Conflict if there is another version, and Invalid if the set has mistakes or names what
// Pipedrive does not have. Deals that are not sent keep their decision until ApplyAgain.
func (r *RuleSets) Save(ctx context.Context, set rules.Set, expected int64) (saved rules.Stored, err error) {
	catalog, err := rules.ReadCatalog(ctx, r.db)
	if err != nil {
		return saved, err
	}
	if err := set.Check(); err != nil {
		return saved, err
	}
	if set, err = set.Resolve(catalog); err != nil {
		return saved, errors.Join(err, r.wantCatalog(ctx))
	}
	saved = rules.Stored{Version: expected + 1, Set: set}
	text, err := json.Marshal(saved)
	if err != nil {
		return saved, err
	}
	return saved, r.db.SaveRules(ctx, string(text), expected, saved.Version, fmt.Sprintf("%d rules", len(set.Rules)), time.Now())
}

// wantCatalog has the leader read the catalog again, at most once in a minute, and returns
// advice.
func (r *RuleSets) wantCatalog(ctx context.Context) error {
	text, err := r.db.Setting(ctx, gistdeal.KeyCatalogWanted)
	if err != nil {
		return err
	}
	if last, err := time.Parse(time.RFC3339, text); err != nil || time.Since(last).Abs() > wantEvery {
		if err := r.db.Set(ctx, gistdeal.KeyCatalogWanted, time.Now().UTC().Format(time.RFC3339)); err != nil {
			return err
		}
	}
	return gistdeal.Errorf(gistdeal.Invalid, "what is new in Pipedrive is read now: if this is new, try again in ten seconds")
}

// RuleCatalog is what rules can choose in Pipedrive, and what they lack there.
type RuleCatalog struct {
	gistdeal.Catalog
	Paused map[string]string `json:"paused" doc:"Why rules are paused, by their names: their deals wait for approval."`
}

// Catalog returns what rules can choose, as the leader last saw it.
func (r *RuleSets) Catalog(ctx context.Context) (c RuleCatalog, err error) {
	if c.Catalog, err = rules.ReadCatalog(ctx, r.db); err != nil {
		return c, err
	}
	c.Stages, c.Owners = append([]gistdeal.CatalogStage{}, c.Stages...), append([]gistdeal.CatalogEntry{}, c.Owners...)
	c.Labels, c.Fields = append([]gistdeal.CatalogEntry{}, c.Labels...), append([]gistdeal.CatalogField{}, c.Fields...)
	c.Paused = map[string]string{}
	all, err := r.current.Rules(ctx)
	if all != nil {
		c.Paused = all.Problems()
	}
	return c, err
}

// RulePreview is what rules decide about stored gists.
type RulePreview struct {
	Gists       int             `json:"gists" doc:"The number of gists that were looked at: the last ones of all tracked users."`
	Create      int             `json:"create" doc:"How many of them get a deal."`
	Hold        int             `json:"hold" doc:"How many wait for approval."`
	Skip        int             `json:"skip" doc:"How many get none."`
	CreateNow   int             `json:"create_now" doc:"How many of them get a deal by the present rules."`
	DealsPerDay float64         `json:"deals_per_day" doc:"The deals that the gists of a day make, by the number of new gists in the last 30 days."`
	Tokens      float64         `json:"pipedrive_tokens_per_day" doc:"What these deals cost in tokens of Pipedrive."`
	Rules       map[string]int  `json:"rules" doc:"The number of gists that each rule decides about, by its name."`
	Results     []PreviewedGist `json:"results" doc:"The first gists with their decisions, the last noticed one first."`
}

// PreviewedGist is what rules decide about one gist.
type PreviewedGist struct {
	GistID      string              `json:"gist_id"`
	Login       string              `json:"login"`
	Description string              `json:"description"`
	Rule        string              `json:"rule"`
	Action      gistdeal.RuleAction `json:"action" enum:"create,hold,skip"`
	Reason      string              `json:"reason,omitempty"`
	Failed      []rules.Failed      `json:"failed" doc:"Why each rule before this one does not match."`
	Now         gistdeal.RuleAction `json:"now" enum:"create,hold,skip" doc:"What the present rules decide."`
	State       gistdeal.DealState  `json:"state" enum:"awaiting_approval,queued,sending,created,failed,skipped" doc:"The state of the gist's deal, which a preview does not change."`
	Deal        *PreviewedDeal      `json:"deal,omitempty" doc:"The deal as it would be sent; left out if there is none."`
}

// PreviewedDeal is a deal as it would be sent.
type PreviewedDeal struct {
	Title    string         `json:"title"`
	Fields   map[string]any `json:"fields" doc:"The values of custom fields by name; of an option its number."`
	StageID  int64          `json:"stage_id,omitempty" doc:"Left out for the stage of the settings."`
	OwnerID  int64          `json:"owner_id,omitempty" doc:"Left out for the owner of the settings."`
	LabelIDs []int64        `json:"label_ids,omitempty"`
}

const (
	// rateDays is over how many days the rate of new gists is taken.
	rateDays = 30
	// wantEvery is how often a mistake in rules makes the leader read the catalog again.
	wantEvery = time.Minute
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
	fresh, freshDeals := 0, 0
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
			create := p.add(g, now, next, results)
			if g.NoticedBy != gistdeal.NoticedByFirstScan {
				fresh++
				if create {
					freshDeals++
				}
			}
		}
		if len(some) < page {
			break
		}
	}
	return p, r.rate(ctx, &p, fresh, freshDeals)
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

// add adds the decision about a gist, and reports whether its deal is created.
func (p *RulePreview) add(g gistdeal.DecidedGist, now, next *rules.Rules, results int) bool {
	facts := factsOf(g)
	before := now.Decide(facts)
	var d gistdeal.Decision
	var failed []rules.Failed
	if len(p.Results) < results {
		d, failed = next.Explain(facts)
		p.Results = append(p.Results, resultOf(g, d, failed, before))
	} else {
		d = next.Decide(facts)
	}
	p.Gists++
	p.Rules[d.Rule]++
	switch d.Action {
	case gistdeal.RuleSkip:
		p.Skip++
	case gistdeal.RuleHold:
		p.Hold++
	default:
		p.Create++
	}
	if before.Action == gistdeal.RuleCreate {
		p.CreateNow++
	}
	return d.Action == gistdeal.RuleCreate
}

func resultOf(g gistdeal.DecidedGist, d gistdeal.Decision, failed []rules.Failed, before gistdeal.Decision) PreviewedGist {
	one := PreviewedGist{GistID: g.ID, Login: g.Login, Description: g.Description, Rule: d.Rule, Action: d.Action, Reason: d.Reason, Failed: failed, Now: before.Action, State: g.State}
	if d.Action != gistdeal.RuleSkip {
		deal := DealOf(gistdeal.Draft{GistID: g.ID, Login: g.Login, Description: g.Description, Content: d.Content})
		one.Deal = &deal
	}
	return one
}

// DealOf returns the deal of a draft as it would be sent.
func DealOf(d gistdeal.Draft) (deal PreviewedDeal) {
	deal.Title, deal.Fields = pipedrive.Preview(d)
	if d.Content != nil {
		deal.StageID, deal.OwnerID, deal.LabelIDs = d.Content.StageID, d.Content.OwnerID, d.Content.LabelIDs
	}
	return deal
}

// factsOf returns the facts of a stored gist at the moment when it was noticed.
func factsOf(g gistdeal.DecidedGist) rules.Facts {
	return rules.FactsOf(gistdeal.User{Login: g.Login, Tags: g.Tags}, g.Gist, g.NoticedBy == gistdeal.NoticedByFirstScan, g.NoticedAt)
}

// rate sets the deals of a day. The share of gists with deals is that of the gists that were
// noticed while their user was tracked, if there are any.
func (r *RuleSets) rate(ctx context.Context, p *RulePreview, fresh, freshDeals int) error {
	noticed, err := r.db.NoticedSince(ctx, time.Now().AddDate(0, 0, -rateDays))
	if err != nil || p.Gists == 0 {
		return err
	}
	share := float64(p.Create) / float64(p.Gists)
	if fresh > 0 {
		share = float64(freshDeals) / float64(fresh)
	}
	p.DealsPerDay = math.Round(10*share*float64(noticed)/rateDays) / 10
	p.Tokens = p.DealsPerDay * pipedrive.DealTokens
	return nil
}

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
