package server

import (
	"net/http"
	"strings"

	"github.com/klauspost/compress/gzhttp"
)

// compress returns a handler that compresses the answers of next over 1 KiB with zstd or
// gzip, if the client accepts that and the handler has not done so.
//
// The event stream must not wait for a buffer. Answers to changes are not compressed either,
// since their length would then tell about their content: the answer to a new token has the
// token beside a name that somebody else may have chosen (the attack BREACH). No answer to a
// GET has a secret. A POST of /user/{login} has the same answer as its GET.
func compress(next http.Handler) http.Handler {
	wrap, err := gzhttp.NewWrapper()
	if err != nil {
		panic(err) // A programming error: there are no options.
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reads := r.Method == http.MethodGet || r.Method == http.MethodHead || strings.HasPrefix(r.URL.Path, "/user/")
		if !reads || r.URL.Path == apiPath+"events" {
			next.ServeHTTP(w, r)
			return
		}
		get := *r // An answer to HEAD has the headers of GET, but gzhttp compresses none.
		get.Method = http.MethodGet
		handle := func(w http.ResponseWriter, _ *http.Request) { next.ServeHTTP(w, r) }
		wrap(http.HandlerFunc(handle)).ServeHTTP(taggedWriter{w}, &get)
	})
}

// taggedWriter makes the ETag of a compressed answer weak: a strong one would promise the
// bytes of the other encodings too.
type taggedWriter struct{ http.ResponseWriter }

// WriteHeader begins the answer.
func (w taggedWriter) WriteHeader(status int) {
	h := w.Header()
	if tag := h.Get("ETag"); strings.HasPrefix(tag, `"`) && h.Get("Content-Encoding") != "" {
		h.Set("ETag", "W/"+tag)
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap returns the underlying writer, for http.ResponseController.
func (w taggedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
