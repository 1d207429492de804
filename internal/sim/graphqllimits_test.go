package sim_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gistdeal/internal/sim"
)

func TestTheNumberOfConnectionsDecidesTheCost(t *testing.T) {
	t.Parallel()
	w := start(t, sim.Options{})
	for users, cost := range map[int]int{1: 1, 149: 1, 150: 2, 200: 2, 250: 3} {
		var query strings.Builder
		query.WriteString("{ rateLimit { cost nodeCount }")
		for i := range users {
			fmt.Fprintf(&query, " u%d: user(login:\"x\") { gists(first:2) { nodes { name } } }", i)
		}
		a := w.ask(query.String()+"}", nil)
		if r := a.Data.RateLimit; r.Cost != cost || r.NodeCount != 2*users {
			t.Errorf("%d users: %+v, want cost %d", users, r, cost)
		}
	}
}

func TestPointsAreAQuotaOfTheirOwn(t *testing.T) {
	t.Parallel()
	c := newClock()
	w := start(t, sim.Options{Now: c.now, GraphQLLimit: 2})
	const query = `{ rateLimit { remaining used } }`
	for used := 1; used <= 2; used++ {
		g := w.query(query, nil)
		want(t, g, http.StatusOK, fmt.Sprintf(`"used":%d`, used))
		wantHeader(t, g, "X-Ratelimit-Limit", "2", "X-Ratelimit-Used", strconv.Itoa(used), "X-Ratelimit-Resource", "graphql",
			"X-Ratelimit-Reset", strconv.FormatInt(c.now().Add(time.Hour).Unix(), 10))
	}
	g := w.query(query, nil)
	want(t, g, http.StatusOK, `"type":"RATE_LIMIT"`, `"code":"graphql_rate_limit"`)
	wantHeader(t, g, "X-Ratelimit-Remaining", "0")
	if strings.Contains(g.text, `"data"`) || w.Report().Limited != 1 {
		t.Errorf("the refusal: %s", g.text)
	}
	wantHeader(t, w.get("/user", "Authorization", "Bearer a"), "X-Ratelimit-Used", "1", "X-Ratelimit-Resource", "core")
	want(t, w.get("/rate_limit", "Authorization", "Bearer a"), http.StatusOK, `"graphql":{"limit":2,"used":2,"remaining":0`)
	want(t, w.get("/rate_limit"), http.StatusOK, `"graphql":{"limit":0,`)
	want(t, w.query(query, nil, "Authorization", "Bearer b"), http.StatusOK, `"used":1`)
	c.advance(time.Hour)
	want(t, w.query(query, nil), http.StatusOK, `"used":1`)
}

func TestGraphQLRefusesWhatGitHubRefuses(t *testing.T) {
	t.Parallel()
	w := start(t, sim.Options{GitHubToken: "a"})
	w.AddUser(sim.User{Login: "octocat"})
	want(t, w.do(http.MethodPost, "/graphql", queryBody(t, "{ rateLimit { cost } }", nil)), http.StatusUnauthorized, "authenticated")
	want(t, w.query("{ rateLimit { cost } }", nil, "Authorization", "Bearer wrong"), http.StatusUnauthorized, "Bad credentials")
	want(t, w.do(http.MethodPost, "/graphql", "{", "Authorization", "Bearer a"), http.StatusBadRequest, "Problems parsing JSON")
	want(t, w.do(http.MethodPost, "/graphql", "{}", "Authorization", "Bearer a"), http.StatusOK, "query attribute must be specified")
	want(t, w.get("/graphql", "Authorization", "Bearer a"), http.StatusNotFound)
	for query, text := range map[string]string{
		"{ nonsense }":   `"column":3,"line":1`,
		"{ rateLimit":    "Expected Name",
		"mutation { x }": "mutation",
		`{ user(login:"octocat") { gists(first:"x") { totalCount } } }`:               "Int",
		`query($n:Int!) { user(login:"octocat") { gists(first:$n) { totalCount } } }`: "must be defined",
	} {
		g := w.query(query, nil)
		want(t, g, http.StatusOK, `{"errors":[{"`, text)
	}
	for query, failure := range map[string]string{
		`{ user(login:"octocat") { gists { totalCount } } }`:            "MISSING_PAGINATION_BOUNDARIES user gists",
		`{ user(login:"octocat") { gists(first:101) { totalCount } } }`: "EXCESSIVE_PAGINATION user gists",
		`{ user(login:"octocat") { gists(first:0) { totalCount } } }`:   "INVALID_PAGINATION user gists",
	} {
		wantFailures(t, w.ask(query, nil), failure)
	}
	if w.Report().Points != 0 {
		t.Error("queries that did not run cost points")
	}
}

func TestAFieldTakesAHundredNodeIDs(t *testing.T) {
	t.Parallel()
	w := start(t, sim.Options{Seed: 1, GitHubLimit: -1})
	w.AddSyntheticUsers(101)
	list := w.nodeIDs(101)
	g := w.query(sweep, ids(list...))
	want(t, g, http.StatusOK, `"data":null`, "You may not provide more than 100 node ids; you provided 101.")
	wantFailures(t, decode[queryAnswer](t, g), "ARGUMENT_LIMIT nodes")
	const twice = `query($a:[ID!]!, $b:[ID!]!) { nodes(ids:$a) { id } more: nodes(ids:$b) { id } }`
	a := w.ask(twice, map[string][]string{"a": list[:99], "b": list[2:]})
	wantFailures(t, a)
	if len(a.Data.Nodes) != 99 {
		t.Errorf("%d nodes, want 99", len(a.Data.Nodes))
	}
}

func TestUsersOverTheResourcesOfAQueryAreNull(t *testing.T) {
	t.Parallel()
	w := start(t, sim.Options{Seed: 1, GitHubLimit: -1, GraphQLUsers: 3})
	w.AddSyntheticUsers(5)
	a := w.ask(sweep, ids(w.nodeIDs(5)...))
	wantFailures(t, a, "RESOURCE_LIMITS_EXCEEDED nodes 3", "RESOURCE_LIMITS_EXCEEDED nodes 4")
	if a.Data.Nodes[2] == nil || a.Data.Nodes[3] != nil {
		t.Errorf("nodes: %+v", a.Data.Nodes)
	}
	wantFailures(t, w.ask(sweep, ids(w.nodeIDs(3)...)))
}

func TestAppTokensReadNoGistsByGraphQL(t *testing.T) {
	t.Parallel()
	w := start(t, sim.Options{AppToken: true})
	w.AddUser(sim.User{Login: "octocat"})
	wantFailures(t, w.ask(`{ u0: user(login:"octocat") { login gists(first:1) { totalCount } } }`, nil), "FORBIDDEN u0 gists")
}

func TestFaultsApplyToQueriesInTheirOwnForm(t *testing.T) {
	t.Parallel()
	w := start(t, sim.Options{})
	const query = `{ rateLimit { cost } }`
	fault := func(kind string) response {
		w.AddFault(sim.Fault{Match: "POST /graphql", Kind: kind, Times: 1})
		return w.query(query, nil)
	}
	g := fault("spent")
	want(t, g, http.StatusOK, `"type":"RATE_LIMIT"`)
	wantHeader(t, g, "X-Ratelimit-Remaining", "0")
	g = fault("limit")
	want(t, g, http.StatusForbidden, "secondary rate limit")
	wantHeader(t, g, "Retry-After", "60")
	w.Set(func(o *sim.Options) { o.SecondaryOK = true })
	g = fault("limit")
	want(t, g, http.StatusOK, "secondary rate limit")
	wantHeader(t, g, "Retry-After", "")
	want(t, fault("error-after"), http.StatusBadGateway)
	want(t, w.query(query, nil), http.StatusOK, `"cost":1`)
}

// inBubble sends a query to a simulator inside a bubble.
func inBubble(t *testing.T, s *sim.Sim, query string, variables any) (answer *httptest.ResponseRecorder, took time.Duration) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", strings.NewReader(queryBody(t, query, variables)))
	r.Header.Set("Authorization", "Bearer a")
	r.Header.Set("User-Agent", "test")
	begun := time.Now()
	answer = httptest.NewRecorder()
	s.ServeHTTP(answer, r)
	return answer, time.Since(begun)
}

func TestAQueryTakesTimeForEachUserAndEndsAfterTenSeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := sim.New(sim.Options{GraphQLTime: 150 * time.Millisecond})
		list := slices.Repeat([]string{"MDQ6VXNlcjE="}, 100)
		answer, took := inBubble(t, s, sweep, ids(list[:60]...))
		if answer.Code != http.StatusOK || took != 9*time.Second || s.Report().Points != 1 {
			t.Errorf("60 users: status %d after %v", answer.Code, took)
		}
		answer, took = inBubble(t, s, sweep, ids(list...))
		if answer.Code != http.StatusBadGateway || took != 10*time.Second || !strings.Contains(answer.Body.String(), "in time") {
			t.Errorf("100 users: status %d after %v: %s", answer.Code, took, answer.Body)
		}
		if used := answer.Header().Get("X-Ratelimit-Used"); used != "12" {
			t.Errorf("%s points used, want 10 more than both queries", used)
		}
	})
}

func TestTooMuchWorkAtOnceOrInAMinuteExceedsTheSecondaryLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := sim.New(sim.Options{GraphQLTime: 50 * time.Millisecond, GraphQLInFlight: 2})
		list := slices.Repeat([]string{"MDQ6VXNlcjE="}, 100)
		codes := make([]int, 3)
		var queries sync.WaitGroup
		for i := range codes {
			queries.Go(func() {
				answer, _ := inBubble(t, s, sweep, ids(list...))
				codes[i] = answer.Code
			})
			synctest.Wait()
		}
		queries.Wait()
		if !slices.Equal(codes, []int{200, 200, 403}) {
			t.Errorf("three queries at once: %v", codes)
		}
		served := 0
		for ; ; served++ {
			if answer, _ := inBubble(t, s, sweep, ids(list...)); answer.Code == http.StatusForbidden {
				break
			}
		}
		if served != 10 { // with the two above, 12 times 5 s
			t.Errorf("%d queries before the minute was full, want 10", served)
		}
		time.Sleep(time.Minute)
		if answer, _ := inBubble(t, s, sweep, ids(list...)); answer.Code != http.StatusOK {
			t.Errorf("status %d in the next minute", answer.Code)
		}
	})
}

func TestGraphQLIsControlledByOtherProcesses(t *testing.T) {
	t.Parallel()
	w := start(t, sim.Options{})
	knobs := `{"graphql_limit":100,"graphql_time":"5ms","graphql_users":50,"graphql_in_flight":2,"secondary_ok":true,"new_node_ids":true}`
	want(t, w.do(http.MethodPost, "/_sim/knobs", knobs), http.StatusOK)
	w.Set(func(o *sim.Options) {
		if o.GraphQLLimit != 100 || o.GraphQLTime != 5*time.Millisecond || o.GraphQLUsers != 50 || o.GraphQLInFlight != 2 || !o.SecondaryOK || !o.NewNodeIDs {
			t.Errorf("options after the request: %+v", o)
		}
	})
}
