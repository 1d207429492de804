package signin

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"gistdeal"
)

// Grants are the members of each scope. A member is the name of a group, "email:" with a
// verified address, or Everybody.
type Grants map[gistdeal.Scope][]string

const (
	// Everybody as a member means everybody who can sign in at the provider.
	Everybody = "*"
	// EmailPrefix begins a member that is the address of a person.
	EmailPrefix = "email:"
)

// scope returns the largest scope of a person, "" if there is none.
func (g Grants) scope(c claims) gistdeal.Scope {
	for _, scope := range slices.Backward(gistdeal.Scopes) {
		if slices.ContainsFunc(g[scope], c.is) {
			return scope
		}
	}
	return ""
}

// claims is what a provider says about a person.
type claims struct {
	email    string // "" unless it is verified
	username string
	groups   []string
}

// is reports whether the person is that member.
func (c claims) is(member string) bool {
	if address, ok := strings.CutPrefix(member, EmailPrefix); ok {
		return c.email != "" && strings.EqualFold(c.email, address)
	}
	return member == Everybody || slices.Contains(c.groups, member)
}

// name returns a name for the person that no token has: it has an @ or a colon.
func (c claims) name(subject string) string {
	switch {
	case strings.Contains(c.email, "@"):
		return printable(c.email)
	case c.username != "":
		return "oidc:" + printable(c.username)
	}
	return "oidc:" + printable(subject)
}

// printable returns a text for logs and lists.
func printable(text string) string {
	runes := []rune(strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) || unicode.IsSpace(r) {
			return '_'
		}
		return r
	}, text))
	return string(runes[:min(len(runes), 100)])
}

// claims reads the ID token and, if that has no groups, the provider's answer about the
// person, where many providers put them.
func (p *Provider) claims(ctx context.Context, d *discovered, id *oidc.IDToken, token *oauth2.Token) (claims, error) {
	all := map[string]json.RawMessage{}
	if err := id.Claims(&all); err != nil {
		return claims{}, gistdeal.Errorf(gistdeal.Invalid, "read the ID token: %w", err)
	}
	if all[p.o.GroupsClaim] != nil || d.UserInfoEndpoint() == "" {
		return p.read(all), nil
	}
	info, err := d.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return claims{}, gistdeal.Errorf(gistdeal.Temporary, "ask the provider about the person: %w", shortened(err))
	}
	if info.Subject != id.Subject {
		return claims{}, gistdeal.Errorf(gistdeal.Invalid, "the provider tells about another person")
	}
	more := map[string]json.RawMessage{}
	if err := info.Claims(&more); err != nil {
		return claims{}, gistdeal.Errorf(gistdeal.Invalid, "read the answer about the person: %w", err)
	}
	if all["email"] != nil && !bytes.Equal(all["email"], more["email"]) {
		delete(more, "email_verified") // It is about another address.
	}
	maps.Copy(more, all) // The signed claims have precedence.
	return p.read(more), nil
}

func (p *Provider) read(all map[string]json.RawMessage) claims {
	c := claims{username: text(all["preferred_username"]), groups: texts(all[p.o.GroupsClaim])}
	if verified := string(all["email_verified"]); verified == "true" || verified == `"true"` {
		c.email = text(all["email"])
	}
	return c
}

// text returns a claim that is a text, "" if it is anything else.
func text(claim json.RawMessage) string {
	var s string
	if json.Unmarshal(claim, &s) != nil {
		return ""
	}
	return s
}

// texts returns a claim that is a text or a list of texts.
func texts(claim json.RawMessage) []string {
	var list []string
	if json.Unmarshal(claim, &list) == nil {
		return list
	}
	if one := text(claim); one != "" {
		return []string{one}
	}
	return nil
}
