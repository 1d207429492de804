package engine

import (
	"context"
	"time"

	"gistdeal"
	"gistdeal/internal/loop"
)

// planEvery is how often the sweeps are planned again.
const planEvery = time.Minute

// planSweeps plans the sweeps every minute, until ctx ends, and logs the first plan and each
// change of whether the interval is kept.
func (e *Engine) planSweeps(ctx context.Context) error {
	var last gistdeal.SweepPlan
	for {
		plan, err := e.planSweep(ctx)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			e.log.Warn("sweeps not planned", "error", err)
		case last.Interval == 0 || plan.Kept() != last.Kept() || plan.Batches != last.Batches:
			e.logPlan(plan)
		}
		if err == nil {
			last = plan
			e.plan.Store(&plan)
		}
		if !loop.Sleep(ctx, planEvery) {
			return nil
		}
	}
}

// planSweep returns the plan as of now.
func (e *Engine) planSweep(ctx context.Context) (gistdeal.SweepPlan, error) {
	size, err := e.store.SweepSize(ctx)
	pace := e.github.Pace()
	pace.Interval = e.options.ScanInterval
	if pace.Interval == 0 {
		pace.Interval = scanInterval
	}
	pace.Batches = pace.Batches && !e.prober.Refused()
	return pace.Plan(size, e.options.Now()), err
}

func (e *Engine) logPlan(p gistdeal.SweepPlan) {
	every := time.Duration(p.Interval) * time.Second
	first := "done"
	if !p.FirstPass.IsZero() {
		first = "by " + p.FirstPass.Format(time.RFC3339)
	}
	if !p.Kept() {
		e.log.Warn("scan interval too short", "meaning", "GitHub's limits do not allow to scan all users as often as configured", "interval", e.options.ScanInterval.String(),
			"users", p.Users, "every", every.String(), "batches", p.Batches, "points_an_hour", p.Points, "requests_an_hour", p.Requests, "first_pass", first)
		return
	}
	e.log.Info("sweeps planned", "users", p.Users, "every", every.String(), "batches", p.Batches, "points_an_hour", p.Points, "requests_an_hour", p.Requests, "first_pass", first)
}
