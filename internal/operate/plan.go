package operate

import (
	"cmp"
	"context"
	"errors"
	"time"

	"gistdeal"
	"gistdeal/internal/app"
	"gistdeal/internal/github"
	"gistdeal/internal/pipedrive"
	"gistdeal/internal/plan"
	"gistdeal/internal/store"
)

// planTimeout is how long Pipedrive has to say what is left of the day.
const planTimeout = 30 * time.Second

// MakePlan returns what tracking the logins would come to. It asks GitHub once for
// each login and Pipedrive once, and writes nothing anywhere. The sums are of
// the policy, or of the configuration's if that is "".
func MakePlan(ctx context.Context, c app.Config, logins []string, policy string) (plan.Plan, error) {
	hub, err := github.New(c.GitHubURL, github.Options{Token: string(c.GitHubToken)})
	if err != nil {
		return plan.Plan{}, err
	}
	db, err := openIfThere(ctx, c)
	if err != nil {
		return plan.Plan{}, err
	}
	if db != nil {
		defer db.Close() //nolint:errcheck // Nothing was written.
	}
	return plan.Make(ctx, hub, db, logins, cmp.Or(gistdeal.FirstScan(policy), c.FirstScan), func(ctx context.Context) (plan.Pace, error) { return pace(ctx, c) })
}

// pace asks Pipedrive what is left of the day, if there is a key for that.
func pace(ctx context.Context, c app.Config) (plan.Pace, error) {
	client, err := pipedrive.New(c.PipedriveURL, pipedrive.Options{
		Token: string(c.PipedriveKey), Rate: c.PipedriveRate, DayReserve: c.DayReserve,
	})
	if err != nil {
		return plan.Pace{}, err
	}
	if c.PipedriveKey != "" {
		own, cancel := context.WithTimeout(ctx, planTimeout)
		defer cancel()
		if _, err := client.Me(own); err != nil && ctx.Err() != nil {
			return plan.Pace{}, ctx.Err()
		}
	}
	return plan.Pace{PerSecond: client.Pace(), Budgets: client.Budgets()}, nil
}

// openIfThere opens the database for reading, nil if there is none yet.
func openIfThere(ctx context.Context, c app.Config) (*store.Store, error) {
	db, err := c.ReadDatabase(ctx)
	if gistdeal.KindOf(err) == gistdeal.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	schema, err := db.Schema(ctx)
	if err == nil && schema.Version == 0 {
		return nil, db.Close() // It is empty.
	}
	if err == nil && !schema.Current() {
		err = errors.New("the database is of another version of gistdeal: start this one once, or use that one")
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}
