package main

import (
	"context"
	"errors"

	"gistdeal"
	"gistdeal/internal/admin"
	"gistdeal/internal/format"
)

type requestsCmd struct {
	List   requestsListCmd   `cmd:"" help:"List the requests to track or scan users that are pending."`
	Cancel requestsCancelCmd `cmd:"" help:"Cancel pending requests. Users that are tracked already stay."`
}

type requestsListCmd struct{ printing }

// Run prints the pending requests.
func (c *requestsListCmd) Run(ctx context.Context, at serverFlags) error {
	return c.withGistdeal(ctx, at, reads, func(g backend) error {
		requests, err := g.AllRequests(ctx)
		if err != nil {
			return err
		}
		return c.print(struct {
			Requests []gistdeal.PendingRequest `json:"requests"`
		}{requests}, func(t *table) {
			t.row("LOGIN", "REQUESTED", "PROBLEM")
			for _, r := range requests {
				t.row(r.Login, ago(r.RequestedAt), r.Problem)
			}
		})
	})
}

type requestsCancelCmd struct {
	printing
	Logins []string `arg:"" optional:"" name:"login" help:"Logins, @logins or addresses at github.com."`
	All    bool     `help:"Cancel all pending requests."`
}

// Validate refuses a command line that names nothing, or too much.
func (c *requestsCancelCmd) Validate() error {
	if (len(c.Logins) == 0) != c.All {
		return errors.New("name logins, or use --all")
	}
	return nil
}

// Run cancels requests.
func (c *requestsCancelCmd) Run(ctx context.Context, at serverFlags) error {
	return c.withGistdeal(ctx, at, writes, func(g backend) error {
		if c.All {
			n, err := g.CancelAllRequests(ctx)
			if err != nil {
				return err
			}
			return c.print(struct {
				Canceled int64 `json:"canceled"`
			}{n}, func(t *table) { t.row("canceled", format.Number(int(n))) })
		}
		results := []admin.Result{}
		for _, login := range c.Logins {
			r, err := g.CancelRequest(ctx, login)
			if err != nil {
				return err
			}
			results = append(results, r)
		}
		if err := c.print(struct {
			Requests []admin.Result `json:"requests"`
		}{results}, func(t *table) {
			for _, r := range results {
				t.row(r.Input, spaced(r.Result), r.Reason)
			}
		}); err != nil {
			return err
		}
		return admin.Undone(results)
	})
}
