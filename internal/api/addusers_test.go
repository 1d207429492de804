package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/sim"
	"gistdeal/internal/testing/stack"
	"gistdeal/internal/testing/testenv"
)

func TestARequestToAddUsersIsValidatedLikeEveryOther(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t)
	many, err := json.Marshal(map[string]any{"users": strings.Split(strings.Repeat("a,", 10_000)+"a", ",")})
	testenv.Must(t, err)
	for _, tt := range []struct {
		kind, query, body string
		status            int
	}{
		{"application/json", "", `{"users":["alice"],"firstScan":"none"}`, 400},
		{"application/json", "", `{"users":["alice"],"backfil":"none"}`, 400},
		{"application/json", "", `{"users":["alice"],"backfill":"some"}`, 400},
		{"application/json", "", `{"users":["alice"],"backfill":"2026-02-30"}`, 400},
		{"application/json", "", `{"users":"alice"}`, 400},
		{"application/json", "", `{"users":[1]}`, 400},
		{"application/json", "", `{"users":[]}`, 400},
		{"application/json", "", `{}`, 400},
		{"application/json", "", `[]`, 400},
		{"application/json", "", `null`, 400},
		{"application/json", "", `{`, 400},
		{"application/json", "", ``, 400},
		{"application/json", "", string(many), 400},
		{"text/plain", "", strings.Repeat("a\n", 10_001), 400},
		{"text/plain", "", "# nobody", 400},
		{"text/plain", "", "alice\x00", 400},
		{"text/plain", "?backfill=some", "alice", 400},
		{"text/plain", "?backfil=none", "alice", 400},
		{"text/html", "", "alice", 415},
		{"application/xml", "", "<users/>", 415},
		{"application/x-www-form-urlencoded", "", "users=alice", 415},
		{"multipart/form-data; boundary=x", "", "--x--", 415},
	} {
		r := w.send(http.MethodPost, "/users"+tt.query, tt.body, "Content-Type: "+tt.kind)
		if r.status != tt.status || r.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s %.60s: status %d, want %d: %.300s", tt.kind, tt.body, r.status, tt.status, r.body)
		}
	}
	requests, err := w.db.ListRequests(t.Context(), "", 10)
	if err != nil || len(requests) > 0 {
		t.Errorf("%v, %v: want no request of those that were refused", requests, err)
	}
}

func TestTheBackfillDoesNotDependOnTheNumberOfUsers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 9 {
		w.sim.MakeGists(fmt.Sprintf("user%d", i), 1)
	}
	for _, tt := range []struct {
		configured, body string
		want             gistdeal.Backfill
	}{
		{"", `{"users":["user0"]}`, "all"},
		{"", `{"users":["user1","user2"]}`, "all"},
		{"none", `{"users":["user3"]}`, "none"},
		{"none", `{"users":["user4","user5"]}`, "none"},
		{"none", `{"users":["user6"],"backfill":"all"}`, "all"},
		{"none", `{"users":["user7","user8"],"backfill":"2026-01-31"}`, "2026-01-31"},
	} {
		testenv.Must(t, w.db.Set(t.Context(), string(gistdeal.SettingBackfill), tt.configured))
		var list resultList
		w.read(w.send(http.MethodPost, "/users", tt.body), http.StatusOK, &list)
		if list.Backfill != tt.want {
			t.Errorf("%s with the setting %q: the answer says %q, want %q", tt.body, tt.configured, list.Backfill, tt.want)
		}
		for _, r := range list.Results {
			if u, err := w.db.UserByLogin(t.Context(), r.Input); err != nil || u.Backfill != tt.want {
				t.Errorf("%s with the setting %q: %s has the backfill %q, %v; want %q", tt.body, tt.configured, r.Input, u.Backfill, err, tt.want)
			}
		}
	}
}

func TestTheColumnOfLoginsIsReadFromCSV(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t)
	for name, text := range map[string]string{
		"one column without a header":   "alice\nbob\n",
		"a header":                      "login\nalice\nbob\n",
		"another column of logins":      "company,GitHub,since\r\nACME,alice,2024\r\nUmbrella,bob,2025\r\n",
		"a mark, quotes and semicolons": "\ufeff\"Name\";\"Login\"\r\n\"Smith; Alice\";\"alice\"\r\n\"Bob \"\"B\"\" Jones,\nformerly Smith\";bob",
		"login behind other names":      "user,url,Login\nAlice A,https://acme.example,alice\nBob B,-,bob\n",
		"empty lines":                   "\n\nlogin\n\nalice\n\nbob\n\n",
	} {
		var list resultList
		w.read(w.send(http.MethodPost, "/users", text, "Content-Type: text/csv; charset=utf-8"), http.StatusOK, &list)
		if len(list.Results) != 2 || list.Results[0].Input != "alice" || list.Results[1].Input != "bob" || list.Results[1].Result != "waiting" {
			t.Errorf("%s: %+v, want alice and bob", name, list.Results)
		}
	}
	for text, want := range map[string]string{
		"name,login\nAlice,alice\nBob\n":        "line 3",
		"name,login\nAlice,alice\nBob,\n":       "line 3",
		"login\nalice\n\"bob\n":                 "line 3",
		"login\nali\"ce\n":                      "line 2",
		"alice,bob\n":                           "line 1",
		"first,last\nA,B\n":                     "line 1",
		"login\n\"a\n\nb\",x\nalice,\"b\"\"\"c": "line 5",
	} {
		r := w.send(http.MethodPost, "/users", text, "Content-Type: text/csv")
		w.refused(r, http.StatusBadRequest, "invalid")
		if !strings.Contains(r.body, want) {
			t.Errorf("%q: %s, want %s named", text, r.body, want)
		}
	}
}

func TestARequestMayTakeLongerThanItsBody(t *testing.T) {
	t.Parallel()
	s, url := testenv.Simulate(t, testenv.Unlimited(sim.Options{Seed: 1}))
	w := &world{t: t, sim: s, db: stack.Open(t), wait: 30 * time.Second}
	w.engine, w.hub = stack.Start(t, w.db, url)
	w.serve()
	s.AddFault(sim.Fault{Match: "GET /users/", Kind: "latency", Latency: 6 * time.Second}) // Bodies have 5.
	for login, headers := range map[string][]string{"alice": {"Content-Type: text/plain"}, "bob": {"Content-Type: text/plain", "Idempotency-Key: 1"}} {
		t.Run(login, func(t *testing.T) {
			t.Parallel()
			s.MakeGists(login, 0)
			var list resultList
			w.read(w.send(http.MethodPost, "/users", login, headers...), http.StatusOK, &list)
			if len(list.Results) != 1 || list.Results[0].Result != "added" {
				t.Errorf("%+v, want %s added", list.Results, login)
			}
		})
	}
}
