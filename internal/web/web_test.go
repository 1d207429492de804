package web

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gistdeal"
)

func get(path string, header http.Header) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	maps.Copy(r.Header, header)
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	return w
}

// pathTo returns the path of the script or of the styles.
func pathTo(extension string) string {
	for path := range load() {
		if strings.HasPrefix(path, "/app.") && strings.HasSuffix(path, extension) {
			return path
		}
	}
	return ""
}

// laterPath returns the path of the script that is loaded later.
func laterPath() string {
	for path := range load() {
		if strings.HasPrefix(path, "/later.") {
			return path
		}
	}
	return ""
}

func TestEachFileHasItsTypeAndTheSecurityHeaders(t *testing.T) {
	t.Parallel()
	for path, is := range map[string]struct{ contentType, cache string }{
		"/":            {"text/html; charset=utf-8", fresh},
		"/index.html":  {"text/html; charset=utf-8", fresh},
		pathTo(".js"):  {"text/javascript; charset=utf-8", forever},
		laterPath():    {"text/javascript; charset=utf-8", forever},
		pathTo(".css"): {"text/css; charset=utf-8", forever},
		"/favicon.svg": {"image/svg+xml", day},
		// Another version's, while instances are updated one after another.
		"/app.0123456789abcdef.js":   {"text/javascript; charset=utf-8", fresh},
		"/app.0123456789abcdef.css":  {"text/css; charset=utf-8", fresh},
		"/later.0123456789abcdef.js": {"text/javascript; charset=utf-8", fresh},
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			response := get(path, nil)
			if response.Code != http.StatusOK || response.Body.Len() == 0 {
				t.Fatalf("status %d with %d bytes, want 200 with a file", response.Code, response.Body.Len())
			}
			want := map[string]string{
				"Content-Type":               is.contentType,
				"Cache-Control":              is.cache,
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
	etag := get("/", nil).Header().Get("ETag")
	if etag == "" {
		t.Fatal("no ETag")
	}
	again := get("/", http.Header{"If-None-Match": {etag}})
	if again.Code != http.StatusNotModified || again.Body.Len() != 0 {
		t.Errorf("status %d with %d bytes, want 304 without a body", again.Code, again.Body.Len())
	}
	if again.Header().Get("Content-Security-Policy") == "" {
		t.Error("the 304 has no policy")
	}
	if other := get(pathTo(".js"), http.Header{"If-None-Match": {etag}}); other.Code != http.StatusOK {
		t.Errorf("another file answers %d to this ETag, want 200", other.Code)
	}
}

func TestAnyOtherPathGets404(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/nothing", "/static/app.js", "/app.js", "/app.0123456789abcdef.svg", "//", "/../web.go", "/doc.go"} {
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
	for name, text := range modules() {
		for _, forbidden := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "localStorage"} {
			if strings.Contains(text, forbidden) {
				t.Errorf("%s.js: %s", name, forbidden)
			}
		}
	}
}

func TestThePageHasADescription(t *testing.T) {
	t.Parallel()
	if html := get("/", nil).Body.String(); !regexp.MustCompile(`<meta name="description" content="[^"]{40,160}">`).MatchString(html) {
		t.Error("the page does not describe itself")
	}
}

func TestReferencedFilesExistAndAllFilesAreReferenced(t *testing.T) {
	t.Parallel()
	assets := load()
	named := map[string]bool{"/": true, "/index.html": true}
	for _, match := range regexp.MustCompile(`(?:src|href|data-later)="([a-z]+\.[a-z0-9.]+)"`).FindAllStringSubmatch(get("/", nil).Body.String(), -1) {
		path := "/" + match[1]
		named[path] = true
		if _, ok := assets[path]; !ok {
			t.Errorf("%s is referenced but does not exist", path)
		}
	}
	for path := range assets {
		if !named[path] {
			t.Errorf("%s is served but no file refers to it", path)
		}
	}
	script := ""
	for path, a := range assets {
		if strings.HasSuffix(path, ".js") {
			script += string(a.content)
		}
	}
	for name := range modules() {
		if !strings.Contains(script, "const module_"+name+" = ") {
			t.Errorf("%s.js is a module that no other imports", name)
		}
	}
	entries, err := static.ReadDir("static")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".css") && !strings.Contains(read("index.html"), e.Name()) {
			t.Errorf("%s is not in index.html", e.Name())
		}
	}
}

func TestModulesAreJoinedWithTheirImportsFirstAndOnce(t *testing.T) {
	t.Parallel()
	script, err := join(map[string]string{
		"app":   "import * as words from './words.js';\nimport { el, $ } from './dom.js';\nwords.say(el, $);",
		"words": "// a comment\nimport { el } from './dom.js';\nexport const say = el;\nexport async function later() {}",
		"dom":   "export const el = 1;\nexport class Page {}",
	}, "app")
	want := `const module_dom = (() => {
const el = 1;
class Page {}
return { el, Page };
})();
const module_words = (() => {

const { el } = module_dom;
const say = el;
async function later() {}
return { say, later };
})();
const module_app = (() => {
const words = module_words;
const { el, $ } = module_dom;
words.say(el, $);
return {  };
})();
`
	if err != nil || script != want {
		t.Errorf("%v\n%s", err, script)
	}
	later, err := joinLater(map[string]string{"dom": "export const el = 1;", "rules": "import { el } from './dom.js';\nexport const rules = el;"}, "rules", []string{"dom"})
	want = `export const load = ({ dom: module_dom }) => {
const module_rules = (() => {
const { el } = module_dom;
const rules = el;
return { rules };
})();
return module_rules;
};
`
	if err != nil || later != want {
		t.Errorf("%v\n%s", err, later)
	}
	for text, wrong := range map[string]string{
		"import './app.js';": "another form", "import { a } from './app.js';": "itself", "import { a } from './none.js';": "a module that does not exist",
		"export default 1;": "another export", "export { a };": "a list", "import { a as b } from './app.js';": "a renamed import",
	} {
		if script, err := join(map[string]string{"app": text}, "app"); err == nil {
			t.Errorf("%s: joined to %s", wrong, script)
		}
	}
}

// The scripts and the browser tests need these elements.
func TestThePageHasTheElementsThatScriptsNeed(t *testing.T) {
	t.Parallel()
	html := read("index.html")
	for name, text := range modules() {
		for _, match := range regexp.MustCompile(`\$\('([a-z-]+)'`).FindAllStringSubmatch(text, -1) {
			if !strings.Contains(html, `id="`+match[1]+`"`) {
				t.Errorf("%s.js needs #%s, which is not in index.html", name, match[1])
			}
		}
	}
}

// The page offers people only the types that messages to them tell of.
func TestThePageOffersEachTypeOfEventsForWebhooks(t *testing.T) {
	t.Parallel()
	_, groups, _ := strings.Cut(modules()["webhookform"], "const groups = {")
	groups, noticed, _ := strings.Cut(groups, "const noticed =")
	noticed, _, _ = strings.Cut(noticed, ";")
	for _, kind := range gistdeal.EventTypes {
		name := "'" + string(kind) + "'"
		if !strings.Contains(groups, name+": ") {
			t.Errorf("webhookform.js does not offer %s", name)
		}
		if people := slices.Contains(gistdeal.NoticeTypes, kind); people != strings.Contains(noticed, name) {
			t.Errorf("webhookform.js offers %s to people: %v, want %v", name, !people, people)
		}
	}
}

func TestThePageStaysSmall(t *testing.T) {
	t.Parallel()
	// The rarely visited views are loaded when one of them is first visited.
	const file, all, rare = 12 << 10, 60 << 10, 32 << 10
	for name, text := range modules() {
		if len(text) > file {
			t.Errorf("%s.js has %d bytes, more than %d", name, len(text), file)
		}
	}
	sum := 0
	for path, a := range load() {
		if path == "/" {
			continue // index.html
		}
		var out bytes.Buffer
		w := gzip.NewWriter(&out)
		if _, err := w.Write(a.content); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(path, "/later.") {
			t.Logf("%d bytes with gzip are loaded later", out.Len())
			if out.Len() > rare {
				t.Errorf("the rarely visited views have %d bytes with gzip, more than %d", out.Len(), rare)
			}
			continue
		}
		sum += out.Len()
	}
	if sum > all {
		t.Errorf("all files have %d bytes with gzip, more than %d", sum, all)
	}
	t.Logf("%d bytes with gzip", sum)
}
