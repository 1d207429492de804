package main

import (
	"context"
	"fmt"
	"time"

	"gistdeal"
	"gistdeal/internal/admin"
	"gistdeal/internal/format"
)

// eraseWait is how long the command waits for a deal that is being sent.
const eraseWait = time.Minute

type usersEraseCmd struct {
	printing
	confirming
	Login string `arg:"" help:"A login, an address at github.com, or a number such as id:583231 if the login is another's by now."`
}

// Run erases a person and prints the deals that remain in Pipedrive.
func (c *usersEraseCmd) Run(ctx context.Context, at serverFlags) error {
	return c.withGistdeal(ctx, at, writes, func(g backend) error {
		u, err := g.KnownUser(ctx, c.Login)
		if err != nil {
			return err
		}
		if ok, err := c.agreed(c.printing, erasing(u)); err != nil || !ok {
			return err
		}
		waiting, cancel := context.WithTimeout(ctx, eraseWait)
		defer cancel()
		e, err := g.Erase(waiting, c.Login)
		if err != nil {
			return err
		}
		if e.Warning != "" {
			notice(e.Warning)
		}
		for _, rule := range e.Rules {
			notice(fmt.Sprintf("The rule %q still has the login in a condition: change it.", rule))
		}
		return c.print(e, func(t *table) {
			t.row("REMAINING DEAL IN PIPEDRIVE", "")
			for _, one := range e.Deals {
				t.row(format.Number(int(one.ID)), one.URL)
			}
		})
	})
}

// erasing is the effect of erasing a person.
func erasing(u admin.CountedUser) effect {
	gists := 0
	for _, n := range u.Deals {
		gists += n
	}
	return effect{Gists: gists, Change: fmt.Sprintf("erase %s and %s gists for good; the %s deals created for them stay in Pipedrive, and no other is created",
		u.Login, format.Number(gists), format.Number(u.Deals[gistdeal.DealCreated]))}
}
