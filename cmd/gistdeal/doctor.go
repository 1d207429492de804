package main

import (
	"context"
	"errors"
	"time"

	"gistdeal/internal/app"
	"gistdeal/internal/operate"
)

type doctorCmd struct {
	printing
	Timeout time.Duration `help:"How long each remote, and the look at the database, may take." default:"10s"`
	MinFree int64         `help:"Megabytes that must be free on the database's disk." default:"500" placeholder:"MB"`
}

var errUnhealthy = errors.New("a check failed")

// Run examines, and prints one line for each check.
func (c *doctorCmd) Run(ctx context.Context) error {
	health := operate.Doctor(ctx, app.Environ(), operate.Examination{Timeout: c.Timeout, MinFree: c.MinFree * 1e6})
	err := c.print(health, func(t *table) {
		for _, check := range health.Checks {
			t.row(string(check.State), check.Name, check.Message)
		}
	})
	if err == nil && !health.OK {
		err = errUnhealthy
	}
	return err
}
