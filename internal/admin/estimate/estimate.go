package estimate

import (
	"context"
	"iter"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"gistdeal"
	"gistdeal/internal/admin/rulesets"
	"gistdeal/internal/pipedrive"
	"gistdeal/internal/rules"
	"gistdeal/internal/store"
)

// GitHub looks users up, and lists their gists.
type GitHub interface {
	User(ctx context.Context, login string) (gistdeal.Account, error)
	Gists(ctx context.Context, login, etag string, l *gistdeal.Listing) iter.Seq2[gistdeal.GistPage, error]
}

// Question names the users of an estimate.
type Question struct {
	Logins   []string
	Tags     map[string][]string // that users will have, by their entry in Logins
	Backfill gistdeal.Backfill
	// Gists is how many gists of each new user are read, 100 with each request, and decided
	// about by the rules. It has no effect without rules.
	Gists   int
	Results int // of the plan of rules
}

// UserEstimate is the estimate of tracking one login.
type UserEstimate struct {
	Input string `json:"input"` // as it was given
	Login string `json:"login,omitempty"`
	// State is "new", or the state of the user in the database: "active", "paused",
	// "gone" or "removed"; "" beside a Problem.
	State string `json:"state,omitempty"`
	Gists int    `json:"public_gists"`
	// The deals that the gists have already.
	Created int `json:"deals_created"`
	Waiting int `json:"deals_waiting"` // queued or being sent, or waiting for approval
	Skipped int `json:"deals_skipped"` // or failed: only an operator changes that
	// The deals that would be created in addition, by backfill policy.
	All     int    `json:"deals_all"`
	None    int    `json:"deals_none"`
	Problem string `json:"problem,omitempty"` // why there is no estimate

	id    int64
	gists []gistdeal.Gist // that were read
	asked int             // gists that GitHub is asked about alone
}

// Estimate is the cost of tracking users, in requests, tokens and time.
type Estimate struct {
	Backfill gistdeal.Backfill  `json:"backfill" doc:"The policy of the sums. A date counts like all: how many gists are older is known only after their scan."`
	Users    []UserEstimate     `json:"users"`
	Deals    int                `json:"deals"`
	Rules    *rulesets.RulePlan `json:"rules,omitempty" doc:"What the rules decide about gists of new users that the backfill covers; left out if none were asked for, or there are no rules. The sums take further gists to be alike."`
	// The cost of tracking, not of the estimate.
	GitHubRequests    int     `json:"github_requests"`
	PipedriveRequests int     `json:"pipedrive_requests"`
	PipedriveTokens   int     `json:"pipedrive_tokens"`
	Seconds           float64 `json:"seconds"` // at the allowed rate
	// The daily quota of the company; left out if Pipedrive did not tell it.
	DayTokens         *int                `json:"day_tokens,omitempty"`
	DayTokensLeft     *int                `json:"day_tokens_left,omitempty"`
	DayTokensReserved *int                `json:"day_tokens_reserved,omitempty"`
	Sweep             *gistdeal.SweepPlan `json:"sweep,omitempty" doc:"How often all users are scanned with these, and what that costs."`
	Days              *int                `json:"days,omitempty" doc:"How many days the deals take with this quota, if nothing else uses it; 0 beside deals means never."`
}

const (
	lookups = 4                // users that are looked up at the same time
	timeout = 30 * time.Second // of one request
)

// Pace is the speed at which deals can be created.
type Pace struct {
	PerSecond float64
	Quotas    []gistdeal.Quota // of Pipedrive, as far as they are known
	Sweep     gistdeal.SweepPace
}

// SweepOf completes the pace of sweeps with what the leader knows: it has measured the
// queries, unless there has been no leader.
func SweepOf(p gistdeal.SweepPace, interval time.Duration, leader *gistdeal.SweepPlan) gistdeal.SweepPace {
	p.Interval = interval
	if leader != nil {
		p.Batches = p.Batches && leader.Batches
		p.Query = time.Duration(leader.Query * float64(time.Second))
	}
	return p
}

// Make estimates the cost of tracking users. It asks GitHub once for each login, and for the
// gists that rules decide about, and pace at the end.
func Make(ctx context.Context, hub GitHub, db *store.Store, q Question, pace func(context.Context) (Pace, error)) (Estimate, error) {
	m := maker{hub: hub, db: db}
	all, err := rules.NewCurrent(db).Rules(ctx)
	if err != nil {
		return Estimate{}, err
	}
	if all != nil && q.Backfill != gistdeal.BackfillNone {
		m.gists = q.Gists
	}
	e := Estimate{Backfill: q.Backfill, Users: make([]UserEstimate, len(q.Logins))}
	var g errgroup.Group
	g.SetLimit(lookups)
	for i, input := range q.Logins {
		g.Go(func() (err error) {
			e.Users[i], err = m.user(ctx, input)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return Estimate{}, err
	}
	e.mergeTwins()
	if m.gists > 0 {
		if err := e.decide(all, q, time.Now()); err != nil {
			return Estimate{}, err
		}
	}
	e.add()
	speed, err := pace(ctx)
	if err == nil {
		e.time(speed)
		err = e.sweep(ctx, db, speed.Sweep)
	}
	return e, err
}

// sweep plans the sweeps of the users in the database and the new ones.
func (e *Estimate) sweep(ctx context.Context, db *store.Store, pace gistdeal.SweepPace) error {
	if pace.Interval == 0 {
		return nil
	}
	size, err := db.SweepSize(ctx)
	for _, u := range e.Users {
		if u.Problem == "" && (u.State == "new" || u.State == string(gistdeal.UserRemoved)) {
			size.Users, size.Requested = size.Users+1, size.Requested+1
		}
	}
	plan := pace.Plan(size, time.Now())
	e.Sweep = &plan
	return err
}

// maker looks users up.
type maker struct {
	hub   GitHub
	db    *store.Store
	gists int // of each new user, to be read
	// limited is set once GitHub limits requests: further ones would fail too.
	limited atomic.Pointer[error]
}

// user estimates one login. Its errors are internal: problems of GitHub or of
// the login are part of the estimate.
func (m *maker) user(ctx context.Context, input string) (UserEstimate, error) {
	u := UserEstimate{Input: input}
	login, err := gistdeal.LoginFrom(input)
	if err != nil {
		u.Problem = err.Error()
		return u, nil
	}
	if limit := m.limited.Load(); limit != nil {
		u.Problem = "not looked up: " + (*limit).Error()
		return u, nil
	}
	account, err := m.lookUp(ctx, login)
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
	u.id, u.Login, u.State, u.Gists = account.ID, account.Login, "new", account.PublicGists
	if err := m.compare(ctx, &u, account.ID); err != nil || u.State != "new" || m.gists == 0 {
		return u, err
	}
	return u, m.read(ctx, &u)
}

func (m *maker) lookUp(ctx context.Context, login string) (gistdeal.Account, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	account, err := m.hub.User(ctx, login)
	if err == nil {
		err = account.CheckGists()
	}
	if gistdeal.KindOf(err) == gistdeal.Limited {
		m.limited.Store(&err)
	}
	return account, err
}

// compare subtracts the deals in the database from the gists at GitHub.
func (m *maker) compare(ctx context.Context, u *UserEstimate, id int64) error {
	deals, err := m.db.DealsOf(ctx, id)
	if err != nil {
		return err
	}
	u.Created = deals[gistdeal.DealCreated]
	u.Waiting = deals[gistdeal.DealAwaitingApproval] + deals[gistdeal.DealQueued] + deals[gistdeal.DealSending]
	u.Skipped = deals[gistdeal.DealSkipped] + deals[gistdeal.DealFailed]
	u.All = max(0, u.Gists-u.Created-u.Waiting-u.Skipped)
	known, err := m.db.User(ctx, id)
	switch {
	case err == nil && known.LastScanAt.IsZero() && known.Backfill == gistdeal.BackfillNone:
		u.State, u.All = string(known.State), 0 // A tracked user keeps its policy.
	case err == nil:
		// Gists that no scan has seen yet are younger than the tracking.
		u.State, u.None = string(known.State), u.All
	case gistdeal.KindOf(err) != gistdeal.NotFound:
		return err
	case len(deals) > 0:
		u.State = string(gistdeal.UserRemoved)
	}
	return nil
}

// mergeTwins turns each user but the first of the same login into a problem.
func (e *Estimate) mergeTwins() {
	seen := map[string]bool{}
	for i, u := range e.Users {
		key := gistdeal.LoginKey(u.Login)
		if u.Problem == "" && seen[key] {
			e.Users[i] = UserEstimate{Input: u.Input, Login: u.Login, Problem: "named twice"}
		}
		seen[key] = true
	}
}

// add adds up the users.
func (e *Estimate) add() {
	for _, u := range e.Users {
		if u.Problem != "" {
			continue
		}
		if e.Backfill == gistdeal.BackfillNone {
			e.Deals += u.None
		} else {
			e.Deals += u.All
		}
		e.GitHubRequests += max(1, (u.Gists+99)/100) + u.asked // pages of 100 gists
		if u.State == "new" {
			e.GitHubRequests++ // looks the user up
		}
	}
	e.PipedriveRequests = e.Deals
	e.PipedriveTokens = e.Deals * pipedrive.DealTokens
}

// time adds the time at the allowed rate and with the daily quota.
func (e *Estimate) time(pace Pace) {
	cost := CostOf(e.Deals, pace)
	e.Seconds, e.Days = cost.Seconds, cost.Days
	if q, ok := pace.day(); ok {
		e.DayTokens, e.DayTokensLeft, e.DayTokensReserved = &q.Limit, &q.Remaining, &q.Reserved
	}
}

// days returns the number of days that so many deals take: today with the rest
// of each quota, from tomorrow on with all of it, always without the reserved
// share. 0 means never.
func days(deals int, quotas []gistdeal.Quota) int {
	today, later := deals, deals
	for _, q := range quotas {
		if q.Limit == 0 {
			continue
		}
		cost := 1
		if q.Name == pipedrive.QuotaDay {
			cost = pipedrive.DealTokens
		}
		today, later = min(today, max(0, q.Remaining-q.Reserved)/cost), min(later, max(0, q.Limit-q.Reserved)/cost)
	}
	switch {
	case deals <= today:
		return min(1, deals)
	case later == 0:
		return 0
	}
	return min(1, today) + (deals-today+later-1)/later
}
