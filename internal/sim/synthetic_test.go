package sim_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"gistdeal/internal/sim"
)

func TestSyntheticUsersHaveLoginsAndIDs(t *testing.T) {
	t.Parallel()
	w := start(t, sim.Options{Seed: 1, GitHubLimit: -1})
	w.AddSyntheticUsers(400)
	w.AddSyntheticUsers(600)
	sizes := map[int]int{}
	for k := range 200 {
		u := sim.SyntheticUser(k)
		byLogin := w.get("/users/" + strings.ToUpper(u.Login))
		want(t, byLogin, http.StatusOK, `"login":"`+u.Login+`"`, fmt.Sprintf(`"id":%d,`, u.ID))
		if byID := w.get(fmt.Sprintf("/user/%d", u.ID)); byID.text != byLogin.text {
			t.Errorf("by id: %s\nby login: %s", byID.text, byLogin.text)
		}
		gists := decode[[]gistView](t, w.get("/users/"+u.Login+"/gists?per_page=100"))
		sizes[len(gists)]++
		if !slices.IsSortedFunc(gists, func(a, b gistView) int { return b.CreatedAt.Compare(a.CreatedAt) }) {
			t.Errorf("the gists of %s are not sorted", u.Login)
		}
		for _, g := range gists {
			want(t, w.get("/gists/"+g.ID), http.StatusOK, g.ID, `"login":"`+u.Login+`"`)
		}
	}
	if sizes[0] < 50 || sizes[1] < 20 || len(sizes) < 8 {
		t.Errorf("users by the number of their gists: %v", sizes)
	}
	for _, login := range []string{"Syn-1000", "Syn-01", "Syn--1", "Syn-", "Syn"} {
		want(t, w.get("/users/"+login), http.StatusNotFound)
	}
	wantFeed(t, w)
	if n := w.Report().Gists; n != 0 {
		t.Errorf("%d gists in the report, want none before any change", n)
	}
}

func TestSyntheticUsersMayHaveOnlyTheGistsThatTheyPublish(t *testing.T) {
	t.Parallel()
	w := start(t, sim.Options{Seed: 1, GitHubLimit: -1, EmptySynthetic: true})
	w.AddSyntheticUsers(50)
	id := w.Publish(sim.SyntheticUser(7).ID)
	for k := range 50 {
		gists := gistIDs(decode[[]gistView](t, w.get("/users/"+sim.SyntheticUser(k).Login+"/gists")))
		if want := k == 7; len(gists) > 0 != want || want && !slices.Equal(gists, []string{id}) {
			t.Errorf("user %d has the gists %v", k, gists)
		}
	}
}

func TestASyntheticUserPublishesOnDemand(t *testing.T) {
	t.Parallel()
	c := newClock()
	w := start(t, sim.Options{Seed: 1, Now: c.now, GitHubLimit: -1})
	w.AddSyntheticUsers(1_000_000)
	u := sim.SyntheticUser(123_456)
	path := "/users/" + u.Login + "/gists"
	before := decode[[]gistView](t, w.get(path))
	id := w.Publish(u.ID)
	after := decode[[]gistView](t, w.get(path))
	if !slices.Equal(gistIDs(after), append([]string{id}, gistIDs(before)...)) {
		t.Errorf("%v before, %v after %s", gistIDs(before), gistIDs(after), id)
	}
	wantFeed(t, w, id)
	ids := w.PublishRandom(10)
	if r := w.Report(); len(ids) != 10 || r.Gists != 11 || !slices.Contains(r.WithoutDeal, ids[0]) {
		t.Errorf("%d published, %d gists in the report", len(ids), r.Gists)
	}
	if w.Publish(1) != "" {
		t.Error("a user that does not exist published a gist")
	}
}

func TestChangedSyntheticUsersStayChanged(t *testing.T) {
	t.Parallel()
	w := start(t, sim.Options{Seed: 1, GitHubLimit: -1})
	w.AddSyntheticUsers(10)
	login := func(k int) string { return sim.SyntheticUser(k).Login }
	byID := func(k int) string { return fmt.Sprintf("/user/%d", sim.SyntheticUser(k).ID) }
	w.RenameUser(login(1), "renamed")
	want(t, w.get(byID(1)), http.StatusOK, `"login":"renamed"`)
	want(t, w.get("/users/"+login(1)), http.StatusNotFound)
	w.DeleteUser(login(2))
	want(t, w.get(byID(2)), http.StatusNotFound)
	want(t, w.get("/users/"+login(2)), http.StatusNotFound)
	w.SuspendUser(login(3), true)
	want(t, w.get(byID(3)), http.StatusNotFound)
	if id := w.Publish(sim.SyntheticUser(3).ID); id != "" {
		t.Errorf("a suspended user published %s", id)
	}
	w.ConvertUser(login(4))
	want(t, w.get(byID(4)), http.StatusOK, `"type":"Organization"`)
	id := w.AddGist(login(5), sim.Gist{Secret: true})
	wantFeed(t, w)
	w.MakePublic(id)
	wantFeed(t, w, id)
	if again := w.AddUser(sim.User{Login: login(6)}); again != sim.SyntheticUser(6).ID {
		t.Errorf("user %d was added, want %d", again, sim.SyntheticUser(6).ID)
	}
}

func TestGeneratedGistsAreEditedDeletedAndPublished(t *testing.T) {
	t.Parallel()
	w := start(t, sim.Options{Seed: 1, GitHubLimit: -1})
	w.AddSyntheticUsers(1_000)
	mine := func(k int) []gistView {
		login := sim.SyntheticUser(k).Login
		w.Set(func(o *sim.Options) { o.TokenUser = login })
		return decode[[]gistView](t, w.get("/users/"+login+"/gists?per_page=100", "Authorization", "Bearer mine"))
	}
	secret, public := "", ""
	for k := 0; secret == "" || public == ""; k++ {
		for _, g := range mine(k) {
			if g.Public {
				public = g.ID
			} else {
				secret = g.ID
			}
		}
	}
	if !w.MakePublic(secret) {
		t.Errorf("%s was not secret", secret)
	}
	wantFeed(t, w, secret)
	w.EditGist(public, func(g *sim.Gist) { g.Description = "edited" })
	want(t, w.get("/gists/"+public), http.StatusOK, `"description":"edited"`)
	w.DeleteGist(public)
	want(t, w.get("/gists/"+public), http.StatusNotFound)
}

func TestOtherProcessesAddSyntheticUsersAndPublish(t *testing.T) {
	t.Parallel()
	w := start(t, sim.Options{})
	want(t, w.do(http.MethodPost, "/_sim/synthetic", `{"users":50}`), http.StatusOK, `"first_id":100000000`, `"first_login":"Syn-0"`)
	want(t, w.do(http.MethodPost, "/_sim/synthetic", `{"users":0}`), http.StatusBadRequest)
	want(t, w.do(http.MethodPost, "/_sim/publish", `{"users":[100000007],"random":2}`), http.StatusOK, `"gists":["`)
	want(t, w.do(http.MethodPost, "/_sim/publish", `{"users":[7]}`), http.StatusNotFound)
	if n := len(w.feed("")); n != 3 {
		t.Errorf("%d gists in the feed, want 3", n)
	}
}

// TestAMillionSyntheticUsersNeedLittleMemory is not parallel, because it measures the
// heap of the process.
func TestAMillionSyntheticUsersNeedLittleMemory(t *testing.T) {
	before := heap()
	s := sim.New(sim.Options{Seed: 1, GitHubLimit: -1})
	s.AddSyntheticUsers(1_000_000)
	s.PublishRandom(10_000)
	s.PostStrangers(10_000, time.Hour)
	for k := range 1_000 {
		read(t, s, sim.SyntheticUser(1_000*k).Login)
	}
	const most = 100 << 20
	if used := heap() - before; used > most {
		t.Errorf("%d bytes, want at most %d", used, most)
	} else {
		t.Logf("%d MB", used>>20)
	}
	runtime.KeepAlive(s)
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func read(t testing.TB, s *sim.Sim, login string) {
	t.Helper()
	serve(t, s, http.MethodGet, "/users/"+login+"/gists", "")
}

// serve sends a request without a network and discards the answer.
func serve(t testing.TB, s *sim.Sim, method, path, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("User-Agent", "test")
	r.Header.Set("Authorization", "Bearer a")
	s.ServeHTTP(&discard{}, r)
}

func BenchmarkListOfOneOfAMillionSyntheticUsers(b *testing.B) {
	s := sim.New(sim.Options{Seed: 1, GitHubLimit: -1})
	s.AddSyntheticUsers(1_000_000)
	for k := 0; b.Loop(); k++ {
		read(b, s, sim.SyntheticUser(k*7919%1_000_000).Login)
	}
}

func BenchmarkSweepOfAHundredOfAMillionSyntheticUsers(b *testing.B) {
	s := sim.New(sim.Options{Seed: 1, GraphQLLimit: -1})
	s.AddSyntheticUsers(1_000_000)
	list := make([]string, 100)
	for k := 0; b.Loop(); k = (k + 100) % 1_000_000 {
		for i := range list {
			id := sim.SyntheticUser(k + i).ID
			list[i] = base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "04:User%d", id))
		}
		serve(b, s, http.MethodPost, "/graphql", queryBody(b, sweep, ids(list...)))
	}
	if p := s.Report().Points; p != b.N {
		b.Errorf("%d points for %d queries", p, b.N)
	}
}

func BenchmarkPageOfAFullFeed(b *testing.B) {
	s := sim.New(sim.Options{Seed: 1, GitHubLimit: -1, FeedLagMin: 6 * time.Second, FeedLagMax: 33 * time.Second, FeedOmits: 0.01})
	s.PostStrangers(10_000, time.Hour)
	for b.Loop() {
		serve(b, s, http.MethodGet, "/gists/public?per_page=100", "")
	}
}
