package web

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func get(path string, header http.Header) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	maps.Copy(r.Header, header)
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	return w
}

func TestEachFileHasItsTypeAndTheSecurityHeaders(t *testing.T) {
	t.Parallel()
	for path, contentType := range map[string]string{
		"/":            "text/html; charset=utf-8",
		"/index.html":  "text/html; charset=utf-8",
		"/app.js":      "text/javascript; charset=utf-8",
		"/style.css":   "text/css; charset=utf-8",
		"/favicon.svg": "image/svg+xml",
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			response := get(path, nil)
			if response.Code != http.StatusOK || response.Body.Len() == 0 {
				t.Fatalf("status %d with %d bytes, want 200 with a file", response.Code, response.Body.Len())
			}
			want := map[string]string{
				"Content-Type":               contentType,
				"Cache-Control":              "no-cache",
				"X-Content-Type-Options":     "nosniff",
				"Referrer-Policy":            "no-referrer",
				"Cross-Origin-Opener-Policy": "same-origin",
				"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
					"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
			}
			for name, value := range want {
				if got := response.Header().Get(name); got != value {
					t.Errorf("%s: %q, want %q", name, got, value)
				}
			}
		})
	}
}

func TestACachedFileIsNotSentAgain(t *testing.T) {
	t.Parallel()
	etag := get("/app.js", nil).Header().Get("ETag")
	if etag == "" {
		t.Fatal("no ETag")
	}
	again := get("/app.js", http.Header{"If-None-Match": {etag}})
	if again.Code != http.StatusNotModified || again.Body.Len() != 0 {
		t.Errorf("status %d with %d bytes, want 304 without a body", again.Code, again.Body.Len())
	}
	if again.Header().Get("Content-Security-Policy") == "" {
		t.Error("the 304 has no policy")
	}
	if other := get("/style.css", http.Header{"If-None-Match": {etag}}); other.Code != http.StatusOK {
		t.Errorf("another file answers %d to this ETag, want 200", other.Code)
	}
}

func TestAnyOtherPathGets404(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/nothing", "/static/app.js", "/app.js/", "//", "/../web.go", "/doc.go"} {
		response := get("http://gistdeal.test"+path, nil)
		if response.Code != http.StatusNotFound {
			t.Errorf("%s: status %d, want 404", path, response.Code)
		}
		if got := response.Header().Get("Content-Type"); got != "application/problem+json" || !json.Valid(response.Body.Bytes()) {
			t.Errorf("%s: %s %q, want a problem", path, got, response.Body)
		}
		if response.Header().Get("Content-Security-Policy") == "" {
			t.Errorf("%s: no policy", path)
		}
	}
}

// A violation of the policy fails only in the browser of a user.
func TestThePageObeysItsContentSecurityPolicy(t *testing.T) {
	t.Parallel()
	html := get("/", nil).Body.String()
	for _, forbidden := range []string{`(?i)<style`, `(?i)\sstyle\s*=`, `(?i)\son[a-z]+\s*=`, `(?i)<script(?:\s[^>]*)?>\s*[^<\s]`, `(?i)javascript:`, `(?i)<base`, `(?i)(?:src|href)="(?:https?:)?//`} {
		if match := regexp.MustCompile(forbidden).FindString(html); match != "" {
			t.Errorf("index.html: %q", match)
		}
	}
	for path, a := range load() {
		if !strings.HasSuffix(path, ".js") {
			continue
		}
		for _, forbidden := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "localStorage"} {
			if strings.Contains(string(a.content), forbidden) {
				t.Errorf("%s: %s", path, forbidden)
			}
		}
	}
}

func TestReferencedFilesExistAndAllFilesAreReferenced(t *testing.T) {
	t.Parallel()
	assets := load()
	named := map[string]bool{"/": true, "/index.html": true}
	names := regexp.MustCompile(`(?:src="|href="|from '\./)([a-z]+\.[a-z]+)['"]`)
	for _, a := range assets {
		for _, match := range names.FindAllStringSubmatch(string(a.content), -1) {
			path := "/" + match[1]
			named[path] = true
			if _, ok := assets[path]; !ok {
				t.Errorf("%s is referenced but does not exist", path)
			}
		}
	}
	for path := range assets {
		if !named[path] {
			t.Errorf("%s is served but no file refers to it", path)
		}
	}
}

// The scripts and the browser tests need these elements.
func TestThePageHasTheElementsThatScriptsNeed(t *testing.T) {
	t.Parallel()
	assets := load()
	html := string(assets["/index.html"].content)
	for path, a := range assets {
		if !strings.HasSuffix(path, ".js") {
			continue
		}
		for _, match := range regexp.MustCompile(`\$\('([a-z-]+)'`).FindAllStringSubmatch(string(a.content), -1) {
			if !strings.Contains(html, `id="`+match[1]+`"`) {
				t.Errorf("%s needs #%s, which is not in index.html", path, match[1])
			}
		}
	}
}

func TestThePageStaysSmall(t *testing.T) {
	t.Parallel()
	const file, all = 12 << 10, 160_000
	sum := 0
	for path, a := range load() {
		if path == "/" {
			continue // index.html
		}
		sum += len(a.content)
		if len(a.content) > file {
			t.Errorf("%s has %d bytes, more than %d", path, len(a.content), file)
		}
	}
	if sum > all {
		t.Errorf("all files have %d bytes, more than %d", sum, all)
	}
}
