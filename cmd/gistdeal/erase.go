package main

import (
	"context"
	"fmt"
	"time"

	"gistdeal/internal/admin"
	"gistdeal/internal/config"
	"gistdeal/internal/format"
	"gistdeal/internal/store"
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
	if !c.Yes && interactive() {
		answer, err := question(fmt.Sprintf("Forget %s for good? Its deals in Pipedrive stay. [yes/NO] ", plain(c.Login)))
		if err != nil {
			return err
		}
		if answer != "yes" {
			return errCancelled
		}
	}
	return withStore(ctx, config.Config.OpenDatabase, func(db *store.Store) error {
		a := admin.New(db)
		waiting, cancel := context.WithTimeout(ctx, eraseWait)
		defer cancel()
		e, err := a.Erase(waiting, c.Login)
		if err != nil {
			return err
		}
		return c.print(e, func(t *table) {
			t.row("DEAL THAT PIPEDRIVE STILL HAS", "")
			for _, one := range e.Deals {
				t.row(format.Number(int(one.ID)), one.URL)
			}
		})
	})
}
