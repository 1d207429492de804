package sim_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"gistdeal/internal/sim"
)

// sweep reads the newest gists of users by their node ids.
const sweep = `query Sweep($ids:[ID!]!) { rateLimit { cost limit remaining used resetAt nodeCount }
  nodes(ids:$ids) { __typename ... on User { id databaseId login
    gists(first:3, privacy:PUBLIC, orderBy:{field:CREATED_AT, direction:DESC}) { totalCount
      nodes { name description createdAt updatedAt isFork url files(limit:5) { name size language { name } } } } } } }`

// queryAnswer is an answer of GraphQL. The aliases of users are u0, u1 and so on.
type queryAnswer struct {
	Data struct {
		RateLimit rateView    `json:"rateLimit"`
		Nodes     []*userView `json:"nodes"`
		U0        *userView   `json:"u0"`
		U1        *userView   `json:"u1"`
		U2        *userView   `json:"u2"`
	} `json:"data"`
	Errors []struct {
		Type    string `json:"type"`
		Code    string `json:"code"`
		Path    []any  `json:"path"`
		Message string `json:"message"`
	} `json:"errors"`
}

type rateView struct {
	Cost, Limit, Remaining, Used, NodeCount int
	ResetAt                                 time.Time
}

type userView struct {
	Typename   string `json:"__typename"`
	ID         string `json:"id"`
	DatabaseID int64  `json:"databaseId"`
	Login      string `json:"login"`
	Gists      struct {
		TotalCount int `json:"totalCount"`
		Nodes      []struct {
			Name string `json:"name"`
		} `json:"nodes"`
		PageInfo struct {
			EndCursor   string `json:"endCursor"`
			HasNextPage bool   `json:"hasNextPage"`
		} `json:"pageInfo"`
	} `json:"gists"`
}

func (u *userView) names() []string {
	names := []string{}
	for _, g := range u.Gists.Nodes {
		names = append(names, g.Name)
	}
	return names
}

// failures returns "TYPE path" of each error.
func (a queryAnswer) failures() []string {
	list := []string{}
	for _, e := range a.Errors {
		list = append(list, strings.TrimSpace(e.Type+" "+strings.Trim(fmt.Sprint(e.Path), "[]")))
	}
	return list
}

func queryBody(t testing.TB, query string, variables any) string {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// query sends a query with a token; header has names and values in turn.
func (w *world) query(query string, variables any, header ...string) response {
	w.t.Helper()
	return w.do(http.MethodPost, "/graphql", queryBody(w.t, query, variables), append([]string{"Authorization", "Bearer a"}, header...)...)
}

func (w *world) ask(query string, variables any, header ...string) queryAnswer {
	w.t.Helper()
	g := w.query(query, variables, header...)
	want(w.t, g, http.StatusOK)
	return decode[queryAnswer](w.t, g)
}

func ids(list ...string) map[string][]string { return map[string][]string{"ids": list} }

// nodeIDs returns the ids of synthetic users, as REST shows them.
func (w *world) nodeIDs(n int) []string {
	w.t.Helper()
	var list []string
	for k := range n {
		list = append(list, w.nodeID(sim.SyntheticUser(k).Login))
	}
	return list
}

func (w *world) nodeID(login string, header ...string) string {
	w.t.Helper()
	return decode[struct {
		NodeID string `json:"node_id"`
	}](w.t, w.get("/users/"+login, header...)).NodeID
}

func wantFailures(t *testing.T, a queryAnswer, failures ...string) {
	t.Helper()
	if !slices.Equal(a.failures(), failures) {
		t.Errorf("errors %q, want %q", a.failures(), failures)
	}
}

func TestASweepReadsAHundredUsersForOnePoint(t *testing.T) {
	t.Parallel()
	w := start(t, sim.Options{Seed: 1, GitHubLimit: -1})
	w.AddSyntheticUsers(100)
	a := w.ask(sweep, ids(w.nodeIDs(100)...))
	wantFailures(t, a)
	for k, u := range a.Data.Nodes {
		user := sim.SyntheticUser(k)
		gists := decode[[]gistView](t, w.get("/users/"+user.Login+"/gists?per_page=100"))
		newest := gistIDs(gists)[:min(3, len(gists))]
		if u.Typename != "User" || u.DatabaseID != user.ID || u.Login != user.Login || u.Gists.TotalCount != len(gists) || !slices.Equal(u.names(), newest) {
			t.Errorf("node %d is %+v, want %+v with %d gists, the newest %v", k, u, user, len(gists), newest)
		}
	}
	if r := a.Data.RateLimit; r.Cost != 1 || r.NodeCount != 300 || r.Limit != 5_000 || r.Used != 1 || r.Remaining != 4_999 {
		t.Errorf("rateLimit: %+v", r)
	}
	if r := w.Report(); r.Requests["POST /graphql"] != 1 || r.Points != 1 {
		t.Errorf("%d queries for %d points in the report", r.Requests["POST /graphql"], r.Points)
	}
}

func TestEachMissingUserOfASweepIsNullWithAnErrorOfItsOwn(t *testing.T) {
	t.Parallel()
	w := start(t, sim.Options{Seed: 1, GitHubLimit: -1})
	w.AddSyntheticUsers(10)
	list := append(w.nodeIDs(5), "MDQ6VXNlcjk5OTk5OTk=", "nonsense", "U_kgDO", "")
	w.DeleteUser(sim.SyntheticUser(1).Login)
	w.SuspendUser(sim.SyntheticUser(2).Login, true)
	w.ConvertUser(sim.SyntheticUser(3).Login)
	w.RenameUser(sim.SyntheticUser(4).Login, "renamed")
	list = append(list, w.nodeID(sim.SyntheticUser(3).Login)) // ids of organizations differ
	a := w.ask(sweep, ids(list...))
	wantFailures(t, a, "NOT_FOUND nodes 1", "NOT_FOUND nodes 2", "NOT_FOUND nodes 5", "NOT_FOUND nodes 6", "NOT_FOUND nodes 7", "NOT_FOUND nodes 8")
	if len(a.Data.Nodes) != 10 || a.Data.Nodes[1] != nil || a.Data.Nodes[8] != nil {
		t.Fatalf("%d nodes: %+v", len(a.Data.Nodes), a.Data.Nodes)
	}
	if message := a.Errors[2].Message; message != "Could not resolve to a node with the global id of 'MDQ6VXNlcjk5OTk5OTk='." {
		t.Error(message)
	}
	if u := a.Data.Nodes[9]; u.Typename != "Organization" || u.ID != "" {
		t.Errorf("an organization: %+v", u)
	}
	if u := a.Data.Nodes[4]; u.Login != "renamed" || u.ID != list[4] {
		t.Errorf("a renamed user: %+v, want node id %s", u, list[4])
	}
}

func TestAliasesLookUpUsersByLogin(t *testing.T) {
	t.Parallel()
	w := start(t, sim.Options{})
	w.MakeGists("Octocat", 2)
	w.AddUser(sim.User{Login: "acme", Type: "Organization"})
	a := w.ask(`query($a: String!, $n: Int = 1) {
		u0: user(login: $a) { ...parts } u1: user(login: "acme") { ...parts } u2: user(login: "no\"body") { ...parts } }
		fragment parts on User { login databaseId @skip(if: true) gists(first: $n) { totalCount nodes { name } } }`, map[string]string{"a": "octoCAT"})
	wantFailures(t, a, "NOT_FOUND u1", "NOT_FOUND u2")
	if u := a.Data.U0; u == nil || u.Login != "Octocat" || u.DatabaseID != 0 || u.Gists.TotalCount != 2 || len(u.names()) != 1 {
		t.Errorf("u0: %+v", u)
	}
	if a.Data.U1 != nil || a.Errors[0].Message != "Could not resolve to a User with the login of 'acme'." {
		t.Errorf("u1: %+v, %s", a.Data.U1, a.Errors[0].Message)
	}
	g := w.query(`{ repositoryOwner(login:"ACME") { __typename login } viewer { login } missing: repositoryOwner(login:"x") { id } }`, nil)
	want(t, g, http.StatusOK, `"__typename":"Organization"`, `"viewer":{"login":"sim-machine"}`, `"missing":null`)
}

func TestNodeIDsHaveTwoFormats(t *testing.T) {
	t.Parallel()
	w := start(t, sim.Options{})
	w.AddUser(sim.User{Login: "octocat", ID: 583231})
	w.AddUser(sim.User{Login: "acme", ID: 1, Type: "Organization"})
	gist := w.AddGist("octocat", sim.Gist{ID: "6cad326836d38bd3a7ae6cad326836d3"})
	const legacy, next = "MDQ6VXNlcjU4MzIzMQ==", "U_kgDOAAjmPw"
	if old, young := w.nodeID("octocat"), w.nodeID("octocat", "X-Github-Next-Global-Id", "1"); old != legacy || young != next {
		t.Errorf("REST: %s and %s", old, young)
	}
	if org := w.nodeID("acme", "X-Github-Next-Global-Id", "1"); org != "O_kgDOAAAAAQ" {
		t.Errorf("the organization: %s", org)
	}
	const query = `query($ids:[ID!]!) { nodes(ids:$ids) { id ... on User { login } ... on Gist { name } } }`
	a := w.ask(query, ids(legacy, next))
	if a.Data.Nodes[0].ID != legacy || a.Data.Nodes[1].ID != legacy {
		t.Errorf("without the header: %+v %+v", a.Data.Nodes[0], a.Data.Nodes[1])
	}
	for _, version := range []string{"0", "1"} {
		header := []string{"X-Github-Next-Global-Id", version}
		id := decode[struct {
			NodeID string `json:"node_id"`
		}](t, w.get("/gists/"+gist, header...)).NodeID
		want(t, w.query(query, ids(id, next), header...), http.StatusOK, `"id":"`+id+`"`, `"name":"`+gist+`"`)
	}
	w.Set(func(o *sim.Options) { o.NewNodeIDs = true })
	if a := w.ask(query, ids(legacy)); a.Data.Nodes[0].ID != next || w.nodeID("octocat") != next {
		t.Errorf("with the option: %+v", a.Data.Nodes[0])
	}
}

func TestGistsAreOrderedAndPagedAsAsked(t *testing.T) {
	t.Parallel()
	c := newClock()
	w := start(t, sim.Options{Now: c.now, TokenUser: "author"})
	for _, login := range []string{"author", "octocat"} {
		for _, g := range []sim.Gist{{ID: login + "1"}, {ID: login + "2", Secret: true}, {ID: login + "3"}} {
			w.AddGist(login, g)
			c.advance(time.Minute)
		}
	}
	w.EditGist("octocat1", func(g *sim.Gist) { g.Comments++ })
	tests := []struct{ login, args, names string }{
		{"octocat", "first:5", "octocat1 octocat3"},
		{"octocat", "first:5, orderBy:{field:CREATED_AT, direction:DESC}", "octocat3 octocat1"},
		{"octocat", "first:5, orderBy:{field:UPDATED_AT, direction:DESC}", "octocat1 octocat3"},
		{"octocat", "last:1, orderBy:{field:PUSHED_AT, direction:ASC}", "octocat1"},
		{"octocat", "first:5, privacy:ALL", "octocat1 octocat3"},
		{"octocat", "first:5, privacy:SECRET", ""},
		{"author", "first:5, privacy:PUBLIC", "author1 author3"},
		{"author", "first:5, privacy:SECRET", "author2"},
		{"author", "first:1, privacy:ALL, orderBy:{field:CREATED_AT, direction:DESC}", "author3"},
	}
	for _, tt := range tests {
		a := w.ask(`{ u0: user(login:"`+tt.login+`") { gists(`+tt.args+`) { nodes { name } } } }`, nil)
		if got := strings.Join(a.Data.U0.names(), " "); got != tt.names {
			t.Errorf("%s of %s: %s, want %s", tt.args, tt.login, got, tt.names)
		}
	}
	page := func(after string) *userView {
		const query = `query($after:String) { u0: user(login:"author") { gists(first:2, privacy:ALL, after:$after) {
			totalCount nodes { name } edges { cursor node { name } } pageInfo { endCursor hasNextPage hasPreviousPage startCursor } } } }`
		variables := map[string]any{"after": nil}
		if after != "" {
			variables["after"] = after
		}
		return w.ask(query, variables).Data.U0
	}
	first := page("")
	second := page(first.Gists.PageInfo.EndCursor)
	if !first.Gists.PageInfo.HasNextPage || second.Gists.PageInfo.HasNextPage || !slices.Equal(append(first.names(), second.names()...), []string{"author1", "author2", "author3"}) {
		t.Errorf("pages %v and %v", first.names(), second.names())
	}
	wantFailures(t, w.ask(`{ u0: user(login:"author") { gists(first:2, after:"x") { totalCount } } }`, nil), "INVALID_CURSOR_ARGUMENTS u0 gists")
}

func TestAGistThatBecomesPublicShowsInTheTotalOnly(t *testing.T) {
	t.Parallel()
	c := newClock()
	w := start(t, sim.Options{Now: c.now, QuietFlips: true})
	secret := w.AddGist("octocat", sim.Gist{Secret: true})
	for range 5 {
		c.advance(time.Minute)
		w.AddGist("octocat", sim.Gist{})
	}
	node := ids(w.nodeID("octocat"))
	before := w.ask(sweep, node).Data.Nodes[0]
	w.MakePublic(secret)
	after := w.ask(sweep, node).Data.Nodes[0]
	if !slices.Equal(before.names(), after.names()) || after.Gists.TotalCount != before.Gists.TotalCount+1 {
		t.Errorf("before %+v, after %+v", before, after)
	}
}
