package main

import (
	"context"
	"fmt"
	"time"

	"gistdeal/internal/desk"
	"gistdeal/internal/operate"
)

// eraseWait is how long a deal that is being sent is waited for.
const eraseWait = time.Minute

type usersEraseCmd struct {
	printing
	Login string `arg:"" help:"A login, or an address at github.com."`
	Yes   bool   `help:"Don't ask."`
}

// Run forgets a person and prints what is left.
func (c *usersEraseCmd) Run(ctx context.Context) error {
	if !c.Yes && mayAsk() {
		answer, err := question(fmt.Sprintf("Forget %s for good? Its deals in Pipedrive stay. [yes/NO] ", plain(c.Login)))
		if err != nil {
			return err
		}
		if answer != "yes" {
			return errCancelled
		}
	}
	return atDesk(ctx, operate.OpenDesk, func(d *desk.Desk) error {
		waiting, cancel := context.WithTimeout(ctx, eraseWait)
		defer cancel()
		e, err := d.Erase(waiting, c.Login)
		if err != nil {
			return err
		}
		return c.print(e, func(t *table) {
			t.row("DEAL THAT PIPEDRIVE STILL HAS", "")
			for _, one := range e.Deals {
				t.row(desk.Number(int(one.ID)), one.URL)
			}
		})
	})
}
