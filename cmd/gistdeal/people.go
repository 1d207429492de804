package main

import (
	"cmp"
	"context"
	"strconv"

	"gistdeal"
	"gistdeal/internal/admin"
	"gistdeal/internal/store"
)

type peopleCmd struct {
	List    peopleListCmd    `cmd:"" help:"List the people who signed in, with their open log-ins."`
	SignOut peopleSignOutCmd `cmd:"" help:"End all log-ins of a person at once."`
	Forget  peopleForgetCmd  `cmd:"" help:"Delete the name, all log-ins and all visits of a person."`
}

type peopleListCmd struct{ printing }

// Run prints the people.
func (c *peopleListCmd) Run(ctx context.Context) error {
	return c.withStore(ctx, reads, func(db *store.Store) error {
		people, err := admin.New(db).People(ctx)
		if err != nil {
			return err
		}
		return c.print(struct {
			People []gistdeal.KnownPerson `json:"people"`
		}{people}, func(t *table) {
			t.row("NAME", "SCOPE", "LOG-INS", "LAST SIGN-IN", "PROVIDER", "KEY")
			for _, p := range people {
				t.row(p.Name, cmp.Or(string(p.Scope), "-"), strconv.Itoa(p.LogIns), ago(p.SignedInAt), p.Issuer, p.Subject)
			}
		})
	})
}

// personArg names a person.
type personArg struct {
	Name string `arg:"" help:"The person's name in the list."`
}

type peopleSignOutCmd struct {
	printing
	personArg
}

// Run ends the log-ins of a person.
func (c *peopleSignOutCmd) Run(ctx context.Context) error {
	return c.change(ctx, (*admin.Admin).SignOut, c.Name)
}

type peopleForgetCmd struct {
	printing
	personArg
}

// Run forgets a person.
func (c *peopleForgetCmd) Run(ctx context.Context) error {
	return c.change(ctx, (*admin.Admin).ForgetPerson, c.Name)
}

// change does something with one name, and prints the result.
func (p printing) change(ctx context.Context, do func(*admin.Admin, context.Context, string) (admin.Result, error), name string) error {
	return p.withStore(ctx, writes, func(db *store.Store) error {
		r, err := do(admin.New(db), ctx, name)
		if err != nil {
			return err
		}
		return p.print(r, func(t *table) { t.row(r.Input, spaced(r.Result), r.Reason) })
	})
}
