package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gistdeal"
	"gistdeal/internal/admin/activity"
	"gistdeal/internal/admin/estimate"
	"gistdeal/internal/config"
	"gistdeal/internal/format"
	"gistdeal/internal/github"
	"gistdeal/internal/pipedrive"
	"gistdeal/internal/store"
)

type planCmd struct {
	loginArgs
	printing
	Backfill backfill `help:"Backfill policy of the estimate; the default is the setting backfill." placeholder:"all|none|DATE"`
	Gists    int      `help:"The number of gists of each new user that the rules decide about, at most 500; each 100 take one request to GitHub. 0 for none." default:"100"`
	Results  int      `help:"The number of gists to list with their decisions." default:"10"`
}

// Run prints a line for each user, then the sums.
func (c *planCmd) Run(ctx context.Context, at serverFlags) error {
	logins, tags, err := c.readTagged()
	if err != nil {
		return err
	}
	e, err := c.estimate(ctx, at, logins, tags)
	if err != nil {
		return err
	}
	return c.print(e, func(t *table) { showEstimate(t, e) })
}

// estimate asks the server, or GitHub for the users and Pipedrive for its quotas.
func (c *planCmd) estimate(ctx context.Context, at serverFlags, logins []string, tags map[string][]string) (e estimate.Estimate, err error) {
	server, err := at.remote()
	if err != nil {
		return e, err
	}
	if server != nil {
		c.announceServer(server)
		return server.Estimate(ctx, c.question(logins, tags, gistdeal.Backfill(c.Backfill)))
	}
	conf, err := withoutKey()
	if err != nil {
		return e, err
	}
	hub, err := github.New(conf.GitHubURL, github.Options{Token: string(conf.GitHubToken), UserAgent: config.UserAgent(conf.Version)})
	if err != nil {
		return e, err
	}
	db, err := c.database(ctx, conf)
	if err != nil {
		return e, err
	}
	policy, err := c.Backfill.orConfigured(ctx, conf, db)
	if err != nil {
		return e, errors.Join(err, db.Close())
	}
	e, err = estimate.Make(ctx, hub, db, c.question(logins, tags, policy), func(ctx context.Context) (estimate.Pace, error) {
		pace, err := estimate.PaceOf(ctx, conf.PipedriveURL, pipedrive.Options{
			Token: string(conf.PipedriveKey), Rate: conf.PipedriveRate, QuotaReserve: conf.QuotaReserve, UserAgent: config.UserAgent(conf.Version),
		})
		if err != nil {
			return pace, err
		}
		leader, err := activity.New(db).Quotas(ctx)
		pace.Sweep = estimate.SweepOf(hub.Pace(), conf.ScanInterval, leader.Sweep)
		return pace, err
	})
	return e, errors.Join(err, db.Close())
}

// question returns the question of the command. Many users share the gists of an estimate.
func (c *planCmd) question(logins []string, tags map[string][]string, policy gistdeal.Backfill) estimate.Question {
	const most = 2_000
	return estimate.Question{Logins: logins, Tags: tags, Backfill: policy, Gists: max(min(c.Gists, 500, most/max(len(logins), 1)), 0), Results: max(min(c.Results, 500), 0)}
}

// database opens the database to compare with, an empty one if there is none yet.
func (c *planCmd) database(ctx context.Context, conf config.Config) (*store.Store, error) {
	db, err := conf.ReadDatabase(ctx)
	if gistdeal.KindOf(err) == gistdeal.NotFound {
		if !c.JSON {
			notice("no database at " + conf.Database.Place() + ": every user is new")
		}
		return store.OpenEmpty(ctx)
	}
	if err != nil {
		return nil, err
	}
	return db, c.announce(ctx, reads, conf.Database, db)
}

func showEstimate(t *table, e estimate.Estimate) {
	t.row("USER", "STATE", "GISTS", "CREATED", "WAITING", "SKIPPED", "NEW (ALL)", "NEW (NONE)")
	for _, u := range e.Users {
		if u.Problem != "" {
			continue
		}
		cells := []string{u.Login, u.State}
		for _, n := range []int{u.Gists, u.Created, u.Waiting, u.Skipped, u.All, u.None} {
			cells = append(cells, format.Number(n))
		}
		t.row(cells...)
	}
	t.end()
	for _, u := range e.Users {
		if u.Problem != "" {
			t.row(u.Input, u.Problem)
		}
	}
	t.end()
	if p := e.Rules; p != nil && p.Gists > 0 {
		t.row()
		showDecisions(t, p.Results)
		t.row(fmt.Sprintf("By the rules, %s%s.", counted(p.Tally), asking(p.Asked)))
		following(t, p.Tally)
	}
	t.row()
	t.row(fmt.Sprintf("With backfill %q:", e.Backfill), format.Number(e.Deals)+" deals")
	t.row("GitHub", format.Number(e.GitHubRequests)+" requests")
	t.row("Pipedrive", fmt.Sprintf("%s requests, %s tokens", format.Number(e.PipedriveRequests), format.Number(e.PipedriveTokens)))
	t.row("Time", format.Duration(time.Duration(e.Seconds*float64(time.Second)))+" at the allowed rate")
	t.row("Days", daysOf(e))
	if e.Sweep != nil {
		t.row("Sweeps", sweepText(*e.Sweep))
	}
}

// sweepText describes a plan of sweeps.
func sweepText(p gistdeal.SweepPlan) string {
	seconds := func(s float64) string { return format.Duration(time.Duration(s * float64(time.Second))) }
	users := format.Number(p.Users) + " users"
	if p.Users == 1 {
		users = "1 user"
	}
	text := fmt.Sprintf("%s: every %s, ", users, seconds(p.Interval))
	if p.Batches {
		text += format.Number(p.Points) + " points an hour"
	} else {
		text += format.Number(p.Requests) + " requests an hour"
	}
	if !p.FirstPass.IsZero() {
		text += ", first pass done by " + clock(p.FirstPass)
	}
	if !p.Kept() {
		text += fmt.Sprintf("; GitHub's limits do not allow every %s, as configured", seconds(p.Wanted))
	}
	return text
}

// daysOf returns how many days the deals take with the daily quota.
func daysOf(e estimate.Estimate) string {
	if e.Days == nil {
		return "unknown: Pipedrive did not report the daily quota"
	}
	days := format.Number(*e.Days)
	if *e.Days == 0 && e.Deals > 0 {
		days = "never"
	}
	return fmt.Sprintf("%s: of today's %s tokens %s are left, %s are reserved",
		days, format.Number(*e.DayTokens), format.Number(*e.DayTokensLeft), format.Number(*e.DayTokensReserved))
}
