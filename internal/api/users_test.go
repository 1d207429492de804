package api_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"gistdeal"
	"gistdeal/internal/admin"
	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

type userList struct {
	Users []admin.CountedUser `json:"users"`
	Next  string              `json:"next"`
}

type resultList struct {
	Backfill gistdeal.Backfill `json:"backfill"`
	Results  []admin.Result    `json:"results"`
}

func TestUsersAreAddedAsJSONTextAndCSVWithAResultForEach(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, login := range []string{"alice", "bob", "carol", "dave"} {
		w.sim.MakeGists(login, 1)
	}
	for _, tt := range []struct {
		kind, body string
		want       []string
	}{
		{
			"application/json", `{"users":["alice","https://github.com/bob","alice","-bad-","nobody-here"]}`,
			[]string{"alice added", "https://github.com/bob added", "alice invalid", "-bad- invalid", "nobody-here not_found"},
		},
		{"text/plain; charset=utf-8", "# friends\n@carol\nalice\n", []string{"@carol added", "alice tracked"}},
		{"text/csv", "login,company\ndave,ACME\nbob,Umbrella\n", []string{"dave added", "bob tracked"}},
	} {
		var list resultList
		w.read(w.send(http.MethodPost, "/users", tt.body, "Content-Type: "+tt.kind), http.StatusOK, &list)
		got := []string{}
		for _, r := range list.Results {
			got = append(got, r.Input+" "+r.Result)
			if r.Result == "invalid" && r.Reason == "" {
				t.Errorf("no reason for %v", r)
			}
		}
		slices.Sort(got)
		slices.Sort(tt.want)
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.kind, got, tt.want)
		}
	}
	var list userList
	w.get("/users", &list)
	if len(list.Users) != 4 {
		t.Errorf("%d users are tracked, want 4", len(list.Users))
	}
}

func TestUsersAreAddedWithTheirTags(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, login := range []string{"alice", "bob", "carol", "dave", "erin"} {
		w.sim.MakeGists(login, 1)
	}
	const vip = `{"rules":[{"name":"vip","action":"create","all":[{"fact":"tag","value":"vip"}]},{"name":"others","action":"skip"}]}`
	w.read(w.send(http.MethodPut, "/rules", vip), http.StatusOK, nil)
	w.read(w.send(http.MethodPost, "/users", "login,tags\nalice,vip emea\nbob,\n", "Content-Type: text/csv"), http.StatusOK, nil)
	w.begun(w.send(http.MethodPost, "/users", "tags;login\nvip;carol\n;dave\n", "Content-Type: text/csv", "Prefer: respond-async"))
	w.read(w.send(http.MethodPost, "/users", `{"users":["erin","dave"],"tags":["late"],"user_tags":{"erin":["vip"]}}`), http.StatusOK, nil)
	for login, want := range map[string]string{"alice": "emea vip, vip", "bob": ", others", "carol": "vip, vip", "dave": "late, others", "erin": "late vip, vip"} {
		testenv.Eventually(t, login+" has its tags and a decision", func() bool {
			var u admin.CountedUser
			var deals struct{ Deals []gistdeal.DealSummary }
			w.get("/users/"+login, &u)
			w.get("/deals?user="+login, &deals)
			return len(deals.Deals) == 1 && strings.Join(u.Tags, " ")+", "+deals.Deals[0].Rule == want
		})
	}
	for _, body := range []string{`{"users":["alice"],"tags":["V I P"]}`, `{"users":["alice"],"user_tags":{"bob":["vip"]}}`} {
		w.refused(w.send(http.MethodPost, "/users", body), http.StatusBadRequest, "invalid")
		w.refused(w.send(http.MethodPost, "/users", body, "Prefer: respond-async"), http.StatusBadRequest, "invalid")
	}
}

func TestUsersAreListedInPagesSortedAndFiltered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.track(1, "alice", "bob", "carol", "bobby", "zed")
	var done admin.Result
	w.read(w.send(http.MethodPost, "/users/carol/pause", ""), http.StatusOK, &done)
	w.read(w.send(http.MethodDelete, "/users/zed", ""), http.StatusOK, &done)
	all := func(query string) (logins []string) {
		for cursor := ""; ; {
			var list userList
			w.get("/users?limit=2&"+query+cursor, &list)
			for _, u := range list.Users {
				logins = append(logins, u.Login)
			}
			if list.Next == "" {
				return logins
			}
			cursor = "&cursor=" + url.QueryEscape(list.Next)
		}
	}
	for query, want := range map[string]string{
		"":                                "alice bob bobby carol",
		"sort=login":                      "alice bob bobby carol",
		"sort=-login":                     "carol bobby bob alice",
		"search=BOB":                      "bob bobby",
		"state=paused":                    "carol",
		"state=paused,removed&sort=login": "carol zed",
		"sort=-last_scan&search=zzz":      "",
	} {
		got := all(query)
		if query == "" {
			slices.Sort(got) // The simulator chooses the ids.
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %v, want %s", query, got, want)
		}
	}
	var list userList
	w.get("/users?search=alice", &list)
	if u := list.Users[0]; u.Deals["created"] != 1 || u.LastScanAt.IsZero() || u.State != "active" {
		t.Errorf("alice is shown as %+v", u)
	} else if u.Activity != nil {
		t.Errorf("alice is shown with the activity %+v, which was not requested", u.Activity)
	}
	w.get("/users?search=alice&include=activity", &list)
	if a := list.Users[0].Activity; a == nil || a.NewestGist == nil || len(a.Weeks) != gistdeal.ActivityWeeks {
		t.Errorf("the activity of alice is %+v", a)
	}
	for query, want := range map[string]int{"include=files": 400, "sort=shoesize": 400, "limit=0": 400, "limit=501": 400, "state=happy": 400, "cursor=abc": 400, "colour=red": 400} {
		w.refused(w.send(http.MethodGet, "/users?"+query, ""), want, "invalid")
	}
}

func TestOneUserIsPausedResumedScannedAndRemoved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.track(1, "alice")
	var u admin.CountedUser
	var done admin.Result
	for _, step := range []struct{ method, path, result, state string }{
		{"POST", "/users/alice/pause", "paused", "paused"},
		{"POST", "/users/alice/pause", "unchanged", "paused"},
		{"POST", "/users/ALICE/resume", "resumed", "active"},
		{"POST", "/users/alice/approve", "unchanged", "active"},
	} {
		w.read(w.send(step.method, step.path, ""), http.StatusOK, &done)
		w.get("/users/alice", &u)
		if done.Result != step.result || string(u.State) != step.state {
			t.Errorf("%s: result %s, state %s; want %s and %s", step.path, done.Result, u.State, step.result, step.state)
		}
	}
	w.sim.AddGist("alice", sim.Gist{ID: "ab12"})
	w.read(w.send(http.MethodPost, "/users/alice/scan", ""), http.StatusAccepted, &done)
	testenv.Eventually(w.t, "the new gist", func() bool {
		w.get("/users/alice", &u)
		return u.Deals["created"] == 2
	})
	w.read(w.send(http.MethodDelete, "/users/alice", ""), http.StatusOK, &done)
	w.refused(w.send(http.MethodGet, "/users/alice", ""), http.StatusNotFound, "not-found")
	w.refused(w.send(http.MethodDelete, "/users/alice", ""), http.StatusNotFound, "not-found")
	w.refused(w.send(http.MethodPost, "/users/nobody/scan", ""), http.StatusNotFound, "not-found")
	w.refused(w.send(http.MethodPost, "/users/..%2Fx/scan", ""), http.StatusBadRequest, "invalid")
}

func TestThousandsOfUsersAreNamedInOneRequest(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t)
	// None is a valid login, so each result is known at once.
	lines := strings.Repeat("-"+strings.Repeat("x", 30)+"-\n", 5000)
	op := w.begun(w.send(http.MethodPost, "/users", lines, "Content-Type: text/plain"))
	if op.Results["invalid"] != 5000 {
		t.Errorf("%+v for 5,000 lines", op)
	}
	w.refused(w.send(http.MethodPost, "/users", strings.Repeat(lines, 8), "Content-Type: text/plain"), http.StatusRequestEntityTooLarge, "about:blank")
}
