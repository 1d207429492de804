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
	Login  string   // the token's user, "" without a token
	Scopes []string // of a classic token; reading public gists needs none
	// Limit and Remaining are requests in the hour that ends at Reset; Limit is
	// 0 where GitHub does not limit them, as an Enterprise Server may be set up.
	Limit, Remaining int
	Reset            time.Time
	Clock            time.Time // GitHub's time when it answered, zero if it told none
}

// Identify reads the account of the token, which counts as one request, or without a
// token only the limits, which counts as none.
func (c *Client) Identify(ctx context.Context) (Identity, error) {
	path := "/user"
	if !c.hasToken {
		path = "/rate_limit"
	}
	a, err := c.get(ctx, c.base.String()+path, "", maxUserSize)
	if gistdeal.KindOf(err) == gistdeal.NotFound && !c.hasToken {
		return Identity{}, nil // GitHub docs, "Rate limit": 404 where an Enterprise Server has none.
	}
	if err == nil {
		err = a.checkJSON()
	}
	if err != nil {
		return Identity{}, fmt.Errorf("ask GitHub who we are: %w", err)
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
		return Identity{}, unreadable("it does not say whose token it is")
	}
	i.Login = user.Login
	return i, nil
}

// scopes reads the header that only classic tokens cause.
func scopes(h http.Header) []string {
	return strings.FieldsFunc(h.Get("X-OAuth-Scopes"), func(r rune) bool { return r == ',' || r == ' ' })
}

// limits reads the limits that each answer tells, zero if it does not.
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

// date returns GitHub's time, zero if the answer does not tell it.
func (a answer) date() time.Time {
	date, _ := http.ParseTime(a.header.Get("Date")) // zero beside an error
	return date
}

// Whose returns the login of the token's account, with one request; token is false
// without a token, and then nothing is sent.
func (c *Client) Whose(ctx context.Context) (login string, token bool, err error) {
	if !c.hasToken {
		return "", false, nil
	}
	i, err := c.Identify(ctx)
	return i.Login, true, err
}
