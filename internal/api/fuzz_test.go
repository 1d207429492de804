package api_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"gistdeal"
	"gistdeal/internal/api"
	"gistdeal/internal/engine"
	"gistdeal/internal/pipedrive"
	"gistdeal/internal/sim"
	"gistdeal/internal/testing/pgtest"
	"gistdeal/internal/testing/stack"
	"gistdeal/internal/testing/testenv"
)

var (
	seed   = flag.Uint64("seed", 0, "of generated requests; 0: another one each time")
	rounds = flag.Int("rounds", 4, "of generated requests to each operation")
)

// operation is an operation in the document.
type operation struct {
	method, path string
	*openapi3.Operation
	scope gistdeal.Scope
}

// neededScope finds the scope in the description of an operation, as the page does.
var neededScope = regexp.MustCompile(`Needs the scope (\w+)\.`)

// operations returns all operations of the API in the document.
func (w *world) operations() (all []operation) {
	w.t.Helper()
	paths := w.doc.Paths.Map()
	for _, path := range sorted(paths) {
		if !strings.HasPrefix(path, api.Path) {
			continue // Package server answers it.
		}
		methods := paths[path].Operations()
		for _, method := range sorted(methods) {
			op := methods[method]
			o := operation{method: method, path: path, Operation: op}
			if m := neededScope.FindStringSubmatch(op.Description); m != nil {
				o.scope = gistdeal.Scope(m[1])
			}
			if o.scope == "" {
				w.t.Errorf("%s %s needs no token according to the document", method, path)
			}
			all = append(all, o)
		}
	}
	return all
}

func TestGeneratedRequestsAreAnsweredAsTheDocumentSays(t *testing.T) {
	t.Parallel()
	for name, database := range map[string]func(*testing.T) string{
		"SQLite":     func(t *testing.T) string { t.Helper(); return filepath.Join(t.TempDir(), "test.db") },
		"PostgreSQL": func(t *testing.T) string { t.Helper(); return pgtest.URL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := *seed
			if start == 0 {
				start = rand.Uint64()
			}
			t.Logf("-seed %d", start)
			w := newFilledWorld(t, database(t))
			f := fuzz{world: w, generator: generator{rand.New(rand.NewPCG(start, 0))}, statuses: map[int]int{}, checked: map[string]bool{}}
			all := w.operations()
			if len(all) < 30 {
				t.Fatalf("the document has %d operations", len(all))
			}
			for range *rounds {
				for _, op := range all {
					f.round(op)
				}
			}
			t.Logf("%d requests: %v", f.sent, f.statuses)
		})
	}
}

// fuzz sends generated requests.
type fuzz struct {
	*world
	generator
	sent     int
	last     []byte // the body of the last answer
	statuses map[int]int
	checked  map[string]bool // statuses by operation that were checked against the document
}

// round sends to an operation one valid request, some invalid ones, and some
// with an insufficient scope.
func (f *fuzz) round(op operation) {
	valid := f.request(op, true)
	if status := f.send(op, valid, "admin"); status == 413 || status == 415 || unfit(f.last) {
		f.t.Errorf("status %d for a request that the document allows:\n%.2000s", status, valid)
	}
	for range 2 {
		f.send(op, f.request(op, false), "admin")
	}
	for _, token := range []string{"", "wrong"} {
		if status := f.send(op, f.request(op, f.one(2)), token); status != http.StatusUnauthorized && status != http.StatusRequestEntityTooLarge {
			f.t.Errorf("%d with the token %q for %s %s", status, token, op.method, op.path)
		}
	}
	for _, scope := range gistdeal.Scopes {
		if scope.Allows(op.scope) {
			continue
		}
		if status := f.send(op, f.request(op, f.one(2)), string(scope)); status != http.StatusForbidden && status != http.StatusRequestEntityTooLarge {
			f.t.Errorf("%d with the scope %s for %s %s, which needs %s", status, scope, op.method, op.path, op.scope)
		}
	}
}

// unfit reports whether an answer says that the request does not fit the document.
// No document can say that a text has no NUL characters.
func unfit(answer []byte) bool {
	return bytes.Contains(answer, []byte(`"validation failed"`)) && !bytes.Contains(answer, []byte("without NUL"))
}

// request returns a request in wire format.
func (f *fuzz) request(op operation, valid bool) []byte {
	var body []byte
	kind := ""
	if op.RequestBody != nil {
		body, kind = f.content(op.RequestBody.Value.Content, valid)
	}
	var text bytes.Buffer
	fmt.Fprintf(&text, "%s %s", op.method, f.path(op.path, op.Parameters, valid))
	if q := f.query(op.Parameters, valid); q != "" {
		text.WriteString("?" + q)
	}
	text.WriteString(" HTTP/1.1\r\nHost: gistdeal.example\r\n")
	if kind != "" {
		text.WriteString("Content-Type: " + kind + "\r\n")
	}
	if !valid && f.one(5) {
		text.WriteString(pick(f.generator, []string{
			"Prefer: respond-async\r\n", "Idempotency-Key: 1\r\n", "Idempotency-Key: é\r\n", "If-None-Match: *\r\n", "If-None-Match: \"\xff\r\n", "Accept: text/html\r\n", "Accept: ;q=a\r\n", "Accept: application/cbor\r\n",
			"Content-Encoding: gzip\r\n", "X-Forwarded-For: ,,\r\n", "Range: bytes=0-1\r\n", "Expect: 100-continue\r\n", "Cookie: gistdeal=%%%\r\n",
		}))
	}
	if length := len(body); length > 0 {
		if !valid && f.one(20) {
			length += 10 // The rest of the body is never sent.
		}
		fmt.Fprintf(&text, "Content-Length: %d\r\n", length)
	}
	text.WriteString("\r\n")
	text.Write(body)
	return text.Bytes()
}

// content returns a body of a type that the operation accepts, and the type.
func (f *fuzz) content(content openapi3.Content, valid bool) ([]byte, string) {
	kind := pick(f.generator, sorted(content))
	var body []byte
	if kind == "application/json" {
		body = f.body(content[kind].Schema, valid)
	} else {
		for range 1 + f.IntN(5) {
			body = append(body, f.text(content[kind].Schema.Value)+pick(f.generator, []string{"\n", ",", ";", " "})...)
		}
		body = append(body, "user1"...)
	}
	switch {
	case valid:
	case f.one(6):
		kind = pick(f.generator, oddTypes)
	case f.one(100):
		body = bytes.Repeat([]byte("a "), 1<<19)
	}
	return body, kind
}

// send sends a request of another machine to the handler, checks the answer and
// returns its status. The status is 0 if net/http itself refuses the request or
// redirects it.
func (f *fuzz) send(op operation, text []byte, token string) int {
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(text)))
	if err != nil {
		return f.expected(token, op)
	}
	if r.RequestURI != r.URL.RequestURI() && strings.Contains(r.URL.Path, "..") {
		return f.expected(token, op)
	}
	r.RemoteAddr = fmt.Sprintf("[2001:db8:%x:%x::1]:1", f.IntN(1<<16), f.IntN(1<<16)) // No client reaches the request limit.
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	ctx, cancel := context.WithCancel(f.t.Context())
	defer cancel()
	rec := recorder{ResponseRecorder: httptest.NewRecorder()}
	stream := strings.HasSuffix(op.path, "/events")
	if stream {
		rec.wrote = cancel // The first event is enough.
	}
	f.handler.ServeHTTP(rec, r.WithContext(ctx))
	resp := rec.Result()
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	testenv.Must(f.t, err)
	f.sent++
	f.last = body
	f.statuses[resp.StatusCode]++
	if resp.StatusCode >= 300 && resp.StatusCode < 400 && resp.StatusCode != http.StatusNotModified {
		return f.expected(token, op) // a redirect of net/http to the cleaned path
	}
	if resp.StatusCode == http.StatusNotFound && bytes.Contains(body, []byte("no such route")) {
		return f.expected(token, op) // A parameter was empty.
	}
	if err := checkProblem(resp, body); err != nil {
		f.t.Errorf("%v: %d %.500s\n%.2000q", err, resp.StatusCode, body, text)
	}
	f.checkAnswer(op, stream, r, resp, body)
	return resp.StatusCode
}

// checkAnswer checks an answer against the document. Problems were checked before,
// so it checks only one of each kind for each operation, because it is slow.
func (f *fuzz) checkAnswer(op operation, stream bool, r *http.Request, resp *http.Response, body []byte) {
	kind := fmt.Sprint(op.OperationID, resp.StatusCode)
	if resp.StatusCode >= 400 && f.checked[kind] || stream && resp.StatusCode == http.StatusOK {
		return
	}
	f.checked[kind] = true
	f.check(r, resp, body)
}

// recorder accepts deadlines, as connections do.
type recorder struct {
	*httptest.ResponseRecorder
	wrote func()
}

func (r recorder) Write(b []byte) (int, error) {
	if r.wrote != nil {
		r.wrote()
	}
	return r.ResponseRecorder.Write(b)
}

func (recorder) SetWriteDeadline(time.Time) error { return nil }

// expected is the status that round wants for requests that net/http answers.
func (f *fuzz) expected(token string, op operation) int {
	switch {
	case token == "" || token == "wrong":
		return http.StatusUnauthorized
	case !gistdeal.Scope(token).Allows(op.scope):
		return http.StatusForbidden
	}
	return 0
}

// checkProblem returns an error if an answer is not a correct problem.
func checkProblem(resp *http.Response, body []byte) error {
	if resp.StatusCode < 400 {
		return nil
	}
	if resp.StatusCode >= 500 {
		return fmt.Errorf("an internal error")
	}
	var p struct {
		Type, Title, Detail string
		Status              int
		RequestID           string `json:"request_id"`
	}
	if err := json.Unmarshal(body, &p); err != nil {
		return err
	}
	if resp.Header.Get("Content-Type") != "application/problem+json" || p.Type == "" || p.Title == "" || p.Detail == "" || p.Status != resp.StatusCode {
		return fmt.Errorf("the problem is incomplete")
	}
	if p.RequestID == "" || p.RequestID != resp.Header.Get("X-Request-Id") {
		return fmt.Errorf("the request id is not that of the request")
	}
	if resp.StatusCode == http.StatusBadRequest && p.Type != "urn:gistdeal:problem:invalid" {
		return fmt.Errorf("an invalid request is not told as one")
	}
	return nil
}

// newFilledWorld returns a world with data of each kind and without a leader.
func newFilledWorld(t *testing.T, database string) *world {
	t.Helper()
	s, url := testenv.Simulate(t, sim.Options{Seed: 1, GitHubLimit: -1})
	db := stack.OpenAt(t, database)
	w := &world{t: t, sim: s, db: db}
	w.hub, _ = stack.Clients(t, url, pipedrive.Options{})
	w.engine = engine.New(db, nil, nil, engine.Options{})
	ctx, now := gistdeal.WithCaller(t.Context(), gistdeal.Caller{Source: gistdeal.SourceCommand}), time.Now()
	for id := int64(1); id <= 9; id++ {
		_, err := db.Track(ctx, gistdeal.Account{ID: id, Login: fmt.Sprintf("user%d", id)}, gistdeal.BackfillAll, now)
		testenv.Must(w.t, err)
		gists := make([]gistdeal.Gist, 3)
		for i := range gists {
			gists[i] = gistdeal.Gist{ID: fmt.Sprintf("%032x", int(id-1)*3+i+1), Files: []gistdeal.File{{Name: "a", RawURL: "https://gist.example/a"}}, CreatedAt: now}
		}
		_, err = db.SaveGists(ctx, id, gists, gistdeal.NewGistPolicy{}, now)
		testenv.Must(w.t, err)
		err = db.Scanned(ctx, id, gistdeal.Listing{}, now, now)
		testenv.Must(w.t, err)
	}
	for id := range int64(3) {
		c, _, err := db.Claim(ctx, "test", now, now)
		testenv.Must(w.t, err)
		if id == 0 {
			testenv.Must(w.t, db.Refuse(ctx, c, "title is bad", now))
			continue
		}
		_, err = db.RecordCreated(ctx, c, id, now)
		testenv.Must(w.t, err)
		_, err = db.RecordCreated(ctx, c, 100+id, now) // a duplicate
		testenv.Must(w.t, err)
	}
	for _, scope := range gistdeal.Scopes {
		testenv.Must(w.t, db.SetToken(ctx, string(scope), gistdeal.HashToken(string(scope)), scope, now))
	}
	w.serve()
	return w
}
