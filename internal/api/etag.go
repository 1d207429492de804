package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// serveTagged sends the answer of next with an ETag, or 304 without a body if the
// client has the same answer already. The tag is a hash of the body. An answer to HEAD has
// the headers of GET; net/http leaves its body out.
func serveTagged(next http.Handler, w http.ResponseWriter, r *http.Request) {
	answer := &bufferedAnswer{header: w.Header(), status: http.StatusOK}
	next.ServeHTTP(answer, r)
	if answer.status == http.StatusOK {
		tag := tagOf(answer.body.Bytes())
		w.Header().Set("ETag", tag)
		w.Header().Set("Cache-Control", "private, no-cache")
		if matches(r.Header.Get("If-None-Match"), tag) {
			w.Header().Del("Content-Type")
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	w.Header().Set("Content-Length", strconv.Itoa(answer.body.Len()))
	w.WriteHeader(answer.status)
	_, _ = w.Write(answer.body.Bytes()) // An error means that the client has disconnected.
}

// tagOf returns the ETag of a body.
func tagOf(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + hex.EncodeToString(sum[:12]) + `"`
}

// matches reports whether the value of the header If-None-Match or If-Match includes the tag.
func matches(header, tag string) bool {
	return slices.ContainsFunc(strings.Split(header, ","), func(one string) bool {
		one = strings.TrimPrefix(strings.TrimSpace(one), "W/")
		return one == tag || one == "*"
	})
}

// bufferedAnswer is an answer that is not sent yet.
type bufferedAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (b *bufferedAnswer) Header() http.Header         { return b.header }
func (b *bufferedAnswer) WriteHeader(status int)      { b.status = status }
func (b *bufferedAnswer) Write(p []byte) (int, error) { return b.body.Write(p) }
