package github

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"gistdeal"
)

// probeFields and gistFields are what a query asks of each user: to compare it, or to store its
// gists. A new gist is one that changed last, too. totalCount counts the public gists, forks among them (GitHub docs, "GistConnection").
// A gist names 10 files unless a limit is given; one more than we keep tells that there are more.
var (
	probeFields = probeFragment(gistdeal.ProbeLatest, "UPDATED_AT", "name updatedAt")
	gistFields  = probeFragment(gistdeal.ProbeGists, "CREATED_AT", fmt.Sprintf(
		"name description createdAt updatedAt isFork isPublic files(limit: %d) { name size language { name } }", gistdeal.ProbeFiles+1))
)

func probeFragment(first int, order, ofGist string) string {
	return fmt.Sprintf(`fragment probe on User {
	id databaseId login
	gists(first: %d, privacy: PUBLIC, orderBy: {field: %s, direction: DESC}) { totalCount nodes { %s } }
}`, first, order, ofGist)
}

// maxAnswerSize is far more than 100 users with their gists need.
const maxAnswerSize = 16 << 20

// Probe asks GitHub about many users with few queries, at most 100 users each, and returns
// a probe of each user in their order. It names a user by its node id, and by its login if
// that is not known; then the answer may be about another user. gists asks for the facts of the
// newest gists too.
//
// What GitHub says about one user is in the probe's Err and fails no other one. Probe asks
// again with fewer users if GitHub does not return so many in time. An error means that
// Probe has no answers: Unauthorized, NotFound and Invalid that GitHub does not serve such
// queries here, Limited that they have to wait.
func (c *Client) Probe(ctx context.Context, users []gistdeal.User, gists bool) ([]gistdeal.Probe, error) {
	probes := make([]gistdeal.Probe, len(users))
	pending := make([]int, len(users))
	for i := range pending {
		pending[i] = i
	}
	for len(pending) > 0 {
		n := min(c.pool.batch(), len(pending))
		unanswered, err := c.probe(ctx, newQuery(users, pending[:n], gists), probes, pending[:n])
		if heavy := (slowError{}); errors.As(err, &heavy) && n > minBatch {
			continue // The next batch is smaller.
		}
		if err == nil && len(unanswered) == n && n <= minBatch {
			err = gistdeal.Errorf(gistdeal.Temporary, "GitHub returns none of %d users", n)
		}
		if err != nil {
			return nil, fmt.Errorf("compare %d users: %w", len(users), err)
		}
		pending = append(unanswered, pending[n:]...)
	}
	return probes, nil
}

// ProbeReady returns nil if a query may be sent, and else the error that Probe would return,
// or a Limited one if the remaining points are reserved.
func (c *Client) ProbeReady() error {
	if !c.hasToken {
		return errNoQueries
	}
	if err := c.limiter.blocked(); err != nil {
		return err
	}
	return c.pool.ready()
}

var errNoQueries = gistdeal.Errorf(gistdeal.Unauthorized, "GitHub's GraphQL API needs a token: set GITHUB_TOKEN")

// Quotas returns the quotas of requests and of GraphQL's points per hour, as last reported
// by GitHub.
func (c *Client) Quotas() []gistdeal.Quota {
	return []gistdeal.Quota{c.Quota(), c.pool.state()}
}

// Outages returns one outage if GitHub's last answer was missing or told of a fault, else none.
func (c *Client) Outages() []gistdeal.Outage { return c.outage.Of("GitHub") }

// Pace returns what GitHub's limits allow to sweeps.
func (c *Client) Pace() gistdeal.SweepPace {
	free := func(q gistdeal.Quota) int { return max(0, q.Limit-q.Reserved) }
	p := gistdeal.SweepPace{Batches: c.hasToken, Points: free(c.pool.state()), Requests: free(c.Quota()), Query: c.pool.seconds()}
	if p.Requests == 0 {
		p.Requests = usualLimit - Reserved(usualLimit)
		if !c.hasToken {
			p.Requests = AnonymousLimit - Reserved(AnonymousLimit)
		}
	}
	p.Scans = p.Requests
	if c.hasToken {
		p.Scans = backgroundPerSecond * 3600 // An unchanged list costs nothing (GitHub docs, "Best practices for using the REST API").
	}
	return p
}

// probe sends a query for some of the users, given by index, and stores their probes. It
// returns those that GitHub left out because the query was too large.
func (c *Client) probe(ctx context.Context, q query, probes []gistdeal.Probe, batch []int) (unanswered []int, err error) {
	if err := c.acquireQuery(ctx); err != nil {
		return nil, err
	}
	begin := time.Now()
	a, err := c.query(ctx, q)
	took := time.Since(begin)
	defer func() { c.pool.release(took, len(batch), len(unanswered) > 0 || errors.As(err, new(slowError))) }()
	if err != nil {
		return nil, err
	}
	answered := false
	for i, index := range batch {
		p, again := a.probe(q.places[i], q.gists)
		if again {
			unanswered = append(unanswered, index)
			continue
		}
		probes[index] = p
		answered = answered || p.Err == nil || gistdeal.KindOf(p.Err) == gistdeal.NotFound
	}
	if refusal := a.forbidden(); refusal != nil && !answered {
		return nil, refusal
	}
	return unanswered, nil
}

func (c *Client) acquireQuery(ctx context.Context) error {
	if !c.hasToken {
		return errNoQueries
	}
	if err := c.limiter.blocked(); err != nil {
		return err
	}
	return c.pool.acquire(ctx)
}

// query sends a query. Its answer may have errors about single users.
func (c *Client) query(ctx context.Context, q query) (queryAnswer, error) {
	var answer queryAnswer
	a, err := c.post(ctx, q)
	if err != nil {
		return answer, err
	}
	c.pool.record(a)
	if err := c.queryLimit(a, nil); err != nil {
		return answer, err
	}
	if err := c.statusError(a, false); err != nil {
		return answer, err
	}
	if err := a.checkJSON(); err != nil {
		return answer, err
	}
	if err := json.Unmarshal(a.body, &answer); err != nil {
		return answer, unreadable("%w", err)
	}
	if err := c.queryLimit(a, answer.Errors); err != nil {
		return answer, err
	}
	c.limiter.succeeded()
	c.points.Add(float64(answer.cost()))
	return answer, answer.failure()
}

// post sends a query and reads the answer.
func (c *Client) post(ctx context.Context, q query) (answer, error) {
	reqCtx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	body, err := json.Marshal(q)
	if err != nil {
		return answer{}, err
	}
	req, err := http.NewRequestWithContext(reqCtx, http.MethodPost, c.graphQL(), bytes.NewReader(body))
	if err != nil {
		return answer{}, unreadable("%w", err)
	}
	req.Header = c.header.Load().Clone()
	req.Header.Set("Content-Type", "application/json")
	// The older form of node ids is closing down (GitHub docs, "Migrating GraphQL global
	// node IDs").
	req.Header.Set("X-Github-Next-Global-ID", "1")
	return c.roundTrip(ctx, req, maxAnswerSize)
}

// graphQL returns the URL of the GraphQL API. An Enterprise Server has it at /api/graphql,
// beside /api/v3 (GitHub docs, "Forming calls with GraphQL").
func (c *Client) graphQL() string {
	return strings.TrimSuffix(c.base.String(), "/v3") + "/graphql"
}

// query is a query with its variables.
type query struct {
	Query     string         `json:"query"`
	Variables map[string]any `json:"variables"`
	places    []place        // of each user
	gists     bool           // it asks for gists
}

// place is where an answer has a user.
type place struct {
	alias string // "" if it is in nodes
	index int    // in nodes
}

// newQuery returns the query for some of the users, given by index.
func newQuery(users []gistdeal.User, batch []int, gists bool) query {
	q := query{Variables: map[string]any{}, gists: gists}
	var ids []string
	var declared, selected strings.Builder
	for _, i := range batch {
		if id := users[i].NodeID; id != "" {
			q.places = append(q.places, place{index: len(ids)})
			ids = append(ids, id)
			continue
		}
		n := strconv.Itoa(len(q.places))
		q.places = append(q.places, place{alias: "u" + n})
		fmt.Fprintf(&declared, " $l%s: String!", n)
		fmt.Fprintf(&selected, " u%s: user(login: $l%s) { ...probe }", n, n)
		q.Variables["l"+n] = users[i].Login
	}
	if len(ids) > 0 {
		declared.WriteString(" $ids: [ID!]!")
		selected.WriteString(" nodes(ids: $ids) { __typename ...probe }")
		q.Variables["ids"] = ids
	}
	q.Query = "query Probe(" + declared.String() + ") { rateLimit { cost }" + selected.String() + " }\n" + probeFields
	if gists {
		q.Query = strings.TrimSuffix(q.Query, probeFields) + gistFields
	}
	return q
}

// queryAnswer is the answer to a query.
type queryAnswer struct {
	Data   map[string]json.RawMessage `json:"data"`
	Errors []queryError               `json:"errors"`
	nodes  []json.RawMessage
}

// queryError is one of the errors in an answer.
type queryError struct {
	Type    string `json:"type"`
	Message string `json:"message"`
	Path    []any  `json:"path"`
}

const (
	notFound       = "NOT_FOUND"
	tooLarge       = "RESOURCE_LIMITS_EXCEEDED"
	forbidden      = "FORBIDDEN"
	somethingWrong = "something went wrong" // GitHub's words for a query that took too long
)

// failure returns the error of an answer without data.
func (a *queryAnswer) failure() error {
	if a.Data != nil {
		if nodes, ok := a.Data["nodes"]; ok {
			return decodeNodes(nodes, &a.nodes)
		}
		return nil
	}
	if len(a.Errors) == 0 {
		return unreadable("it has neither data nor errors")
	}
	e := a.Errors[0]
	if e.Type == tooLarge || strings.Contains(strings.ToLower(e.Message), somethingWrong) {
		return gistdeal.Errorf(gistdeal.Temporary, "%w", slowError{fmt.Errorf("GitHub answers %s %q", e.Type, truncate(e.Message))})
	}
	return newError(gistdeal.Invalid, 0, "GitHub refuses the query: %s %q", e.Type, truncate(e.Message))
}

func decodeNodes(text json.RawMessage, nodes *[]json.RawMessage) error {
	if err := json.Unmarshal(text, nodes); err != nil {
		return unreadable("%w", err)
	}
	return nil
}

// cost returns the points that the query cost.
func (a *queryAnswer) cost() int {
	var limit struct {
		Cost int `json:"cost"`
	}
	_ = json.Unmarshal(a.Data["rateLimit"], &limit) // It is 0 after an error.
	return limit.Cost
}

// forbidden returns the error of an answer that refuses to show users to this token.
func (a *queryAnswer) forbidden() error {
	for _, e := range a.Errors {
		if e.Type == forbidden {
			return newError(gistdeal.Unauthorized, 0, "GitHub refuses the query: %q", truncate(e.Message))
		}
	}
	return nil
}

// probe returns the probe of the user at a place, with gists if the query asks for them. again
// means that the query was too large for this user.
func (a *queryAnswer) probe(at place, gists bool) (p gistdeal.Probe, again bool) {
	text := a.Data[at.alias]
	if at.alias == "" && at.index < len(a.nodes) {
		text = a.nodes[at.index]
	}
	var user *userNode
	if err := json.Unmarshal(text, &user); len(text) > 0 && err != nil {
		return gistdeal.Probe{Err: unreadable("%w", err)}, false
	}
	if user == nil {
		return a.missing(at)
	}
	if user.DatabaseID <= 0 || user.Login == "" { // An organization, or an answer of something else.
		return gistdeal.Probe{Err: gistdeal.Errorf(gistdeal.NotFound, "no user on GitHub")}, false
	}
	if !user.counted() {
		if p, again = a.missing(at); gistdeal.KindOf(p.Err) == gistdeal.NotFound {
			p.Err = unreadable("it lacks the gists of a user") // The user is there.
		}
		return p, again
	}
	p.Account = gistdeal.Account{ID: user.DatabaseID, NodeID: user.ID, Login: user.Login, Type: "User", PublicGists: *user.Gists.TotalCount}
	for _, g := range user.Gists.Nodes {
		if g != nil && len(p.Latest) < gistdeal.ProbeLatest {
			p.Latest = append(p.Latest, g.Name)
			if at := g.UpdatedAt.UTC().Truncate(time.Second); at.After(p.UpdatedAt) { // As in lists.
				p.UpdatedAt = at
			}
		}
	}
	if gists {
		p.Gists, p.Complete = user.gists()
	}
	return p, false
}

// missing returns the probe of a user that the answer does not have.
func (a *queryAnswer) missing(at place) (p gistdeal.Probe, again bool) {
	p.Err = unreadable("it lacks a user")
	for _, e := range a.Errors {
		if e.Type == tooLarge && !e.elsewhere(at) {
			return p, true
		}
		if !e.about(at) {
			continue
		}
		p.Err = newError(gistdeal.Temporary, 0, "GitHub answers %s %q", e.Type, truncate(e.Message))
		if e.Type == notFound {
			p.Err = newError(gistdeal.NotFound, 0, "not found on GitHub")
		}
	}
	return p, false
}

// about reports whether an error is about the user at a place.
func (e queryError) about(at place) bool {
	if at.alias != "" {
		return len(e.Path) > 0 && e.Path[0] == at.alias
	}
	return len(e.Path) > 1 && e.Path[0] == "nodes" && e.Path[1] == float64(at.index)
}

// elsewhere reports whether an error is about the user at another place, and not about all
// of them.
func (e queryError) elsewhere(at place) bool {
	all := len(e.Path) == 0 || len(e.Path) == 1 && e.Path[0] == "nodes" && at.alias == ""
	return !all && !e.about(at)
}

// queryLimit returns a Limited error if the answer, or one of its errors, is a limit.
func (c *Client) queryLimit(a answer, errs []queryError) error {
	wait, message, limited := a.limit()
	spent := limited && a.header.Get("X-RateLimit-Remaining") == "0"
	if i := slices.IndexFunc(errs, queryError.limit); i >= 0 {
		limited, message = true, errs[i].Message
		spent = errs[i].spent()
		wait, _ = a.retryAfter()
	}
	switch {
	case !limited:
		return nil
	case spent:
		return c.pool.spent(a, message)
	}
	return c.limiter.secondary(a.status, wait, message)
}

// spent reports whether an error means that the points of the hour are spent. GitHub calls
// it both names.
func (e queryError) spent() bool { return e.Type == "RATE_LIMIT" || e.Type == "RATE_LIMITED" }

// limit reports whether an error is a limit of the token.
func (e queryError) limit() bool {
	return e.spent() || strings.Contains(strings.ToLower(e.Message), "secondary rate limit")
}
