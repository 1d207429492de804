package github

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"gistdeal"
)

type fields = map[string]string

func TestRefusalsHaveTheirKind(t *testing.T) {
	t.Parallel()
	html := fields{"Content-Type": "text/html"}
	long := strings.Repeat("ü", 300)
	for _, c := range []struct {
		name   string
		status int
		header fields
		body   string
		want   gistdeal.Kind
		text   string
	}{
		{"bad credentials", 401, nil, `{"message":"Bad credentials"}`, gistdeal.Unauthorized, `GitHub refuses the token: "Bad credentials": set GITHUB_TOKEN`},
		{"token of an app", 403, fields{"X-RateLimit-Remaining": "10"}, `{"message":"Resource not accessible by integration"}`, gistdeal.Unauthorized, "tokens of GitHub Apps and of Actions cannot read gists: set GITHUB_TOKEN to a personal access token, which needs no scope"},
		{"unknown", 404, nil, `{"message":"Not Found"}`, gistdeal.NotFound, "not found on GitHub"},
		{"unknown, says no more", 404, fields{"Content-Type": "text/plain"}, "404 page not found", gistdeal.NotFound, ""},
		{"a proxy's 404", 404, html, "<h1>Not Found</h1>", gistdeal.Temporary, "a web page answers 404"},
		{"a proxy's 403", 403, html, "<h1>Forbidden</h1>", gistdeal.Temporary, "a web page answers 403"},
		{"managed account", 403, nil, `{"message":"Gists are unavailable for EMU"}`, gistdeal.Invalid, `GitHub refuses the request: 403 "Gists are unavailable for EMU"`},
		{"forbidden, calls left", 403, fields{"X-RateLimit-Remaining": "10", "X-RateLimit-Reset": "1"}, `{"message":"Forbidden"}`, gistdeal.Invalid, "Forbidden"},
		{"an endless message", 422, nil, `{"message":"` + long + `"}`, gistdeal.Invalid, `422 "` + long[:400] + `..."`},
		{"unsupported version", 400, nil, `{"message":"no"}`, gistdeal.Invalid, "400"},
		{"legal reasons", 451, nil, `{}`, gistdeal.Invalid, "451"},
		{"time-out", 408, nil, ``, gistdeal.Temporary, "408"},
		{"server error", 500, nil, `{"message":"Server Error"}`, gistdeal.Temporary, `500 "Server Error"`},
		{"unicorn", 502, html, "<h1>Unicorn!</h1>", gistdeal.Temporary, "502"},
		{"message of a wrong type", 400, nil, `{"message":[1]}`, gistdeal.Invalid, ""},
		{"accepted, not done", 202, nil, `{}`, gistdeal.Temporary, "202"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			client, asked := serve(t, "", reply(c.status, c.header, c.body))
			_, err := client.User(t.Context(), "octocat")
			wantKind(t, err, c.want)
			wantText(t, err, `look up GitHub user "octocat": `)
			wantText(t, err, c.text)
			if wait := gistdeal.RetryAfter(err); wait != 0 {
				t.Errorf("retry after %s, want 0", wait)
			}
			if n := len(asked.all()); n != 1 {
				t.Errorf("%d requests, want 1", n)
			}
		})
	}
}

func TestWithoutATokenARefusalAdvisesToSetOne(t *testing.T) {
	t.Parallel()
	named, _ := serve(t, "", reply(401, nil, `{"message":"Must authenticate to access this API."}`))
	c, err := New(named.base.String(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.User(t.Context(), "octocat")
	wantKind(t, err, gistdeal.Unauthorized)
	wantText(t, err, "GitHub requires a token: set GITHUB_TOKEN")
}

func TestLimitsSayHowLongToWait(t *testing.T) {
	t.Parallel()
	const (
		date  = "Mon, 23 Nov 2026 10:00:00 GMT"
		in90s = "1795428090"
	)
	used := func(reset string) fields {
		return fields{"Date": date, "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
	}
	for _, c := range []struct {
		name   string
		status int
		header fields
		body   string
		want   time.Duration
	}{
		{"retry-after comes first", 403, fields{"Retry-After": "7", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"}, ``, 7 * time.Second},
		{"retry-after with 429", 429, fields{"Retry-After": "90"}, ``, 90 * time.Second},
		{"retry-after from a web page", 403, fields{"Retry-After": "90", "Content-Type": "text/html"}, `<h1>`, 90 * time.Second},
		{"retry-after at once", 429, fields{"Retry-After": "0"}, ``, time.Second},
		{"retry-after in the past", 429, fields{"Retry-After": "-5"}, ``, time.Second},
		{"retry-after for years", 429, fields{"Retry-After": "999999999"}, ``, 24 * time.Hour},
		{"retry-after as a date", 429, fields{"Date": date, "Retry-After": "Mon, 23 Nov 2026 10:02:00 GMT"}, ``, 2 * time.Minute},
		{"retry-after without sense", 403, fields{"Retry-After": "soon"}, ``, time.Minute},
		{"used up", 403, used(in90s), `{"message":"API rate limit exceeded for user ID 1."}`, 90 * time.Second},
		{"used up with 429", 429, used(in90s), ``, 90 * time.Second},
		{"used up, reset past", 403, used("1"), ``, time.Second},
		{"used up, reset far", 403, used("9999999999"), ``, 65 * time.Minute},
		{"used up, no reset", 403, fields{"X-RateLimit-Remaining": "0"}, ``, time.Minute},
		{"used up, reset without sense", 403, used("soon"), ``, time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			client, _ := serve(t, "", reply(c.status, c.header, c.body))
			listing, err := listGists(t.Context(), client, "octocat", `"e"`, none(t))
			wantKind(t, err, gistdeal.Limited)
			wantText(t, err, `list gists of "octocat": page 1: GitHub limits our requests: `)
			if got := gistdeal.RetryAfter(err); got != c.want {
				t.Errorf("retry after %s, want %s", got, c.want)
			}
			if listing != (gistdeal.Listing{Requests: 1}) {
				t.Errorf("listing %+v", listing)
			}
		})
	}
}

func TestTheWordsOfALimitLimitOneResourceUntilOthersAreRefusedToo(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		status int
		header fields
		body   string
	}{
		{"secondary", 403, fields{"X-RateLimit-Remaining": "4000", "X-RateLimit-Reset": "9999999999"}, `{"message":"You have exceeded a secondary rate limit."}`},
		{"secondary, by its address", 403, nil, `{"message":"Slow down","documentation_url":"https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"}`},
		{"abuse, by its older address", 403, nil, `{"message":"Slow down","documentation_url":"https://developer.github.com/v3/#abuse-rate-limits"}`},
		{"abuse", 403, nil, `{"message":"You have triggered an abuse detection mechanism."}`},
		{"429 alone", 429, nil, ``},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			client, asked := serve(t, "", reply(c.status, c.header, c.body))
			for range 10 {
				_, err := listGists(t.Context(), client, "octocat", `"e"`, none(t))
				wantKind(t, err, gistdeal.Limited)
				wantText(t, err, `list gists of "octocat": page 1: GitHub refuses only this for now: `)
				if got := gistdeal.RetryAfter(err); got != time.Minute || client.Ready() != nil {
					t.Errorf("retry after %s, ready: %v, want a minute and ready", got, client.Ready())
				}
			}
			for _, login := range []string{"second", "third", "fourth"} {
				_, err := client.User(t.Context(), login)
				wantKind(t, err, gistdeal.Limited)
			}
			if n := len(asked.all()); n != 12 {
				t.Errorf("%d requests, want 12: none after three different ones were refused", n)
			}
			wantText(t, client.Ready(), "GitHub limits our requests: ")
		})
	}
}

func TestALimitWithoutADateFollowsTheLocalClock(t *testing.T) {
	t.Parallel()
	reset := time.Now().Add(30 * time.Minute).Unix()
	a := answer{status: 403, header: map[string][]string{}}
	a.header.Set("X-RateLimit-Remaining", "0")
	a.header.Set("X-RateLimit-Reset", strconv.FormatInt(reset, 10))
	wait, _, limited := a.limit()
	if !limited || wait < 29*time.Minute || wait > 30*time.Minute {
		t.Errorf("%s, %t, want about 30m", wait, limited)
	}
}

func TestAServerErrorKeepsItsRetryTime(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, "", reply(503, fields{"Retry-After": "120"}, ``))
	_, err := c.User(t.Context(), "octocat")
	wantKind(t, err, gistdeal.Temporary)
	if got := gistdeal.RetryAfter(err); got != 2*time.Minute {
		t.Errorf("retry after %s, want 2m", got)
	}
}
