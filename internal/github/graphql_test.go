package github

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gistdeal"
	"gistdeal/internal/sim"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// synthetic returns n users that the simulator has, every other one with its node id.
func synthetic(s *sim.Sim, n int) []gistdeal.User {
	s.AddSyntheticUsers(n)
	users := make([]gistdeal.User, n)
	for i := range users {
		u := sim.SyntheticUser(i)
		users[i] = gistdeal.User{ID: u.ID, Login: u.Login}
		if i%2 == 0 {
			users[i].NodeID = nodeID(u.ID)
		}
	}
	return users
}

func TestAProbeOfAHundredUsersIsOneQuery(t *testing.T) {
	t.Parallel()
	s, c, asked := simulate(t, sim.Options{Seed: 1})
	users := synthetic(s, 100)
	published := s.Publish(users[7].ID)
	probes, err := c.Probe(t.Context(), users, false)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(asked.all()); n != 1 || s.Report().Points != 1 {
		t.Errorf("%d requests for %d points, want one of each", n, s.Report().Points)
	}
	for i, p := range probes {
		if p.Err != nil || p.ID != users[i].ID || p.Login != users[i].Login || !strings.HasPrefix(p.NodeID, "U_") || len(p.Latest) != min(p.PublicGists, 3) {
			t.Errorf("user %d: %+v", i, p)
		}
	}
	if probes[7].Latest[0] != published {
		t.Errorf("the newest gist is %s, want %s", probes[7].Latest[0], published)
	}
	for i := range users {
		users[i].NodeID = probes[i].NodeID // The newer form works too.
	}
	if again, err := c.Probe(t.Context(), users, false); err != nil || fmt.Sprint(again) != fmt.Sprint(probes) {
		t.Errorf("by the newer ids: %v, %v", again, err)
	}
	if q := c.Quotas()[1]; q.Name != QuotaGraphQL || q.Limit != 5000 || q.Remaining != 4998 || q.Reserved != 500 {
		t.Errorf("the quota is %+v", q)
	}
	if q := c.Quota(); q.Limit != 0 {
		t.Errorf("the quota of requests is %+v, and none was sent", q)
	}
}

func TestAQueryTellsTheSameOfGistsAsTheirList(t *testing.T) {
	t.Parallel()
	s, c, asked := simulate(t, sim.Options{Seed: 1})
	users := synthetic(s, 100)
	s.AddGist(users[0].Login, sim.Gist{NullDescription: true, NoFiles: true, NoOwner: true, Fork: true})
	s.AddGist(users[1].Login, sim.Gist{Files: manyFiles(10)})
	s.AddGist(users[2].Login, sim.Gist{Files: manyFiles(11)})
	probes, err := c.Probe(t.Context(), users, true)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(asked.all()); n != 1 || s.Report().Points != 1 {
		t.Errorf("%d requests for %d points, want one of each", n, s.Report().Points)
	}
	complete := 0
	for i, p := range probes {
		var want []gistdeal.Gist
		if _, err := listGists(t.Context(), c, users[i].Login, "", func(page gistdeal.GistPage) error {
			want = append(want, page.Gists...)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if p.Err != nil || p.PublicGists != len(want) || p.Complete != (len(want) <= gistdeal.ProbeGists && i != 2) {
			t.Fatalf("%s: %+v\nwant %d gists", users[i].Login, p, len(want))
		}
		if !p.Complete {
			continue
		}
		complete++
		for j := range want { // What only the list tells.
			want[j].Comments, want[j].OwnerID = nil, p.ID
			want[j].Fork = new(i == 0 && j == 0)
			for k := range want[j].Files {
				want[j].Files[k].RawURL, want[j].Files[k].Type = "", ""
			}
		}
		if diff := cmp.Diff(want, p.Gists, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: %s", users[i].Login, diff)
		}
	}
	if complete < 90 {
		t.Errorf("%d of 100 users are complete", complete)
	}
}

func manyFiles(n int) (files []sim.File) {
	for i := range n {
		files = append(files, sim.File{Name: fmt.Sprint("file-", i, ".go"), Size: i})
	}
	return files
}

func TestGistsThatCannotBeReadAreLeftToTheirList(t *testing.T) {
	t.Parallel()
	const good = `{"name": "a1", "createdAt": "2026-11-23T10:20:30Z", "updatedAt": "2026-11-23T10:20:30Z", "isPublic": true, "files": [{"name": "a.go", "size": 1}]}`
	for name, c := range map[string]struct {
		nodes    string
		complete bool
	}{
		"good":             {good, true},
		"files null":       {strings.Replace(good, `[{"name": "a.go", "size": 1}]`, "null", 1), true},
		"null":             {"null", false},
		"twice":            {good + "," + good, false},
		"an odd id":        {strings.Replace(good, "a1", "a/1", 1), false},
		"not public":       {strings.Replace(good, "true", "false", 1), false},
		"a file null":      {strings.Replace(good, `{"name": "a.go", "size": 1}`, "null", 1), false},
		"a nameless file":  {strings.Replace(good, "a.go", "", 1), false},
		"no creation time": {strings.Replace(good, `"createdAt": "2026-11-23T10:20:30Z",`, "", 1), false},
		"fewer than count": {"", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := `{"data": {"u0": {"id": "U_1", "databaseId": 1, "login": "octocat", "gists": {"totalCount": ` + fmt.Sprint(max(1, strings.Count(c.nodes, "a1"))) + `, "nodes": [` + c.nodes + `]}}}}`
			client, _ := serve(t, "", reply(200, map[string]string{"Content-Type": "application/json"}, body))
			probes, err := client.Probe(t.Context(), []gistdeal.User{{Login: "octocat"}}, true)
			if err != nil || probes[0].Err != nil || probes[0].Complete != c.complete {
				t.Errorf("%+v, %v, complete should be %v", probes, err, c.complete)
			}
		})
	}
}

func TestAnAnswerWithoutTheNumberOfGistsSaysNothing(t *testing.T) {
	t.Parallel()
	for _, gists := range []string{`null`, `{"totalCount": null, "nodes": []}`, `{"nodes": []}`} {
		body := `{"data": {"u0": {"id": "U_1", "databaseId": 1, "login": "octocat", "gists": ` + gists + `}}}`
		client, _ := serve(t, "", reply(200, map[string]string{"Content-Type": "application/json"}, body))
		probes, err := client.Probe(t.Context(), []gistdeal.User{{Login: "octocat"}}, true)
		if err != nil || probes[0].Err == nil || gistdeal.KindOf(probes[0].Err) == gistdeal.NotFound {
			t.Errorf("%s: %+v, %v, want an error about the answer", gists, probes, err)
		}
	}
}

func TestAMissingUserFailsNoOther(t *testing.T) {
	t.Parallel()
	s, c, _ := simulate(t, sim.Options{Seed: 1})
	users := synthetic(s, 6)
	s.DeleteUser(users[2].Login) // Asked for by its id,
	s.DeleteUser(users[3].Login) // and by its login.
	s.ConvertUser(users[4].Login)
	probes, err := c.Probe(t.Context(), users, false)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range probes {
		missing := i >= 2 && i <= 4
		if missing != (gistdeal.KindOf(p.Err) == gistdeal.NotFound) || !missing && p.ID != users[i].ID {
			t.Errorf("user %d: %+v", i, p)
		}
	}
}

func TestALargeBatchIsAskedForInParts(t *testing.T) {
	t.Parallel()
	s, c, asked := simulate(t, sim.Options{Seed: 1, GraphQLUsers: 40})
	users := synthetic(s, 100)
	probes, err := c.Probe(t.Context(), users, false)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range probes {
		if p.Err != nil || p.ID != users[i].ID {
			t.Errorf("user %d: %+v", i, p)
		}
	}
	if n := len(asked.all()); n < 3 || n > 4 || c.pool.batch() >= 100 {
		t.Errorf("%d queries, and the next one has %d users", n, c.pool.batch())
	}
	s.Set(func(o *sim.Options) { o.GraphQLUsers = 0 })
	for range 40 {
		if _, err := c.Probe(t.Context(), users, false); err != nil {
			t.Fatal(err)
		}
	}
	if n := c.pool.batch(); n != 100 {
		t.Errorf("the next query has %d users, want 100 again", n)
	}
}

func TestAQueryThatGitHubDoesNotFinishIsHalved(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.HandlerFunc{
		"502":            reply(http.StatusBadGateway, nil, `{"message": "We couldn't respond to your request in time. Sorry about that."}`),
		"resources":      reply(http.StatusOK, nil, `{"data": null, "errors": [{"type": "RESOURCE_LIMITS_EXCEEDED", "message": "Resource limits for this query exceeded."}]}`),
		"a null parent":  reply(http.StatusOK, nil, `{"data": {"nodes": null}, "errors": [{"type": "RESOURCE_LIMITS_EXCEEDED", "path": ["nodes"], "message": "Resource limits for this query exceeded."}]}`),
		"without a type": reply(http.StatusOK, nil, `{"data": null, "errors": [{"message": "Something went wrong while executing your query."}]}`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var sizes []int
			c, _ := serve(t, "", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				var q struct {
					Variables struct{ IDs []string } `json:"variables"`
				}
				_ = json.NewDecoder(r.Body).Decode(&q)
				sizes = append(sizes, len(q.Variables.IDs))
				answer(w, r)
			}))
			users := make([]gistdeal.User, 100)
			for i := range users {
				users[i] = gistdeal.User{ID: int64(i + 1), NodeID: fmt.Sprint("U_", i)}
			}
			_, err := c.Probe(t.Context(), users, false)
			wantKind(t, err, gistdeal.Temporary)
			if !slices.Equal(sizes, []int{100, 50, 25}) {
				t.Errorf("the queries had %v users", sizes)
			}
		})
	}
}

func TestARefusedQueryStopsWhatItHasTo(t *testing.T) {
	t.Parallel()
	const secondary = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
	const half = 30 * time.Minute
	begin := time.Now()
	reset := fmt.Sprint(begin.Add(half).Unix())
	spent := map[string]string{"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset, "X-RateLimit-Resource": "graphql"}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		kind   gistdeal.Kind
		wait   time.Duration
		all    bool // other requests have to wait as well
	}{
		"points spent":        {reply(200, spent, `{"errors": [{"type": "RATE_LIMIT", "code": "graphql_rate_limit", "message": "API rate limit already exceeded for user ID 1."}]}`), gistdeal.Limited, half, false},
		"points spent, old":   {reply(200, spent, `{"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]}`), gistdeal.Limited, half, false},
		"points spent, 403":   {reply(403, spent, `{"message": "API rate limit exceeded"}`), gistdeal.Limited, half, false},
		"secondary, 200":      {reply(200, nil, `{"errors": [{"message": "`+secondary+`"}]}`), gistdeal.Limited, time.Minute, true},
		"secondary, 403":      {reply(403, map[string]string{"Retry-After": "90"}, `{"message": "`+secondary+`"}`), gistdeal.Limited, 90 * time.Second, true},
		"no access":           {reply(403, nil, `{"message": "Resource not accessible by personal access token"}`), gistdeal.Invalid, 0, false},
		"no access, 200":      {reply(200, nil, `{"data": {"nodes": [null]}, "errors": [{"type": "FORBIDDEN", "path": ["nodes", 0, "gists"], "message": "Resource not accessible by integration"}]}`), gistdeal.Unauthorized, 0, false},
		"no such API":         {reply(404, nil, `{"message": "Not Found"}`), gistdeal.NotFound, 0, false},
		"a refused token":     {reply(401, nil, `{"message": "Bad credentials"}`), gistdeal.Unauthorized, 0, false},
		"an invalid query":    {reply(200, nil, `{"errors": [{"message": "Field 'gists' doesn't exist on type 'User'"}]}`), gistdeal.Invalid, 0, false},
		"something else":      {reply(200, map[string]string{"Content-Type": "text/html"}, `<html>`), gistdeal.Temporary, 0, false},
		"an answer to little": {reply(200, nil, `{}`), gistdeal.Temporary, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, _ := serve(t, "", c.answer)
			_, err := client.Probe(t.Context(), []gistdeal.User{{ID: 1, NodeID: "U_1"}}, false)
			wantKind(t, err, c.kind)
			want := c.wait
			if want == half {
				want = time.Until(begin.Add(half)) // Parallel tests may begin late.
			}
			if got := gistdeal.RetryAfter(err); (got - want).Abs() > 5*time.Second {
				t.Errorf("retry after %s, want %s", got, want)
			}
			if blocked := client.Ready() != nil; blocked != c.all {
				t.Errorf("other requests wait: %v, want %v", blocked, c.all)
			}
			if waits := client.ProbeReady() != nil; waits != (c.kind == gistdeal.Limited) {
				t.Errorf("queries wait: %v", waits)
			}
		})
	}
}

func TestTheReservedPointsAreLeft(t *testing.T) {
	t.Parallel()
	s, c, _ := simulate(t, sim.Options{Seed: 1, GraphQLLimit: 100})
	users := synthetic(s, 1)
	queries := 0
	for c.ProbeReady() == nil {
		if _, err := c.Probe(t.Context(), users, false); err != nil {
			t.Fatal(err)
		}
		queries++
	}
	if queries != 90 {
		t.Errorf("%d queries, want 90 of 100", queries)
	}
	wantKind(t, c.ProbeReady(), gistdeal.Limited)
	if err := c.Background().Ready(); err != nil {
		t.Errorf("other requests wait: %v", err)
	}
}

func TestWithoutATokenNoQueryIsSent(t *testing.T) {
	t.Parallel()
	c, err := New("http://127.0.0.1:9", Options{})
	if err != nil {
		t.Fatal(err)
	}
	wantKind(t, c.ProbeReady(), gistdeal.Unauthorized)
	_, err = c.Probe(t.Context(), []gistdeal.User{{Login: "octocat"}}, false)
	wantKind(t, err, gistdeal.Unauthorized)
}

func TestAnEnterpriseServerHasItsOwnGraphQLAddress(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{"": "/graphql", "/api/v3": "/api/graphql"} {
		c, asked := serve(t, path, reply(404, nil, `{}`))
		_, err := c.Probe(t.Context(), []gistdeal.User{{Login: "octocat"}}, false)
		wantKind(t, err, gistdeal.NotFound)
		if got := asked.all()[0].URL.Path; got != want {
			t.Errorf("%q was requested for %q, want %q", got, path, want)
		}
	}
}

func TestQueriesTakeLessThanFortyFiveSecondsOfAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const took = 4 * time.Second
		c, err := New("https://api.github.com", Options{Token: token, Transport: handled{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(took)
			reply(200, nil, `{"data": {"rateLimit": {"cost": 1}, "nodes": [{"id": "U_1", "databaseId": 1, "login": "a", "gists": {"totalCount": 0, "nodes": []}}]}}`)(w, r)
		})}})
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		const queries = 60
		for range queries {
			if _, err := c.Probe(t.Context(), []gistdeal.User{{ID: 1, NodeID: "U_1"}}, false); err != nil {
				t.Fatal(err)
			}
		}
		if share := float64(queries*took) / float64(time.Since(begin)); share > 0.85 || share < 0.6 {
			t.Errorf("queries take %.2f of the time, want about three quarters", share)
		}
	})
}
