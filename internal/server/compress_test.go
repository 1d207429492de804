package server_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"gistdeal/internal/admin/settings"
	"gistdeal/internal/api"
	"gistdeal/internal/server"
	"gistdeal/internal/testing/stack"
	"gistdeal/internal/testing/testenv"
	"gistdeal/internal/web"
)

// large are paths with answers over 1 KiB, of each kind of route.
var large = []string{"/", "/app.0123456789abcdef.js", "/api/v1/users/alice/gists", "/api/v1/overview", "/api/v1/openapi.json", "/user/alice?peek=true"}

// encodings are values of the header Accept-Encoding, and those of Content-Encoding.
var encodings = map[string]string{"": "", "identity": "", "gzip": "gzip", "gzip, deflate, br, zstd": "zstd", "br": ""}

// newFullWorld returns a server with the API and the page, and 50 gists of alice.
func newFullWorld(t *testing.T) *world {
	t.Helper()
	db := stack.Open(t)
	fill(t, db, 50, 60)
	a := api.New(db, settings.Configured{}, api.Options{})
	t.Cleanup(a.Close)
	return newWorldOver(t, db, answering{errNobody}, server.Options{API: a, Page: web.Handler()}, nil)
}

// decoded returns the body of an answer without its encoding.
func (w *world) decoded(r reply) string {
	w.t.Helper()
	body := io.Reader(strings.NewReader(r.body))
	switch r.header.Get("Content-Encoding") {
	case "gzip":
		decoder, err := gzip.NewReader(body)
		testenv.Must(w.t, err)
		body = decoder
	case "zstd":
		decoder, err := zstd.NewReader(body)
		testenv.Must(w.t, err)
		defer decoder.Close()
		body = decoder
	}
	text, err := io.ReadAll(body)
	testenv.Must(w.t, err)
	return string(text)
}

func TestLargeAnswersAreCompressedForClientsThatAcceptIt(t *testing.T) {
	t.Parallel()
	w := newFullWorld(t)
	for _, path := range large {
		plain := w.ask("GET", path)
		for accept, want := range encodings {
			r := w.ask("GET", path, "Accept-Encoding: "+accept)
			if got := r.header.Get("Content-Encoding"); r.status != 200 || got != want || r.header.Get("Vary") != "Accept-Encoding" {
				t.Errorf("%s, %q: status %d, encoding %q, Vary %q; want encoding %q", path, accept, r.status, got, r.header.Get("Vary"), want)
			}
			if w.decoded(r) != plain.body || (len(r.body) < len(plain.body)) != (want != "") {
				t.Errorf("%s, %q: another answer of %d bytes, plain are %d", path, accept, len(r.body), len(plain.body))
			}
		}
	}
	if r := w.ask("POST", "/user/alice?peek=true", "Accept-Encoding: gzip"); r.header.Get("Content-Encoding") != "gzip" {
		t.Errorf("POST /user/alice: encoding %q", r.header.Get("Content-Encoding"))
	}
	if r := w.ask("GET", "/livez", "Accept-Encoding: gzip"); r.header.Get("Content-Encoding") != "" {
		t.Errorf("/livez is small: encoding %q", r.header.Get("Content-Encoding"))
	}
}

func TestAnAnswerIsUnchangedInEachEncoding(t *testing.T) {
	t.Parallel()
	w := newFullWorld(t)
	for _, path := range []string{"/app.0123456789abcdef.js", "/api/v1/users/alice/gists"} {
		for first, encoding := range encodings {
			tag := w.ask("GET", path, "Accept-Encoding: "+first).header.Get("ETag")
			if tag == "" || strings.HasPrefix(tag, "W/") != (encoding != "") {
				t.Errorf("%s, %q: ETag %s", path, first, tag)
			}
			for second := range encodings {
				for _, method := range []string{"GET", "HEAD"} {
					r := w.ask(method, path, "Accept-Encoding: "+second, "If-None-Match: "+tag)
					if r.status != 304 || r.body != "" || r.header.Get("Vary") != "Accept-Encoding" || r.header.Get("Content-Encoding") != "" {
						t.Errorf("%s %s, %q after %q: status %d, %v", method, path, second, first, r.status, r.header)
					}
				}
			}
		}
	}
}

func TestHeadHasTheHeadersOfGet(t *testing.T) {
	t.Parallel()
	w := newFullWorld(t)
	differ := cmpopts.IgnoreMapEntries(func(name string, _ []string) bool { return name == "X-Request-Id" || name == "Date" })
	for _, path := range append(large, "/api/v1/me", "/api/v1/users/nobody") {
		for accept, encoding := range encodings {
			get, head := w.ask("GET", path, "Accept-Encoding: "+accept), w.ask("HEAD", path, "Accept-Encoding: "+accept)
			if diff := cmp.Diff(get.header, head.header, differ); diff != "" || head.status != get.status || head.body != "" {
				t.Errorf("%s, %q: %d instead of %d, %s", path, accept, head.status, get.status, diff)
			}
			if strings.HasPrefix(path, "/api/") && get.status == 200 && (get.header.Get("ETag") == "" || encoding == "" && get.header.Get("Content-Length") == "") {
				t.Errorf("%s, %q: %v", path, accept, get.header)
			}
		}
	}
}

// streaming is an API that answers with an event and goes on until the client leaves, and
// with a large text to any other request.
type streaming struct{}

func (streaming) Close() {}

func (streaming) Pattern(*http.Request) string { return "" }

func (streaming) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/api/v1/events" {
		w.Header().Set("Content-Type", "text/event-stream")
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		return
	}
	_, _ = io.WriteString(w, strings.Repeat("token", 1000))
}

func TestStreamsAndAnswersToChangesAreNotCompressed(t *testing.T) {
	t.Parallel()
	w := newWorldOver(t, stack.Open(t), answering{errNobody}, server.Options{API: streaming{}}, nil)
	resp, err := client.Do(w.request(t.Context(), "GET", "/api/v1/events", nil, "Accept-Encoding: gzip")) // This returns once the answer begins.
	testenv.Must(t, err)
	testenv.Must(t, resp.Body.Close())
	if got := resp.Header.Get("Content-Encoding"); got != "" {
		t.Errorf("the stream has the encoding %q", got)
	}
	for method, want := range map[string]string{"GET": "gzip", "POST": "", "PUT": "", "DELETE": ""} {
		if r := w.ask(method, "/api/v1/tokens", "Accept-Encoding: gzip"); r.header.Get("Content-Encoding") != want {
			t.Errorf("%s: encoding %q, want %q", method, r.header.Get("Content-Encoding"), want)
		}
	}
}

func TestALongExportOutlastsTheTimeOfOtherAnswers(t *testing.T) {
	t.Parallel()
	db := stack.Open(t)
	a := api.New(db, settings.Configured{}, api.Options{})
	t.Cleanup(a.Close)
	w := newWorldOver(t, db, answering{errNobody}, server.Options{API: a}, func(s *http.Server) { s.WriteTimeout = time.Nanosecond })
	token(t, db)
	for _, encoding := range []string{"identity", "gzip"} {
		if r := w.ask("GET", "/api/v1/audit-log.csv", right, "Accept-Encoding: "+encoding); r.status != http.StatusOK || !strings.HasPrefix(r.body, "id,at,actor") {
			t.Errorf("%s: status %d, %q", encoding, r.status, r.body)
		}
	}
}
