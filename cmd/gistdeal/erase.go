package main

import (
	"context"
	"fmt"
	"time"

	"gistdeal/internal/admin"
	"gistdeal/internal/format"
	"gistdeal/internal/store"
)

// eraseWait is how long the command waits for a deal that is being sent.
const eraseWait = time.Minute

type usersEraseCmd struct {
	printing
	Login string `arg:"" help:"A login, an address at github.com, or a number such as id:583231 if the login is another's by now."`
	Yes   bool   `help:"Don't ask."`
}

// Run erases a person and prints the deals that remain in Pipedrive.
func (c *usersEraseCmd) Run(ctx context.Context) error {
	if !c.Yes && interactive() {
		answer, err := question(fmt.Sprintf("Erase %s for good? The deals in Pipedrive stay. [yes/NO] ", format.Escape(c.Login)))
		if err != nil {
			return err
		}
		if answer != "yes" {
			return errCancelled
		}
	}
	return c.withStore(ctx, writes, func(db *store.Store) error {
		a := admin.New(db)
		waiting, cancel := context.WithTimeout(ctx, eraseWait)
		defer cancel()
		e, err := a.Erase(waiting, c.Login)
		if err != nil {
			return err
		}
		return c.print(e, func(t *table) {
			t.row("REMAINING DEAL IN PIPEDRIVE", "")
			for _, one := range e.Deals {
				t.row(format.Number(int(one.ID)), one.URL)
			}
		})
	})
}
