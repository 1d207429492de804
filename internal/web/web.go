package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"regexp"
	"strings"
	"time"

	"gistdeal/internal/problem"
)

//go:embed static
var static embed.FS

// contentTypes are the kinds of files that are served. The machine's own table
// is not asked: it differs, and a module of a wrong type does not run.
var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".svg":  "image/svg+xml",
}

// headers are sent with every answer. The policy lets nothing in that is not a
// file of ours, so text from a gist can never become a script.
var headers = map[string]string{
	"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
		"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
	"Cross-Origin-Opener-Policy": "same-origin",
	"Referrer-Policy":            "no-referrer",
	"X-Content-Type-Options":     "nosniff",
}

// The ages of files in the caches of browsers. The page itself is asked for each time, so
// that no browser mixes the files of two versions; the script and the styles have a hash
// of their content in their names, and never change.
const (
	fresh   = "no-cache"
	day     = "public, max-age=86400"
	forever = "public, max-age=31536000, immutable"
)

// asset is a file as it is sent.
type asset struct {
	content     []byte
	contentType string
	etag        string
	cache       string
}

// Handler returns the handler of the page at / and of its files beside it;
// any other path is answered with 404.
func Handler() http.Handler {
	assets := load()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range headers {
			w.Header().Set(name, value)
		}
		a, ok := find(assets, r.URL.Path)
		if !ok {
			problem.Write(w, problem.Problem{Type: "about:blank", Title: "Not found", Status: http.StatusNotFound, Detail: "there is nothing at this address"})
			return
		}
		w.Header().Set("Content-Type", a.contentType)
		w.Header().Set("ETag", a.etag)
		w.Header().Set("Cache-Control", a.cache)
		// ServeContent leaves out the body of HEAD, and the compression needs it for its
		// headers. net/http does not send it.
		get := *r
		get.Method = http.MethodGet
		http.ServeContent(w, &get, "", time.Time{}, bytes.NewReader(a.content))
	})
}

// hashed are the names of the scripts and the styles, of any version.
var hashed = regexp.MustCompile(`^(/app|/later)\.[0-9a-f]{16}(\.js|\.css)$`)

// find returns the file with a path. While instances are updated one after another, a page
// may ask this one for the script of another version: it gets the script of this version,
// for once.
func find(assets map[string]asset, name string) (asset, bool) {
	a, ok := assets[name]
	if m := hashed.FindStringSubmatch(name); !ok && m != nil {
		for other := range assets {
			if strings.HasPrefix(other, m[1]+".") && strings.HasSuffix(other, m[2]) {
				a, ok = assets[other], true
				a.cache = fresh
			}
		}
	}
	return a, ok
}

// scripts and styles are the elements of index.html for the files that are joined.
var (
	scripts = regexp.MustCompile(`<script type="module" src="(\w+)\.js" data-later="(\w+)\.js"`)
	styles  = regexp.MustCompile(`(?m)^ *<link rel="stylesheet" href="(\w+\.css)">\n`)
)

// sharedModules are the modules that later.js gives to the script that is loaded later.
var sharedModules = []string{"account", "api", "dom", "operations", "parts", "undo", "words"}

// load returns the files by their path: the page, the drawing, one script of all modules,
// one of those that are loaded later, and one file of all styles. A file that cannot be
// read or joined is a programmer's mistake.
func load() map[string]asset {
	html := read("index.html")
	names, all := scripts.FindStringSubmatch(html), modules()
	script, err := join(all, names[1])
	if err != nil {
		panic("web: " + err.Error())
	}
	later, err := joinLater(all, names[2], sharedModules)
	if err != nil {
		panic("web: " + err.Error())
	}
	var style strings.Builder
	for _, link := range styles.FindAllStringSubmatch(html, -1) {
		style.WriteString(read(link[1]))
	}
	scriptPath, laterPath, stylePath := pathOf("app", script, ".js"), pathOf("later", later, ".js"), pathOf("app", style.String(), ".css")
	html = scripts.ReplaceAllString(html, `<script type="module" src="`+scriptPath[1:]+`" data-later="`+laterPath[1:]+`"`)
	first := true
	html = styles.ReplaceAllStringFunc(html, func(string) string {
		if !first {
			return ""
		}
		first = false
		return `  <link rel="stylesheet" href="` + stylePath[1:] + "\">\n"
	})
	assets := map[string]asset{
		"/":            newAsset(html, ".html", fresh),
		"/favicon.svg": newAsset(read("favicon.svg"), ".svg", day),
		scriptPath:     newAsset(script, ".js", forever),
		laterPath:      newAsset(later, ".js", forever),
		stylePath:      newAsset(style.String(), ".css", forever),
	}
	assets["/index.html"] = assets["/"]
	return assets
}

// modules returns the text of each script by its name without the .js.
func modules() map[string]string {
	entries, err := static.ReadDir("static")
	if err != nil {
		panic(err)
	}
	texts := map[string]string{}
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".js"); ok {
			texts[name] = read(e.Name())
		}
	}
	return texts
}

func read(name string) string {
	content, err := static.ReadFile("static/" + name)
	if err != nil {
		panic(err)
	}
	return string(content)
}

func pathOf(name, text, extension string) string {
	return "/" + name + "." + hash(text)[:16] + extension
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:12])
}

func newAsset(text, extension, cache string) asset {
	return asset{[]byte(text), contentTypes[extension], `"` + hash(text) + `"`, cache}
}
