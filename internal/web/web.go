package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
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

// asset is a file as it is sent.
type asset struct {
	content     []byte
	contentType string
	etag        string
}

// Handler returns the handler of the page at / and of its files beside it;
// any other path is answered with 404.
func Handler() http.Handler {
	assets := load()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range headers {
			w.Header().Set(name, value)
		}
		a, ok := assets[r.URL.Path]
		if !ok {
			problem.Write(w, problem.Problem{Type: "about:blank", Title: "Not found", Status: http.StatusNotFound, Detail: "there is nothing at this address"})
			return
		}
		w.Header().Set("Content-Type", a.contentType)
		w.Header().Set("ETag", a.etag)
		// Ask each time: after an update no browser mixes old files with new ones.
		w.Header().Set("Cache-Control", "no-cache")
		// ServeContent leaves out the body of HEAD, and the compression needs it for its
		// headers. net/http does not send it.
		get := *r
		get.Method = http.MethodGet
		http.ServeContent(w, &get, "", time.Time{}, bytes.NewReader(a.content))
	})
}

// load returns the files by their path. A file that cannot be read was not embedded: a
// programmer's mistake.
func load() map[string]asset {
	entries, err := static.ReadDir("static")
	if err != nil {
		panic(err)
	}
	assets := make(map[string]asset, len(entries)+1)
	for _, e := range entries {
		content, err := static.ReadFile("static/" + e.Name())
		if err != nil {
			panic(err)
		}
		contentType, ok := contentTypes[path.Ext(e.Name())]
		if !ok {
			panic("web: no content type for " + e.Name())
		}
		sum := sha256.Sum256(content)
		assets["/"+e.Name()] = asset{content, contentType, `"` + hex.EncodeToString(sum[:12]) + `"`}
	}
	assets["/"] = assets["/index.html"]
	return assets
}
