package main

import (
	"cmp"
	"context"
	"strconv"

	"gistdeal"
	"gistdeal/internal/admin"
)

type peopleCmd struct {
	List    peopleListCmd    `cmd:"" help:"List the people who signed in, with their open log-ins."`
	SignOut peopleSignOutCmd `cmd:"" help:"End all log-ins of a person at once."`
	Forget  peopleForgetCmd  `cmd:"" help:"Delete the name, all log-ins and all visits of a person."`
}

type peopleListCmd struct{ printing }

// Run prints the people.
func (c *peopleListCmd) Run(ctx context.Context, at serverFlags) error {
	return c.withGistdeal(ctx, at, reads, func(g backend) error {
		people, err := g.People(ctx)
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
func (c *peopleSignOutCmd) Run(ctx context.Context, at serverFlags) error {
	return c.change(ctx, at, backend.SignOut, c.Name)
}

type peopleForgetCmd struct {
	printing
	personArg
}

// Run forgets a person.
func (c *peopleForgetCmd) Run(ctx context.Context, at serverFlags) error {
	return c.change(ctx, at, backend.ForgetPerson, c.Name)
}

// change does something with one name, and prints the result.
func (p printing) change(ctx context.Context, at serverFlags, do func(backend, context.Context, string) (admin.Result, error), name string) error {
	return p.withGistdeal(ctx, at, writes, func(g backend) error {
		r, err := do(g, ctx, name)
		if err != nil {
			return err
		}
		return p.print(r, func(t *table) { t.row(r.Input, spaced(r.Result), r.Reason) })
	})
}
