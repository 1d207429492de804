package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"gistdeal/internal/config"
	"gistdeal/internal/doctor"
)

type healthcheckCmd struct {
	Addr string `help:"Address of the server; by default the one in GISTDEAL_ADDR." placeholder:"HOST:PORT"`
}

// Run asks /readyz.
func (c *healthcheckCmd) Run(ctx context.Context) error {
	addr := c.Addr
	if addr == "" {
		addr = config.Environ()["GISTDEAL_ADDR"]
	}
	if addr == "" {
		addr = config.DefaultAddr
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	status, err := doctor.Ready(ctx, addr)
	if err != nil {
		return err
	}
	if status != "ready" {
		return fmt.Errorf("not ready: %s", status)
	}
	_, err = fmt.Fprintln(os.Stdout, status)
	return err
}
