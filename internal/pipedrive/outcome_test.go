package pipedrive_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/pipedrive"
	"gistdeal/internal/sim"
)

// refusal is an error body in Pipedrive's format.
func refusal(words string) string {
	return fmt.Sprintf(`{"success":false,"error":%q,"data":null}`, words)
}

func answered(status int, body string, header ...string) sim.Fault {
	f := sim.Fault{Kind: "answer", Status: status, Body: body, Header: map[string]string{}}
	for i := 0; i < len(header); i += 2 {
		f.Header[header[i]] = header[i+1]
	}
	return f
}

const (
	html = "Content-Type"
	page = "text/html; charset=UTF-8"
)

// outcomes are answers to a POST and the kind of error that each must give.
var outcomes = []struct {
	name    string
	fault   sim.Fault
	want    gistdeal.Kind
	after   time.Duration // RetryAfter
	words   string
	created int // deals in the account
}{
	{name: "400", fault: sim.Fault{Kind: "invalid"}, want: gistdeal.Invalid, words: "not a valid 'string'"},
	{name: "400 that is a page", fault: answered(400, "<html>", html, page), want: gistdeal.Invalid, words: "400"},
	{name: "400 without a body", fault: answered(400, ""), want: gistdeal.Invalid, words: "400"},
	{name: "400 with null", fault: answered(400, "null"), want: gistdeal.Invalid, words: "400"},
	{name: "409", fault: answered(409, refusal("conflict")), want: gistdeal.Invalid, words: "conflict"},
	{name: "422", fault: answered(422, refusal("limit of webhooks")), want: gistdeal.Invalid, words: "limit of webhooks"},
	{name: "403", fault: sim.Fault{Kind: "forbidden"}, want: gistdeal.Invalid, words: "Forbidden"},
	{name: "403 with a number for a code", fault: answered(403, `{"error":"no","code":403}`), want: gistdeal.Invalid, words: "no"},

	{name: "401", fault: sim.Fault{Kind: "unauthorized"}, want: gistdeal.Unauthorized, words: "PIPEDRIVE_API_KEY"},
	{name: "402", fault: sim.Fault{Kind: "payment"}, want: gistdeal.Unauthorized, words: "not open"},
	{name: "404", fault: answered(404, refusal("Not found")), want: gistdeal.Unauthorized, words: "PIPEDRIVE_API_URL"},
	{name: "405", fault: answered(405, "<html>", html, page), want: gistdeal.Unauthorized, words: "405"},
	{name: "410", fault: answered(410, refusal("gone")), want: gistdeal.Unauthorized, words: "upgrade"},
	{name: "415", fault: answered(415, refusal("feature is not enabled")), want: gistdeal.Unauthorized, words: "feature is not enabled"},
	{name: "plan is full", fault: sim.Fault{Kind: "cap"}, want: gistdeal.Unauthorized, after: time.Hour, words: "Open deals limit"},
	{name: "302", fault: sim.Fault{Kind: "redirect"}, want: gistdeal.Unauthorized, words: "redirects"},

	{name: "429 of a burst", fault: sim.Fault{Kind: "limit"}, want: gistdeal.Limited, after: 2 * time.Second, words: "429"},
	{name: "429 without headers", fault: answered(429, ""), want: gistdeal.Limited, after: 2 * time.Second},
	{name: "429 that is a page", fault: answered(429, "<html>", html, page), want: gistdeal.Limited, after: 2 * time.Second},
	{name: "429 with a longer window", fault: answered(429, "", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "4"), want: gistdeal.Limited, after: 4 * time.Second},
	{name: "429 with Retry-After", fault: answered(429, "", "Retry-After", "7", "X-RateLimit-Reset", "3"), want: gistdeal.Limited, after: 7 * time.Second},
	{name: "429 with the time of day for a wait", fault: answered(429, "", "X-RateLimit-Reset", "1795475296"), want: gistdeal.Limited, after: 10 * time.Second},
	{name: "429 with nonsense for a wait", fault: answered(429, "", "Retry-After", "soon", "X-RateLimit-Reset", "-5"), want: gistdeal.Limited, after: 2 * time.Second},
	{name: "429 of a spent day", fault: sim.Fault{Kind: "spent"}, want: gistdeal.Limited, after: time.Hour, words: "day"},
	{name: "429 of a spent day with a useless Retry-After", fault: answered(429, "", "Retry-After", "3", "X-Daily-RateLimit-Token-Remaining", "0"), want: gistdeal.Limited, after: time.Hour, words: "day"},
	{name: "429 of a spent day with a long Retry-After", fault: answered(429, "", "Retry-After", "9000", "X-Daily-RateLimit-Token-Remaining", "0"), want: gistdeal.Limited, after: 9000 * time.Second, words: "day"},
	{name: "429 of no POSTs left", fault: answered(429, "", "X-Daily-Requests-Left", "0", "X-Daily-RateLimit-Token-Remaining", "900"), want: gistdeal.Limited, after: time.Hour, words: "day"},
	{name: "429 with tokens left", fault: answered(429, "", "X-RateLimit-Remaining", "12", "X-Daily-RateLimit-Token-Remaining", "900"), want: gistdeal.Limited, after: 2 * time.Second},
	{name: "429 with requests left in the window", fault: answered(429, "", "X-RateLimit-Remaining", "12"), want: gistdeal.Limited, after: time.Hour, words: "day"},
	{name: "403 that is a page", fault: sim.Fault{Kind: "html403"}, want: gistdeal.Limited, after: 15 * time.Minute, words: "banned"},
	{name: "403 of nothing", fault: answered(403, "", html, ""), want: gistdeal.Limited, after: 15 * time.Minute},

	{name: "500", fault: sim.Fault{Kind: "error-before"}, want: gistdeal.Unknown, words: "500"},
	{name: "500 with another reason", fault: answered(500, refusal("oh")), want: gistdeal.Unknown, words: "oh"},
	{name: "501", fault: answered(501, ""), want: gistdeal.Unknown},
	{name: "502 after the work", fault: sim.Fault{Kind: "error-after"}, want: gistdeal.Unknown, words: "502", created: 1},
	{name: "503 with a wait", fault: answered(503, "", "Retry-After", "60"), want: gistdeal.Unknown, words: "503"},
	{name: "504 that is a page", fault: answered(504, "<html>", html, page), want: gistdeal.Unknown},
	{name: "524", fault: answered(524, "error code: 524", html, "text/plain"), want: gistdeal.Unknown, words: "524"},
	{name: "599", fault: answered(599, ""), want: gistdeal.Unknown},
	{name: "408", fault: answered(408, ""), want: gistdeal.Unknown, words: "408"},
	{name: "dropped before the work", fault: sim.Fault{Kind: "drop-before"}, want: gistdeal.Unknown, words: "no answer"},
	{name: "dropped after the work", fault: sim.Fault{Kind: "drop-after"}, want: gistdeal.Unknown, created: 1},
	{name: "answer broken off", fault: sim.Fault{Kind: "truncate"}, want: gistdeal.Unknown, created: 1},
	{name: "no answer", fault: sim.Fault{Kind: "hang-before"}, want: gistdeal.Unknown},
	{name: "no answer after the work", fault: sim.Fault{Kind: "hang-after"}, want: gistdeal.Unknown, created: 1},
	{name: "answer too late", fault: sim.Fault{Kind: "slow", Latency: time.Minute}, want: gistdeal.Unknown, created: 1},

	{name: "success without an id", fault: answered(200, `{"success":true,"data":{"title":"x"}}`), want: gistdeal.Unknown, words: "without the id"},
	{name: "success with id 0", fault: answered(200, `{"success":true,"data":{"id":0}}`), want: gistdeal.Unknown},
	{name: "success with a negative id", fault: answered(200, `{"success":true,"data":{"id":-7}}`), want: gistdeal.Unknown},
	{name: "success with a text for an id", fault: answered(200, `{"success":true,"data":{"id":"seven"}}`), want: gistdeal.Unknown},
	{name: "success with part of an id", fault: answered(200, `{"success":true,"data":{"id":7.5}}`), want: gistdeal.Unknown},
	{name: "success with a list", fault: answered(200, `{"success":true,"data":[{"id":7}]}`), want: gistdeal.Unknown},
	{name: "success without data", fault: answered(200, `{"success":true,"data":null}`), want: gistdeal.Unknown},
	{name: "200 without success", fault: answered(200, `{"success":false,"error":"no","data":{"id":7}}`), want: gistdeal.Unknown},
	{name: "200 that is a page", fault: answered(200, `{"success":true,"data":{"id":7}}`, html, page), want: gistdeal.Unknown},
	{name: "200 that is no JSON", fault: answered(200, "ok"), want: gistdeal.Unknown},
	{name: "200 that is half of it", fault: answered(200, `{"success":true,"data":{"id":7`), want: gistdeal.Unknown},
	{name: "200 that goes on", fault: answered(200, `{"success":true,"data":{"id":7}}{"success":false}`), want: gistdeal.Unknown},
	{name: "200 of nothing", fault: answered(200, ""), want: gistdeal.Unknown},
	{name: "204", fault: answered(204, ""), want: gistdeal.Unknown},
}

// TestTheAnswerDecidesTheOutcome checks the rule of one deal for each gist: an
// answer to a POST that may have created a deal is Unknown, and nothing is sent
// twice.
func TestTheAnswerDecidesTheOutcome(t *testing.T) {
	t.Parallel()
	for _, tt := range outcomes {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			patience := 20 * time.Second
			if tt.fault.Kind == "slow" || strings.HasPrefix(tt.fault.Kind, "hang") {
				patience = 200 * time.Millisecond
			}
			// In the last hour of a day a spent quota is checked earlier.
			noon := func() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) }
			w := prepared(t, sim.Options{Now: noon}, pipedrive.Options{PushTimeout: patience})
			tt.fault.Match = postDeal
			w.AddFault(tt.fault)
			id, err := w.create(t, hello)
			wantKind(t, err, tt.want, "create deal for gist "+hello.GistID, tt.words)
			if id != 0 {
				t.Errorf("id %d with an error", id)
			}
			if got := gistdeal.RetryAfter(err); got != tt.after {
				t.Errorf("retry after %v, want %v", got, tt.after)
			}
			r := w.Report()
			if r.Requests[postDeal] != 1 || r.Deals != tt.created {
				t.Errorf("%d POSTs created %d deals, want 1 and %d", r.Requests[postDeal], r.Deals, tt.created)
			}
		})
	}
}

// TestASuccessMeansThatTheDealExists checks the other half of the rule: a success
// is certain.
func TestASuccessMeansThatTheDealExists(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]sim.Fault{
		"as it is live":      {Kind: "answer", Status: 201, Body: `{"success":true,"data":{"id":7,"title":"x","custom_fields":{"a":null}}}`},
		"bare":               {Kind: "answer", Body: `{"success":true,"data":{"id":7}}`, ContentType: "application/json"},
		"in capitals":        {Kind: "answer", Body: `{"success":true,"data":{"id":7}}`, ContentType: "Application/JSON;charset=UTF-8"},
		"unknown status 2xx": {Kind: "answer", Status: 202, Body: `{"success":true,"data":{"id":7},"additional_data":null}`},
		"extra data of another type": {
			Kind: "answer",
			Body: `{"success":true,"data":{"id":7,"title":{"x":1}},"related_objects":[],"additional_data":{"next_cursor":null}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := prepared(t, sim.Options{}, pipedrive.Options{})
			f.Match = postDeal
			w.AddFault(f)
			if id := w.mustCreate(t, hello); id != 7 {
				t.Errorf("id %d, want 7", id)
			}
		})
	}
}

// broken sends an answer and closes the connection in the middle of the body.
func broken(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", fmt.Sprint(len(body)+100))
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body)) // The client may have disconnected.
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

func TestATruncatedRefusalIsStillARefusal(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		answer http.HandlerFunc
		want   gistdeal.Kind
	}{
		// The missing part may say that the plan is full or that a field is deleted.
		// The deal must not fail because of that.
		{"403", broken(403, `{"success":false,"err`), gistdeal.Temporary},
		{"400", broken(400, `{"success":false,"err`), gistdeal.Temporary},
		{"401", broken(401, `{"success":false,"err`), gistdeal.Unauthorized},
		{"429", broken(429, `{"success":false,"err`), gistdeal.Limited},
		{"403 that is a page", broken(403, `<html>`, "Content-Type", "text/html"), gistdeal.Limited},
		{"302", broken(302, ``), gistdeal.Unauthorized},
		{"500", broken(500, `{"success":false,"err`), gistdeal.Unknown},
		{"408", broken(408, `{"success":false,"err`), gistdeal.Unknown},
		{"200", broken(200, `{"success":true,"data":{"id":7}}`), gistdeal.Unknown},
		{"201", broken(201, `{"success":true,"data":{"id":7}}`), gistdeal.Unknown},
		{"a body that is not gzip", reply(200, `{"success":true,"data":{"id":7}}`, "Content-Encoding", "gzip"), gistdeal.Unknown},
		{"too long an answer", long(`{"success":true,"data":{"id":7}}`, 33<<20), gistdeal.Unknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(tt.answer)
			t.Cleanup(server.Close)
			c := client(t, server.URL, pipedrive.Options{PushTimeout: 20 * time.Second})
			c.Assume()
			_, err := c.CreateDeal(t.Context(), time.Now(), hello)
			wantKind(t, err, tt.want)
		})
	}
}

// reply is a handler that always sends the same answer.
func reply(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body)) // The client may have disconnected.
	}
}

// long answers with a text and a number of spaces.
func long(text string, n int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		reply(200, text)(w, r)
		for chunk := []byte(strings.Repeat(" ", 1<<20)); n > 0; n -= len(chunk) {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}
}

func TestAnInterimResponseIsIgnored(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		reply(200, `{"success":true,"data":{"id":7}}`)(w, r)
	}))
	t.Cleanup(server.Close)
	c := client(t, server.URL, pipedrive.Options{})
	c.Assume()
	if id, err := c.CreateDeal(t.Context(), time.Now(), hello); id != 7 || err != nil {
		t.Errorf("%d, %v", id, err)
	}
}

func TestAnOutageLastsFromTheFirstFailedRequestToTheNextAnswer(t *testing.T) {
	t.Parallel()
	w := prepared(t, sim.Options{}, pipedrive.Options{})
	if now := w.client.Outages(); len(now) > 0 {
		t.Errorf("%+v before any request failed", now)
	}
	w.AddFault(sim.Fault{Match: postDeal, Kind: "error-before", Times: 1})
	w.AddFault(sim.Fault{Match: postDeal, Kind: "drop-before", Times: 1})
	w.AddFault(sim.Fault{Match: postDeal, Kind: "invalid", Times: 1})
	var began time.Time
	for i, words := range []string{"500", "no answer from Pipedrive"} {
		if _, err := w.create(t, hello); err == nil {
			t.Fatal("no error")
		}
		now := w.client.Outages()
		if len(now) != 1 || now[0].Remote != "Pipedrive" || !strings.Contains(now[0].Reason, words) || i > 0 && !now[0].Since.Equal(began) {
			t.Fatalf("%+v, want one since the first failure, and %q", now, words)
		}
		began = now[0].Since
	}
	if _, err := w.create(t, hello); err == nil {
		t.Fatal("no error")
	}
	if now := w.client.Outages(); len(now) > 0 {
		t.Errorf("%+v after a refusal: Pipedrive answers", now)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.client.CreateDeal(ctx, time.Now(), hello); err == nil {
		t.Fatal("no error")
	}
	if now := w.client.Outages(); len(now) > 0 {
		t.Errorf("%+v after the caller gave up", now)
	}
}
