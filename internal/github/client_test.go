package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"gistdeal"
)

const token = "github_pat_not-to-be-seen"

// log records the requests to a server.
type log struct {
	mu       sync.Mutex
	requests []*http.Request
}

func (l *log) add(r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests = append(l.requests, r)
}

func (l *log) all() []*http.Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.requests
}

// serve starts a server and returns a client with a token for a path on it.
func serve(t *testing.T, path string, h http.Handler) (*Client, *log) {
	t.Helper()
	asked := &log{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.add(r)
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	c, err := New(server.URL+path, Options{Token: token})
	if err != nil {
		t.Fatal(err)
	}
	return c, asked
}

// reply is a handler that always sends the same answer.
func reply(status int, header map[string]string, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		for name, value := range header {
			if value == "" {
				w.Header()[name] = nil // Otherwise net/http adds its own Date.
				continue
			}
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

// wantKind fails the test unless err has the kind and does not contain the token.
func wantKind(t *testing.T, err error, want gistdeal.Kind) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one of kind %q", want)
	}
	if got := gistdeal.KindOf(err); got != want {
		t.Errorf("kind %q, want %q: %v", got, want, err)
	}
	if strings.Contains(err.Error(), token) {
		t.Errorf("the error contains the token: %v", err)
	}
}

func wantText(t *testing.T, err error, want string) {
	t.Helper()
	if !strings.Contains(err.Error(), want) {
		t.Errorf("error %q does not contain %q", err, want)
	}
}

func TestNewRefusesAnInvalidAPIAddress(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"", "api.github.com", "ftp://api.github.com", "http://", "https:///api", "http:opaque",
		"https://u:secret@host", "https://u:sec ret@host", "https://host?x=1", "https://host#x", "https://host:port", ":",
	} {
		_, err := New(address, Options{})
		if gistdeal.KindOf(err) != gistdeal.Invalid {
			t.Errorf("New(%q): %v, want an Invalid error", address, err)
		}
		if err != nil && strings.Contains(err.Error(), "sec") {
			t.Errorf("New(%q) returns the password: %v", address, err)
		}
	}
	for _, address := range []string{"https://api.github.com", "https://api.github.com/", "http://127.0.0.1:9", "https://host/api/v3/"} {
		if _, err := New(address, Options{}); err != nil {
			t.Errorf("New(%q): %v", address, err)
		}
	}
}

func TestNewRefusesATokenThatNoHeaderCanCarry(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{token + "\n", "two words", "ü" + token} {
		_, err := New("https://api.github.com", Options{Token: bad})
		wantKind(t, err, gistdeal.Invalid)
	}
}

func TestEachRequestCarriesTheSameHeaders(t *testing.T) {
	t.Parallel()
	named, asked := serve(t, "", userWith(150))
	anonymous, err := New(named.base.String(), Options{UserAgent: "gistdeal/1.2"})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"Accept":               "application/vnd.github+json",
		"Accept-Encoding":      "gzip", // set by net/http, which also decompresses
		"Authorization":        "Bearer " + token,
		"User-Agent":           "gistdeal",
		"X-Github-Api-Version": "2022-11-28",
	}
	check := func(c *Client, from int) {
		read(t, c, "")
		if n := len(asked.all()) - from; n != 2 {
			t.Fatalf("%d requests, want 2", n)
		}
		for _, r := range asked.all()[from:] {
			got := map[string]string{}
			for name, values := range r.Header {
				got[name] = strings.Join(values, " AND ")
			}
			if !maps.Equal(got, want) {
				t.Errorf("%s carries %v, want %v", r.URL, got, want)
			}
		}
	}
	check(named, 0)
	delete(want, "Authorization")
	want["User-Agent"] = "gistdeal/1.2"
	check(anonymous, 2)
}

func TestUsersAreReadByLoginAndByID(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	body := `{"id":583231,"login":"Octocat","type":"User","name":null,"public_gists":8}`
	mux.HandleFunc("GET /api/v3/users/octoCAT", reply(200, nil, body))
	mux.HandleFunc("GET /api/v3/user/583231", reply(200, nil, body))
	c, _ := serve(t, "/api/v3/", mux)
	want := gistdeal.Account{ID: 583231, Login: "Octocat", Type: "User", PublicGists: 8}
	if got, err := c.User(t.Context(), "octoCAT"); err != nil || got != want {
		t.Errorf("User: %v, %v, want %v", got, err, want)
	}
	if got, err := c.UserByID(t.Context(), 583231); err != nil || got != want {
		t.Errorf("UserByID: %v, %v, want %v", got, err, want)
	}
}

func TestAnInvalidUserIsATemporaryError(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		``, `null`, `{}`, `[]`, `{"id":7}`, `{"login":"x"}`, `{"id":"7","login":"x"}`,
		`{"id":7,"login":"x"`, `{"id":8,"login":"x"}`, `{"id":7,"login":"x","bio":"` + strings.Repeat("x", maxUserSize) + `"}`,
	} {
		c, _ := serve(t, "", reply(200, nil, body))
		_, err := c.UserByID(t.Context(), 7)
		wantKind(t, err, gistdeal.Temporary)
		wantText(t, err, "look up GitHub user 7: unreadable answer from GitHub")
	}
}

func TestAnInvalidLoginIsNeverRequested(t *testing.T) {
	t.Parallel()
	c, asked := serve(t, "", userWith(1))
	for _, login := range []string{"", ".", "..", "a/b", "a%2Fb", "a?b", "a b", "-a", strings.Repeat("a", 40)} {
		_, err := c.User(t.Context(), login)
		wantKind(t, err, gistdeal.Invalid)
		_, err = listGists(t.Context(), c, login, "", none(t))
		wantKind(t, err, gistdeal.Invalid)
	}
	if n := len(asked.all()); n != 0 {
		t.Errorf("%d requests, want none", n)
	}
}

func TestRedirectOnTheSameHostIsFollowed(t *testing.T) {
	t.Parallel()
	for _, status := range []int{301, 302, 303, 307, 308} {
		mux := http.NewServeMux()
		mux.Handle("GET /users/octocat/gists", http.RedirectHandler("/moved?per_page=100", status))
		mux.Handle("GET /moved", reply(200, map[string]string{"ETag": `"e"`}, `[`+gist("a1")+`]`))
		c, asked := serve(t, "", mux)
		ids, listing := read(t, c, `"old"`)
		if fmt.Sprint(ids) != "[a1]" || listing.Requests != 2 || listing.ETag != `"e"` {
			t.Errorf("%d: read %v, %+v", status, ids, listing)
		}
		moved := asked.all()[1]
		if moved.Header.Get("Authorization") == "" || moved.Header.Get("If-None-Match") != `"old"` || moved.URL.RawQuery != "per_page=100" {
			t.Errorf("%d: requested %s with %v", status, moved.URL, moved.Header)
		}
	}
}

func TestRedirectToAnotherHostIsNotFollowed(t *testing.T) {
	t.Parallel()
	other := &log{}
	thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { other.add(r) }))
	t.Cleanup(thief.Close)
	var c *Client
	for _, location := range []string{thief.URL + "/user/1", "//" + thief.Listener.Addr().String() + "/user/1", "https://user@{host}/user/1", "mailto:x@y"} {
		c, _ = serve(t, "", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, strings.Replace(location, "{host}", r.Host, 1), http.StatusFound)
		}))
		_, err := c.User(t.Context(), "octocat")
		wantKind(t, err, gistdeal.Temporary)
		wantText(t, err, "GitHub redirects to")
	}
	if n := len(other.all()); n != 0 {
		t.Errorf("%d requests to the other host, want none", n)
	}
}

func TestRedirectsEndAfterThree(t *testing.T) {
	t.Parallel()
	for hops, ok := range map[int]bool{3: true, 4: false, 1 << 30: false} {
		c, asked := serve(t, "", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n, _ := strconv.Atoi(r.URL.Query().Get("hop"))
			if n < hops {
				http.Redirect(w, r, fmt.Sprintf("?hop=%d", n+1), http.StatusFound)
				return
			}
			reply(200, nil, `{"id":7,"login":"octocat"}`)(w, r)
		}))
		_, err := c.User(t.Context(), "octocat")
		if ok != (err == nil) {
			t.Errorf("%d redirects: %v", hops, err)
		}
		if !ok {
			wantKind(t, err, gistdeal.Temporary)
		}
		if n := len(asked.all()); n != 4 {
			t.Errorf("%d redirects: %d requests, want 4", hops, n)
		}
	}
}

func TestARedirectWithoutALocationIsATemporaryError(t *testing.T) {
	t.Parallel()
	for _, location := range []string{"", "http://a b/"} {
		c, _ := serve(t, "", reply(302, map[string]string{"Location": location}, ""))
		_, err := c.User(t.Context(), "octocat")
		wantKind(t, err, gistdeal.Temporary)
	}
}

func TestAnUnreachableGitHubIsATemporaryError(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	c, err := New(server.URL, Options{Token: token})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.User(t.Context(), "octocat")
	wantKind(t, err, gistdeal.Temporary)
}

// hanging sends the head of an answer and then nothing until the client
// disconnects.
func hanging(head bool, arrived func()) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if head {
			w.Header().Set("Content-Type", "application/json")
			_ = http.NewResponseController(w).Flush()
		}
		arrived()
		<-r.Context().Done()
	}
}

func TestCancellingEndsARequest(t *testing.T) {
	t.Parallel()
	for _, head := range []bool{false, true} {
		ctx, cancel := context.WithCancel(t.Context())
		c, _ := serve(t, "", hanging(head, cancel))
		l, err := listGists(ctx, c, "octocat", "", none(t))
		wantKind(t, err, gistdeal.Temporary)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("head sent %t: %v, want context.Canceled in it", head, err)
		}
		if l.Requests != 1 {
			t.Errorf("head sent %t: %d requests counted, want 1", head, l.Requests)
		}
	}
}

func TestACallersDeadlineDiffersFromAClientTimeout(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, "", hanging(true, func() {}))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := c.User(ctx, "octocat")
	wantKind(t, err, gistdeal.Temporary)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want context.DeadlineExceeded in it", err)
	}

	c.timeout = 20 * time.Millisecond
	_, err = c.User(t.Context(), "octocat")
	wantKind(t, err, gistdeal.Temporary)
	wantText(t, err, "no answer from GitHub within 20ms")
	if errors.Is(err, context.DeadlineExceeded) {
		t.Error("the client's own timeout looks like the deadline of the caller")
	}
}

// gist returns the relevant part of a gist in GitHub's JSON. The edits are pairs
// of a key and its JSON, "" to leave the key out.
func gist(id string, edits ...string) string {
	fields := map[string]json.RawMessage{
		"id":          json.RawMessage(strconv.Quote(id)),
		"public":      json.RawMessage(`true`),
		"description": json.RawMessage(`"a gist"`),
		"created_at":  json.RawMessage(`"2026-11-23T10:20:30Z"`),
		"updated_at":  json.RawMessage(`"2026-11-23T10:20:31Z"`),
		"owner":       json.RawMessage(`{"id":583231,"login":"octocat"}`),
		"files":       json.RawMessage(`{"a.txt":{"filename":"a.txt","raw_url":"https://gist.githubusercontent.com/a.txt","language":null}}`),
	}
	for i := 0; i < len(edits); i += 2 {
		fields[edits[i]] = json.RawMessage(edits[i+1])
		if edits[i+1] == "" {
			delete(fields, edits[i])
		}
	}
	text, err := json.Marshal(fields)
	if err != nil {
		panic(err)
	}
	return string(text)
}
