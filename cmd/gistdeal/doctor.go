package main

import (
	"context"
	"errors"
	"time"

	"gistdeal/internal/config"
	"gistdeal/internal/doctor"
)

type doctorCmd struct {
	printing
	Timeout time.Duration `help:"How long the checks of each remote, and of the database, may take." default:"10s"`
	MinFree int64         `help:"Megabytes that must be free on the database's disk." default:"500" placeholder:"MB"`
}

var errUnhealthy = errors.New("a check failed")

// Run examines, and prints one line for each check.
func (c *doctorCmd) Run(ctx context.Context) error {
	conf, mistakes := config.Parse(config.Environ())
	conf.Version = version
	health := doctor.Examine(ctx, conf, mistakes, doctor.Options{Timeout: c.Timeout, MinFree: c.MinFree * 1e6})
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
