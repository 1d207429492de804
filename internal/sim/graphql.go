package sim

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
	"time"
)

// graphQL is GitHub's GraphQL API, which has a quota of its own.
type graphQL struct {
	h        *gitHub
	quotas   map[string]*quota // by Authorization header
	inFlight int
	minute   minute
	points   int // of all queries
}

// minute counts the use of the secondary limits in a minute.
type minute struct {
	end     time.Time
	queries int
	busy    time.Duration // simulated processing time
}

const (
	queryTimeout  = 10 * time.Second // GitHub docs, "Rate limits and query limits for the GraphQL API"
	timeoutPoints = 10               // deducted after a timeout; GitHub does not say how many
	// GitHub docs, "Rate limits and query limits for the GraphQL API", secondary limits.
	queriesPerMinute = 2_000
	busyPerMinute    = 60 * time.Second
)

// admit refuses queries without a token, over the hourly quota and over a secondary
// limit.
func (g *graphQL) admit(c *call) (response, bool) {
	if a, ok := g.h.known(c); !ok {
		return a, false
	}
	if c.Header.Get("Authorization") == "" {
		return gitHubError(http.StatusUnauthorized, "This endpoint requires you to be authenticated."), false
	}
	q := g.quota(c)
	g.rateHeaders(c, q)
	switch {
	case g.overSecondary(c.now):
		g.h.refused++
		return g.limited(), false
	case g.h.o.GraphQLLimit > 0 && q.used >= q.limit:
		g.h.refused++
		return pointsSpent(q.reset), false
	}
	g.minute.queries++
	g.inFlight++
	c.done = func() { g.inFlight-- }
	return response{}, true
}

// overSecondary reports whether there are too many queries at once or in this minute.
func (g *graphQL) overSecondary(now time.Time) bool {
	if !now.Before(g.minute.end) {
		g.minute = minute{end: now.Add(time.Minute)}
	}
	if g.h.o.GraphQLInFlight > 0 && g.inFlight >= g.h.o.GraphQLInFlight {
		return true
	}
	return g.h.o.GraphQLLimit > 0 && (g.minute.queries >= queriesPerMinute || g.minute.busy >= busyPerMinute)
}

// quota returns the points of the caller.
func (g *graphQL) quota(c *call) *quota {
	q := window(g.quotas, c, g.h.o.GitHubHour)
	q.limit = g.h.o.GraphQLLimit
	if q.limit < 0 {
		q.limit = defaultHourly
	}
	if c.Header.Get("Authorization") == "" {
		q.limit = 0
	}
	return q
}

func (g *graphQL) rateHeaders(c *call, q *quota) {
	if g.h.o.GraphQLLimit > 0 {
		q.headers(c, "graphql")
	}
}

// finish adds the headers that every answer has.
func (g *graphQL) finish(c *call, a response) response {
	a.header.Set("X-GitHub-Media-Type", "github.v4; format=json")
	a.header.Set("Cache-Control", "no-cache")
	if g.h.o.TokenScopes != "" {
		a.header.Set("X-OAuth-Scopes", g.h.o.TokenScopes)
	}
	g.rateHeaders(c, g.quota(c))
	return a
}

// query executes a query and charges its points before, so that the query can ask for
// the remaining ones.
func (g *graphQL) query(c *call) response {
	var body struct {
		Query         *string        `json:"query"`
		Variables     map[string]any `json:"variables"`
		OperationName string         `json:"operationName"`
	}
	d := json.NewDecoder(bytes.NewReader(c.body))
	d.UseNumber()
	if err := d.Decode(&body); err != nil {
		return gitHubError(http.StatusBadRequest, "Problems parsing JSON")
	}
	if body.Query == nil {
		return answer(nil, []queryError{{Message: "A query attribute must be specified and must be a string."}})
	}
	x, errs := prepare(*body.Query, body.OperationName, body.Variables)
	if errs != nil {
		return reply(http.StatusOK, map[string]any{"errors": errs})
	}
	x.h, x.call = g.h, c
	bill, err := x.bill()
	if err != nil {
		return answer(nil, []queryError{*err})
	}
	x.charge = g.charge(c, bill)
	busy := time.Duration(bill.users) * g.h.o.GraphQLTime
	c.pause = min(busy, queryTimeout)
	g.minute.busy += c.pause
	if busy > queryTimeout {
		g.charge(c, bill.withCost(timeoutPoints))
		return gitHubError(http.StatusBadGateway, "We couldn't respond to your request in time. Sorry about that.")
	}
	return answer(x.run())
}

// charge counts the points of a query and returns the object rateLimit.
func (g *graphQL) charge(c *call, b bill) *object {
	q := g.quota(c)
	g.points += b.cost()
	if g.h.o.GraphQLLimit > 0 {
		q.used += b.cost()
	}
	return &object{"RateLimit", map[string]any{
		"cost": b.cost(), "limit": q.limit, "nodeCount": b.nodes, "remaining": max(0, q.limit-q.used),
		"used": q.used, "resetAt": q.reset,
	}}
}

// answer returns the response to a query. Errors do not change its status.
func answer(data map[string]any, errs []queryError) response {
	body := map[string]any{"data": data}
	if len(errs) > 0 {
		body["errors"] = errs
	}
	return reply(http.StatusOK, body)
}

// limited returns the response of a secondary limit. GitHub docs, "Rate limits and
// query limits for the GraphQL API": the status is 200 or 403, retry-after may be
// present.
func (g *graphQL) limited() response {
	if !g.h.o.SecondaryOK {
		return g.h.limited()
	}
	return reply(http.StatusOK, map[string]any{
		"errors": []queryError{{Message: "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}},
	})
}

func (g *graphQL) errorResponse(status int) response { return g.h.errorResponse(status) }

func (g *graphQL) spent(now time.Time) response { return pointsSpent(now.Add(g.h.o.GitHubHour)) }

// pointsSpent returns the response of the primary limit, as others have recorded it.
func pointsSpent(reset time.Time) response {
	a := reply(http.StatusOK, map[string]any{"errors": []queryError{{
		Type: "RATE_LIMIT", Code: "graphql_rate_limit", Message: "API rate limit already exceeded for user ID 1.",
	}}})
	spentHeaders(a, reset)
	return a
}

// queryError is an error in an answer. A partial answer has some.
type queryError struct {
	Type       string           `json:"type,omitempty"`
	Code       string           `json:"code,omitempty"`
	Path       []any            `json:"path,omitempty"`
	Locations  []map[string]int `json:"locations,omitempty"`
	Extensions map[string]any   `json:"extensions,omitempty"`
	Message    string           `json:"message"`
}

// Error implements error.
func (e *queryError) Error() string { return cmp.Or(e.Type, "error") + ": " + e.Message }
