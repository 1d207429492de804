package main

import (
	"context"
	"fmt"
	"os"

	"gistdeal"
	"gistdeal/internal/desk"
	"gistdeal/internal/operate"
)

type tokensCmd struct {
	Add    tokensAddCmd    `cmd:"" help:"Make a token and print it, this once."`
	List   tokensListCmd   `cmd:"" help:"List the tokens, and when each was last used."`
	Revoke tokensRevokeCmd `cmd:"" help:"End a token at once."`
}

type tokensAddCmd struct {
	printing
	Name  string         `required:"" help:"Who will send it: what it is shown is new to that name. 1 to 40 letters, digits, dots, - or _."`
	Scope gistdeal.Scope `required:"" enum:"read,write,admin" help:"read: look; write: also track users, and change what becomes of them and of deals; admin: everything." placeholder:"read|write|admin"`
}

// Run makes a token. Standard output gets the token alone.
func (c *tokensAddCmd) Run(ctx context.Context) error {
	return atDesk(ctx, operate.OpenDesk, func(d *desk.Desk) error {
		token, err := d.AddToken(ctx, c.Name, c.Scope)
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
	return atDesk(ctx, operate.ReadDesk, func(d *desk.Desk) error {
		tokens, err := d.Tokens(ctx)
		if err != nil {
			return err
		}
		return c.print(struct {
			Tokens []desk.Token `json:"tokens"`
		}{tokens}, func(t *table) {
			t.row("NAME", "SCOPE", "MADE", "LAST USED")
			for _, token := range tokens {
				t.row(token.Name, string(token.Scope), ago(token.MadeAt), ago(token.LastUsedAt))
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
	return atDesk(ctx, operate.OpenDesk, func(d *desk.Desk) error {
		r, err := d.RevokeToken(ctx, c.Name)
		if err != nil {
			return err
		}
		return c.print(r, func(t *table) { t.row(r.Asked, r.Result, r.Reason) })
	})
}
