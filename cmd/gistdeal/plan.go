package main

import (
	"context"
	"fmt"
	"time"

	"gistdeal/internal/desk"
	"gistdeal/internal/operate"
	"gistdeal/internal/plan"
)

type planCmd struct {
	loginArgs
	printing
	FirstScan string `help:"Policy that the sums are of: a deal for each gist that a user has (all), or only for those to come (new); by default GISTDEAL_FIRST_SCAN." enum:"all,new," default:"" placeholder:"all|new"`
}

// Run prints a line for each user, then the sums.
func (c *planCmd) Run(ctx context.Context) error {
	config, err := withoutKey()
	if err != nil {
		return err
	}
	logins, err := c.read()
	if err != nil {
		return err
	}
	made, err := operate.MakePlan(ctx, config, logins, c.FirstScan)
	if err != nil {
		return err
	}
	return c.print(made, func(t *table) { showPlan(t, made) })
}

func showPlan(t *table, p plan.Plan) {
	t.row("USER", "HERE", "GISTS", "MADE", "WAITING", "SKIPPED", "PUSH (ALL)", "PUSH (NEW)")
	for _, u := range p.Users {
		if u.Problem != "" {
			continue
		}
		cells := []string{u.Login, u.State}
		for _, n := range []int{u.Gists, u.Made, u.Waiting, u.Skipped, u.PushAll, u.PushNew} {
			cells = append(cells, desk.Number(n))
		}
		t.row(cells...)
	}
	t.end()
	for _, u := range p.Users {
		if u.Problem != "" {
			t.row(u.Asked, u.Problem)
		}
	}
	t.end()
	t.row()
	t.row(fmt.Sprintf("With first scan %q:", p.FirstScan), desk.Number(p.Deals)+" deals")
	t.row("GitHub", desk.Number(p.GitHubRequests)+" requests")
	t.row("Pipedrive", fmt.Sprintf("%s requests, %s tokens", desk.Number(p.PipedriveRequests), desk.Number(p.PipedriveTokens)))
	t.row("Time", desk.Duration(time.Duration(p.Seconds*float64(time.Second)))+" at the allowed rate")
	t.row("Days", daysOf(p))
}

// daysOf says how long the day's budget makes it last.
func daysOf(p plan.Plan) string {
	if p.Days == nil {
		return "not known: Pipedrive did not tell the day's budget"
	}
	days := desk.Number(*p.Days)
	if *p.Days == 0 && p.Deals > 0 {
		days = "never"
	}
	return fmt.Sprintf("%s: of today's %s tokens %s are left, %s are kept for people",
		days, desk.Number(*p.DayTokens), desk.Number(*p.DayTokensLeft), desk.Number(*p.DayTokensKept))
}
