package contract_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"gistdeal/internal/testing/contract"
)

// recorder is a test that records its errors instead of failing.
type recorder struct {
	testing.TB
	errs []string
}

func (h *recorder) Helper() {}

func (h *recorder) Errorf(format string, args ...any) {
	h.errs = append(h.errs, fmt.Sprintf(format, args...))
}

const (
	gist = `{"id":"aa5a","node_id":"G_a","description":null,"public":true,"comments":0,"truncated":false,
		"url":"https://api.github.com/gists/aa5a","forks_url":"https://api.github.com/gists/aa5a/forks",
		"commits_url":"https://api.github.com/gists/aa5a/commits","comments_url":"https://api.github.com/gists/aa5a/comments",
		"git_pull_url":"https://gist.github.com/aa5a.git","git_push_url":"https://gist.github.com/aa5a.git",
		"html_url":"https://gist.github.com/aa5a","created_at":"2026-01-02T03:04:05Z","updated_at":"2026-01-02T03:04:05Z",
		"files":{"notes":{"filename":"notes","type":"text/plain","language":null,"raw_url":"https://gist.githubusercontent.com/raw/aa5a","size":5}}}`
	deal = `{"success":true,"data":{"id":7,"title":"Gist from u10","person_id":null,"custom_fields":{"abc":null}}}`
)

// checks are exchanges and the violation that Check must report.
var checks = []struct {
	name    string
	request string // method and target
	body    string
	token   string
	status  int
	answer  string
	want    string // part of the only error; no error if empty
}{
	{name: "gists", request: "GET /users/u10/gists?per_page=100&page=2", answer: "[" + gist + "]"},
	{name: "gist without its id", request: "GET /users/u10/gists", answer: strings.Replace("["+gist+"]", `"id"`, `"no"`, 1), want: `/0/id: property "id" is missing`},
	{name: "unknown query parameter", request: "GET /users/u10/gists?perpage=100", answer: "[]", want: `query parameter "perpage" is not described`},
	{name: "query parameter of another type", request: "GET /users/u10/gists?page=two", answer: "[]", want: "page"},
	{name: "status that is not described", request: "GET /users/u10/gists", status: 404, answer: `{}`},
	{name: "described status with another body", request: "GET /users/u10", status: 404, answer: `{"message":7}`, want: "answer 404: "},
	{name: "route that is not described", request: "GET /user/1/gists", answer: `"anything"`},
	{name: "knob of a simulator", request: "POST /_sim/faults?x=1", answer: `{}`},
	{name: "limits without the old rate", request: "GET /rate_limit", answer: `{"resources":{"core":{"limit":60,"remaining":59,"reset":1,"used":1},"search":{"limit":10,"remaining":10,"reset":1,"used":0}}}`},

	{name: "deal", request: "POST /api/v2/deals", token: "secret", body: `{"title":"Gist from u10","custom_fields":{"abc":"x"}}`, answer: deal},
	{name: "deal made with 201", request: "POST /api/v2/deals", token: "secret", body: `{"title":"t"}`, status: 201, answer: deal},
	{name: "deal of another type made with 201", request: "POST /api/v2/deals", token: "secret", body: `{"title":"t"}`, status: 201, answer: `{"success":true,"data":{"id":"7"}}`, want: "answer 201: "},
	{name: "deal without a title", request: "POST /api/v2/deals", token: "secret", body: `{}`, answer: deal, want: `"title" is missing`},
	{name: "deal without a body", request: "POST /api/v2/deals", token: "secret", answer: deal, want: "request body"},
	{name: "deal with a key that Pipedrive refuses", request: "POST /api/v2/deals", token: "secret", body: `{"title":"t","user_id":1}`, answer: deal, want: `"user_id" is unsupported`},
	{name: "field with a key that Pipedrive refuses", request: "POST /api/v2/dealFields", token: "secret", body: `{"field_name":"Gist","field_type":"text","name":"Gist"}`, answer: `{"success":true,"data":null}`, want: `"name" is unsupported`},
	{name: "list", request: "GET /api/v2/deals?status=open,won,lost,deleted&limit=500", token: "secret", answer: `{"success":true,"data":null,"additional_data":{"next_cursor":null}}`},
	{name: "list of an unknown status", request: "GET /api/v2/deals?status=open,gone", token: "secret", answer: `{"success":true,"data":[]}`, want: `"status" in query`},
	{name: "list with a deal of another type", request: "GET /api/v2/deals", token: "secret", answer: `{"success":true,"data":[{"id":"7"}]}`, want: "/data/0/id"},
	{name: "null for an answer", request: "GET /api/v2/deals", token: "secret", answer: `null`, want: "answer 200: "},
	{name: "no token", request: "GET /v1/users/me", answer: `{"success":true}`, want: "no header X-Api-Token"},
	{name: "token in the query", request: "GET /v1/users/me?api_token=secret", answer: `{"success":true}`, want: "the token is in the query"},
	{name: "limited", request: "POST /api/v2/deals", token: "secret", body: `{"title":"t"}`, status: 429, answer: `{"success":false}`},
}

func TestCheckReportsViolationsOfTheDescriptions(t *testing.T) {
	t.Parallel()
	contract.SharedDir(t)
	for _, tt := range checks {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			recorded := &recorder{TB: t}
			answers := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if body, _ := io.ReadAll(r.Body); string(body) != tt.body {
					t.Errorf("the handler read %q, want %q", body, tt.body)
				}
				w.Header().Set("Content-Type", "application/json; charset=utf-8")
				if tt.status != 0 {
					w.WriteHeader(tt.status)
				}
				_, _ = io.WriteString(w, tt.answer)
			})
			method, target, _ := strings.Cut(tt.request, " ")
			r := httptest.NewRequest(method, target, strings.NewReader(tt.body))
			r.Header.Set("Content-Type", "application/json")
			if tt.token != "" {
				r.Header.Set("X-Api-Token", tt.token)
			}
			w := httptest.NewRecorder()
			contract.Check(recorded, answers, contract.GitHub, contract.PipedriveV2, contract.PipedriveV1).ServeHTTP(w, r)

			if w.Body.String() != tt.answer {
				t.Errorf("the client read %q, want %q", w.Body, tt.answer)
			}
			wantErrors(t, recorded.errs, tt.want)
		})
	}
}

func wantErrors(t *testing.T, errs []string, want string) {
	t.Helper()
	if strings.Contains(strings.Join(errs, ""), "secret") {
		t.Errorf("an error contains a token: %q", errs)
	}
	switch {
	case want == "" && len(errs) > 0:
		t.Errorf("errors %q, want none", errs)
	case want != "" && (len(errs) != 1 || !strings.Contains(errs[0], want)):
		t.Errorf("errors %q, want one with %q", errs, want)
	}
}

func TestCheckIgnoresIncompleteAnswers(t *testing.T) {
	t.Parallel()
	contract.SharedDir(t)
	recorded := &recorder{TB: t}
	cut := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Errorf("hijack: %v", err)
			return
		}
		_ = conn.Close()
	})
	server := httptest.NewServer(contract.Check(recorded, cut, contract.GitHub))
	defer server.Close()
	if resp, err := server.Client().Get(server.URL + "/users/u10/gists"); err == nil {
		_ = resp.Body.Close()
		t.Error("the client got an answer")
	}
	wantErrors(t, recorded.errs, "")
}
