// Package plan works out what tracking users would come to, without writing
// anything anywhere.
package plan

import (
	"context"
	"math"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"gistdeal"
	"gistdeal/internal/pipedrive"
	"gistdeal/internal/store"
)

// GitHub looks users up.
type GitHub interface {
	User(ctx context.Context, login string) (gistdeal.Account, error)
}

// User is what tracking one login would come to.
type User struct {
	Asked string `json:"asked"` // as it was given
	Login string `json:"login,omitempty"`
	// State is "new", or how the database has the user: "active", "paused",
	// "gone" or "removed"; "" beside a Problem.
	State string `json:"state,omitempty"`
	Gists int    `json:"public_gists"`
	// Deals that the gists have here, by what they are to the plan.
	Made    int `json:"deals_made"`
	Waiting int `json:"deals_waiting"` // found or sending, or held for a person's yes
	Skipped int `json:"deals_skipped"` // or failed: only a person changes that
	// PushAll and PushNew are the deals that would be made besides, by first-scan policy.
	PushAll int    `json:"push_all"`
	PushNew int    `json:"push_new"`
	Problem string `json:"problem,omitempty"` // why it cannot be planned
}

// Plan is what tracking some users would come to, in requests, tokens and time.
type Plan struct {
	FirstScan gistdeal.FirstScan `json:"first_scan" enum:"all,new"` // that the sums are of
	Users     []User             `json:"users"`
	Deals     int                `json:"deals"`
	// What tracking takes, not what planning took.
	GitHubRequests    int     `json:"github_requests"`
	PipedriveRequests int     `json:"pipedrive_requests"`
	PipedriveTokens   int     `json:"pipedrive_tokens"`
	Seconds           float64 `json:"seconds"` // at the allowed rate, if nothing else stands in the way
	// The day's budget of the company, null where Pipedrive did not tell it.
	DayTokens     *int `json:"day_tokens"`
	DayTokensLeft *int `json:"day_tokens_left"`
	DayTokensKept *int `json:"day_tokens_kept"` // left to people
	Days          *int `json:"days"`            // that the budget makes it last, if nobody else uses it; 0 with deals: for ever
}

const (
	planners = 4                // logins that are looked up at a time
	timeout  = 30 * time.Second // of one request
)

// Pace is how fast deals can be made.
type Pace struct {
	PerSecond float64
	Budgets   []gistdeal.Budget // of Pipedrive, as far as they are known
}

// Make returns what tracking the logins would come to. It asks GitHub once for
// each login. db may be nil if there is none yet; pace is asked for at the end.
func Make(ctx context.Context, hub GitHub, db *store.Store, logins []string, policy gistdeal.FirstScan, pace func(context.Context) (Pace, error)) (Plan, error) {
	p := planner{hub: hub, db: db}
	plan := Plan{FirstScan: policy, Users: make([]User, len(logins))}
	var g errgroup.Group
	g.SetLimit(planners)
	for i, asked := range logins {
		g.Go(func() (err error) {
			plan.Users[i], err = p.user(ctx, asked)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return Plan{}, err
	}
	plan.mergeTwins()
	plan.add()
	speed, err := pace(ctx)
	if err == nil {
		plan.budget(speed)
	}
	return plan, err
}

// planner looks users up.
type planner struct {
	hub GitHub
	db  *store.Store // nil if there is none
	// limited is GitHub's word that asking on is no use.
	limited atomic.Pointer[error]
}

// user plans one login. Only our own faults are errors.
func (p *planner) user(ctx context.Context, asked string) (User, error) {
	u := User{Asked: asked}
	login, err := gistdeal.LoginFrom(asked)
	if err != nil {
		u.Problem = err.Error()
		return u, nil
	}
	own, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if limit := p.limited.Load(); limit != nil {
		u.Problem = "not asked for: " + (*limit).Error()
		return u, nil
	}
	account, err := p.hub.User(own, login)
	if err == nil {
		err = account.CheckGists()
	}
	if gistdeal.KindOf(err) == gistdeal.Limited {
		p.limited.Store(&err)
	}
	switch {
	case ctx.Err() != nil:
		return u, ctx.Err()
	case gistdeal.KindOf(err) == gistdeal.NotFound:
		u.Problem = "GitHub knows no such user"
		return u, nil
	case err != nil:
		u.Problem = err.Error()
		return u, nil
	}
	u.Login, u.State, u.Gists = account.Login, "new", account.PublicGists
	if p.db == nil {
		u.PushAll = u.Gists
		return u, nil
	}
	return u, p.compare(ctx, &u, account.ID)
}

// compare holds what GitHub counts against what the database has.
func (p *planner) compare(ctx context.Context, u *User, id int64) error {
	deals, err := p.db.DealsOf(ctx, id)
	if err != nil {
		return err
	}
	u.Made = deals[gistdeal.DealMade]
	u.Waiting = deals[gistdeal.DealHeld] + deals[gistdeal.DealFound] + deals[gistdeal.DealSending]
	u.Skipped = deals[gistdeal.DealSkipped] + deals[gistdeal.DealFailed]
	u.PushAll = max(0, u.Gists-u.Made-u.Waiting-u.Skipped)
	known, err := p.db.User(ctx, id)
	switch {
	case err == nil && known.LastScanAt.IsZero() && known.FirstScan == gistdeal.FirstScanNew:
		u.State, u.PushAll = string(known.State), 0 // A user keeps its policy.
	case err == nil:
		// What no scan has seen yet is younger than the tracking.
		u.State, u.PushNew = string(known.State), u.PushAll
	case gistdeal.KindOf(err) != gistdeal.NotFound:
		return err
	case len(deals) > 0:
		u.State = string(gistdeal.UserRemoved)
	}
	return nil
}

// mergeTwins turns each user but the first of the same login into a problem.
func (p *Plan) mergeTwins() {
	seen := map[string]bool{}
	for i, u := range p.Users {
		key := gistdeal.LoginKey(u.Login)
		if u.Problem == "" && seen[key] {
			p.Users[i] = User{Asked: u.Asked, Login: u.Login, Problem: "asked for twice"}
		}
		seen[key] = true
	}
}

// add adds up what the users come to.
func (p *Plan) add() {
	for _, u := range p.Users {
		if u.Problem != "" {
			continue
		}
		if p.FirstScan == gistdeal.FirstScanAll {
			p.Deals += u.PushAll
		} else {
			p.Deals += u.PushNew
		}
		p.GitHubRequests += max(1, (u.Gists+99)/100) // pages of 100 gists
		if u.State == "new" {
			p.GitHubRequests++ // the look-up
		}
	}
	p.PipedriveRequests = p.Deals
	p.PipedriveTokens = p.Deals * pipedrive.DealTokens
}

// budget adds how long it takes at the allowed rate and with the day's budget.
// What Pipedrive did not tell stays open: a plan is worth having without it too.
func (p *Plan) budget(pace Pace) {
	p.Seconds = math.Ceil(float64(p.Deals) / pace.PerSecond)
	for _, b := range pace.Budgets {
		if b.Name == pipedrive.BudgetDay && b.Limit > 0 {
			p.DayTokens, p.DayTokensLeft, p.DayTokensKept = &b.Limit, &b.Remaining, &b.Kept
			days := days(p.Deals, pace.Budgets)
			p.Days = &days
		}
	}
}

// days returns on how many days so many deals are made: today with what is left
// of each budget, from tomorrow on with the whole of it, each time but for what
// is kept for people. 0 means never.
func days(deals int, budgets []gistdeal.Budget) int {
	today, later := deals, deals
	for _, b := range budgets {
		if b.Limit == 0 {
			continue
		}
		cost := 1
		if b.Name == pipedrive.BudgetDay {
			cost = pipedrive.DealTokens
		}
		today, later = min(today, max(0, b.Remaining-b.Kept)/cost), min(later, max(0, b.Limit-b.Kept)/cost)
	}
	switch {
	case deals <= today:
		return min(1, deals)
	case later == 0:
		return 0
	}
	return min(1, today) + (deals-today+later-1)/later
}
