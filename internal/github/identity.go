package github

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"gistdeal"
)

// Identity is the account of the token and its remaining quota.
type Identity struct {
	Login  string   // of the token's user; "" without a token
	Scopes []string // of a classic token; reading public gists needs none
	// Limit and Remaining count the requests of the hour that ends at Reset. Limit is 0
	// if GitHub does not limit requests, as some Enterprise Servers do not.
	Limit, Remaining int
	Reset            time.Time
	Clock            time.Time // GitHub's time of the answer; zero if unknown
}

// Identify reads the account of the token, which costs one request of the quota.
// Without a token it reads only the limits, which costs none.
func (c *Client) Identify(ctx context.Context) (Identity, error) {
	path := "/user"
	if !c.hasToken {
		path = "/rate_limit"
	}
	a, err := c.get(ctx, c.base.String()+path, "", maxUserSize)
	if gistdeal.KindOf(err) == gistdeal.NotFound && !c.hasToken {
		return Identity{}, nil // An Enterprise Server without limits answers 404 (GitHub docs, "Rate limit").
	}
	if err == nil {
		err = a.checkJSON()
	}
	if err != nil {
		return Identity{}, fmt.Errorf("look up the GitHub account: %w", err)
	}
	i := Identity{Scopes: scopes(a.header), Clock: a.date()}
	i.Limit, i.Remaining, i.Reset = limits(a.header)
	if !c.hasToken {
		return i, nil
	}
	var user struct {
		Login string `json:"login"`
	}
	if err := json.Unmarshal(a.body, &user); err != nil || user.Login == "" {
		return Identity{}, unreadable("a user without a login")
	}
	i.Login = user.Login
	return i, nil
}

// scopes returns the scopes of a classic token. Other tokens have none.
func scopes(h http.Header) []string {
	return strings.FieldsFunc(h.Get("X-OAuth-Scopes"), func(r rune) bool { return r == ',' || r == ' ' })
}

// limits returns the quota in an answer's headers, or zeros if they are absent.
func limits(h http.Header) (limit, remaining int, reset time.Time) {
	limit, err := strconv.Atoi(h.Get("X-RateLimit-Limit"))
	if err != nil {
		return 0, 0, reset
	}
	if remaining, err = strconv.Atoi(h.Get("X-RateLimit-Remaining")); err != nil {
		return 0, 0, reset
	}
	if unix, err := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64); err == nil {
		reset = time.Unix(unix, 0).UTC()
	}
	return limit, remaining, reset
}

// date returns GitHub's time of the answer, or zero if it is unknown.
func (a answer) date() time.Time {
	date, _ := http.ParseTime(a.header.Get("Date")) // It is zero after an error.
	return date
}

// TokenLogin returns the login of the token's user. token reports whether there is a token;
// without one TokenLogin sends no request.
func (c *Client) TokenLogin(ctx context.Context) (login string, token bool, err error) {
	if !c.hasToken {
		return "", false, nil
	}
	i, err := c.Identify(ctx)
	return i.Login, true, err
}
