package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"gistdeal/internal/app"
)

type healthcheckCmd struct {
	Addr string `help:"Address of the server; by default the one in GISTDEAL_ADDR." placeholder:"HOST:PORT"`
}

// Run asks /readyz.
func (c *healthcheckCmd) Run(ctx context.Context) error {
	addr := c.Addr
	if addr == "" {
		addr = app.Environ()["GISTDEAL_ADDR"]
	}
	if addr == "" {
		addr = app.DefaultAddr
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("%w: address %q: %w", errConfig, addr, err)
	}
	if ip := net.ParseIP(host); host == "" || (ip != nil && ip.IsUnspecified()) {
		host = "localhost" // The server listens on all addresses of this machine.
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/readyz", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("not ready: %s", resp.Status)
	}
	_, err = fmt.Fprintln(os.Stdout, "ready")
	return err
}
