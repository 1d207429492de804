package main

import (
	"context"
	"fmt"
	"os"

	"gistdeal"
	"gistdeal/internal/admin"
	"gistdeal/internal/store"
)

type tokensCmd struct {
	Add    tokensAddCmd    `cmd:"" help:"Create a token and print it, this once."`
	List   tokensListCmd   `cmd:"" help:"List the tokens, and when each was last used."`
	Revoke tokensRevokeCmd `cmd:"" help:"End a token at once."`
}

type tokensAddCmd struct {
	printing
	Name  string         `required:"" help:"The name of its user: gists that were shown to another name are new to it. 1 to 40 letters, digits, dots, - or _."`
	Scope gistdeal.Scope `required:"" enum:"read,write,admin" help:"read: read; write: also track users and change users and deals; admin: everything." placeholder:"read|write|admin"`
}

// Run creates a token. Standard output gets the token alone.
func (c *tokensAddCmd) Run(ctx context.Context) error {
	return c.withStore(ctx, writes, func(db *store.Store) error {
		a := admin.New(db)
		token, err := a.AddToken(ctx, c.Name, c.Scope)
		if err != nil {
			return err
		}
		if !c.JSON {
			fmt.Fprintln(os.Stderr, "This is the only time that the token is shown. Send it as Authorization: Bearer <token>, or log in with it on the page.")
		}
		return c.print(token, func(t *table) { t.row(token.Token) })
	})
}

type tokensListCmd struct{ printing }

// Run prints the tokens.
func (c *tokensListCmd) Run(ctx context.Context) error {
	return c.withStore(ctx, reads, func(db *store.Store) error {
		a := admin.New(db)
		tokens, err := a.Tokens(ctx)
		if err != nil {
			return err
		}
		return c.print(struct {
			Tokens []gistdeal.Token `json:"tokens"`
		}{tokens}, func(t *table) {
			t.row("NAME", "SCOPE", "CREATED", "LAST USED")
			for _, token := range tokens {
				t.row(token.Name, string(token.Scope), ago(token.CreatedAt), ago(token.LastUsedAt))
			}
		})
	})
}

type tokensRevokeCmd struct {
	printing
	Name string `arg:"" help:"The token's name."`
}

// Run revokes a token.
func (c *tokensRevokeCmd) Run(ctx context.Context) error {
	return c.withStore(ctx, writes, func(db *store.Store) error {
		a := admin.New(db)
		r, err := a.RevokeToken(ctx, c.Name)
		if err != nil {
			return err
		}
		return c.print(r, func(t *table) { t.row(r.Input, r.Result, r.Reason) })
	})
}
