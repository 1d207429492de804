package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"gistdeal"
	"gistdeal/internal/admin"
)

type tokensCmd struct {
	Add    tokensAddCmd    `cmd:"" help:"Create a token and print it, this once."`
	Rotate tokensRotateCmd `cmd:"" help:"Give a token a new value and print it, this once. The old value stays valid for a while."`
	List   tokensListCmd   `cmd:"" help:"List the tokens, and when and from which address each was last used."`
	Revoke tokensRevokeCmd `cmd:"" help:"End a token at once."`
}

type tokensAddCmd struct {
	printing
	Name  string         `required:"" help:"The name of its user: gists that were shown to another name are new to it. 1 to 40 letters, digits, dots, - or _."`
	Scope gistdeal.Scope `required:"" enum:"feed,read,write,admin" help:"feed: only the Atom feeds, by their URL; read: read; write: also track users and change users and deals; admin: everything." placeholder:"feed|read|write|admin"`
	tokenExpiry
	Rate int `help:"Requests a second that the token may send, after a burst of four times as many; 0: only the limit of its client counts." default:"0"`
}

// tokenExpiry is the flag of an expiry.
type tokenExpiry struct {
	Expires lifetime `help:"The token ends after this time: 90d, 12h ... Without the flag a new token never ends, and a rotated one keeps its expiry." placeholder:"PERIOD"`
}

// at returns the expiry, zero if the flag was not given.
func (e tokenExpiry) at() time.Time {
	if e.Expires == 0 {
		return time.Time{}
	}
	return time.Now().Add(time.Duration(e.Expires))
}

// period is a duration that may be a number of days.
type period time.Duration

// UnmarshalText reads 90d, 24h and so on.
func (p *period) UnmarshalText(text []byte) error {
	d, err := gistdeal.ParsePeriod(string(text))
	*p = period(d)
	return err
}

// lifetime is a period that is not 0, which would mean that the flag was not given.
type lifetime period

// UnmarshalText reads 90d, 24h and so on.
func (l *lifetime) UnmarshalText(text []byte) error {
	err := (*period)(l).UnmarshalText(text)
	if err == nil && *l == 0 {
		err = errors.New("a token lasts longer than 0; without the flag it never ends")
	}
	return err
}

// String returns the period as it is written in the default of a flag.
func (p period) String() string { return time.Duration(p).String() }

const feedsShownOnce = "This is the only time that the URLs of the feeds are shown. Each opens its feed for everybody who has it, until the token is revoked. A path follows the address of gistdeal."

// printNew prints a new value of a token, or the URLs of the feeds that it opens.
func printNew(p printing, token admin.NewToken, notes ...string) error {
	if !p.JSON {
		note := shownOnce
		if len(token.Feeds) > 0 {
			note = feedsShownOnce
		}
		for _, line := range append([]string{note}, notes...) {
			fmt.Fprintln(os.Stderr, line)
		}
	}
	return p.print(token, func(t *table) {
		for _, feed := range token.Feeds {
			t.row(feed)
		}
		if len(token.Feeds) == 0 {
			t.row(token.Token)
		}
	})
}

const shownOnce = "This is the only time that the token is shown. Send it as Authorization: Bearer <token>, or log in with it on the page."

// Run creates a token. Standard output gets the token alone, or the URLs of its feeds.
func (c *tokensAddCmd) Run(ctx context.Context, at serverFlags) error {
	return c.withGistdeal(ctx, at, writes, func(g backend) error {
		token, err := g.AddToken(ctx, gistdeal.Token{Name: c.Name, Scope: c.Scope, ExpiresAt: c.at(), Rate: c.Rate})
		if err != nil {
			return err
		}
		return printNew(c.printing, token)
	})
}

type tokensRotateCmd struct {
	printing
	Name    string `arg:"" help:"The token's name."`
	Overlap period `help:"How long the old value stays valid: 24h, 7d ..., at most 30d; 0s ends it at once. A value from an earlier rotation ends in any case." default:"24h"`
	tokenExpiry
}

// Run rotates a token. Standard output gets the new value alone, or the URLs of its feeds.
func (c *tokensRotateCmd) Run(ctx context.Context, at serverFlags) error {
	return c.withGistdeal(ctx, at, writes, func(g backend) error {
		token, err := g.RotateToken(ctx, c.Name, time.Duration(c.Overlap), c.at())
		if err != nil {
			return err
		}
		return printNew(c.printing, token, "The old value ends: "+cmp.Or(until(token.OldValidUntil), "now"))
	})
}

// until returns the text of a time to come, "" if there is none.
func until(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return clock(t)
}

type tokensListCmd struct{ printing }

// Run prints the tokens.
func (c *tokensListCmd) Run(ctx context.Context, at serverFlags) error {
	return c.withGistdeal(ctx, at, reads, func(g backend) error {
		tokens, err := g.Tokens(ctx)
		if err != nil {
			return err
		}
		return c.print(struct {
			Tokens []gistdeal.Token `json:"tokens"`
		}{tokens}, func(t *table) {
			t.row("NAME", "SCOPE", "CREATED", "EXPIRES", "RATE", "LAST USED", "FROM", "OLD VALUE")
			for _, token := range tokens {
				t.row(token.Name, string(token.Scope), ago(token.CreatedAt), expiry(token), perSecond(token.Rate),
					ago(token.LastUsedAt), cmp.Or(token.LastUsedFrom, "-"), oldValue(token))
			}
		})
	})
}

func expiry(t gistdeal.Token) string {
	switch {
	case t.ExpiresAt.IsZero():
		return "never"
	case t.Expired(time.Now()):
		return "expired " + ago(t.ExpiresAt)
	}
	return ago(t.ExpiresAt)
}

func perSecond(rate int) string {
	if rate == 0 {
		return "-"
	}
	return strconv.Itoa(rate) + "/s"
}

// oldValue describes the value from before a rotation during the overlap.
func oldValue(t gistdeal.Token) string {
	switch {
	case t.OldValidUntil.IsZero():
		return "-"
	case t.OldUsedAt.IsZero():
		return "ends " + ago(t.OldValidUntil) + ", not used since the rotation"
	}
	return "ends " + ago(t.OldValidUntil) + ", last used " + ago(t.OldUsedAt)
}

type tokensRevokeCmd struct {
	printing
	Name string `arg:"" help:"The token's name."`
}

// Run revokes a token.
func (c *tokensRevokeCmd) Run(ctx context.Context, at serverFlags) error {
	return c.change(ctx, at, backend.RevokeToken, c.Name)
}
