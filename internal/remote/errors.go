package remote

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"gistdeal"
)

// errorf returns an error of a server.
func errorf(server, format string, args ...any) error {
	return fmt.Errorf("%s: %w", server, fmt.Errorf(format, args...))
}

// serverOf returns the address of the server that answered.
func serverOf(resp *http.Response) string {
	return resp.Request.URL.Scheme + "://" + resp.Request.URL.Host
}

// unreachable returns the error of a request without an answer.
func unreachable(server string, err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err // The text of a url.Error has the whole URL.
	}
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, http.ErrSchemeMismatch) || isType[tls.RecordHeaderError](err):
		return errorf(server, "answers without TLS: check the address and the port, or use http:// on your own machine (%w)", err)
	case isType[*tls.CertificateVerificationError](err) || isType[x509.UnknownAuthorityError](err):
		return errorf(server, "its certificate is not trusted: check the address, and name the file of your own authority in SSL_CERT_FILE (%w)", err)
	}
	return temporary(errorf(server, "no answer: check the address, and that gistdeal runs there (%w)", err))
}

// temporary returns err as one that may pass: the server, or the proxy before it, restarts.
func temporary(err error) error { return &gistdeal.Error{Kind: gistdeal.Temporary, Err: err} }

// isType reports whether err has an error of that type.
func isType[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// problemPrefix is that of the types of gistdeal's problems.
const problemPrefix = "urn:gistdeal:problem:"

// kinds maps the type of a problem to the kind of the error.
var kinds = map[string]gistdeal.Kind{
	"invalid": gistdeal.Invalid, "not-found": gistdeal.NotFound, "conflict": gistdeal.Conflict,
	"limited": gistdeal.Limited, "temporary": gistdeal.Temporary, "gone": gistdeal.Gone,
}

// problem is an answer with an error, as RFC 9457 describes it.
type problem struct {
	Type, Title, Detail string
	RequestID           string `json:"request_id"`
	Errors              []struct{ Message, Location string }
}

// problemOf returns the error of an answer that is not a success.
func problemOf(resp *http.Response, text []byte) error {
	var p problem
	ours := json.Unmarshal(text, &p) == nil && p.Title != ""
	server := serverOf(resp)
	switch status := resp.StatusCode; {
	case status >= 300 && status < 400:
		return errorf(server, "redirects to %s: use the address of gistdeal itself", resp.Header.Get("Location"))
	case !ours && status >= http.StatusBadGateway && status <= http.StatusGatewayTimeout:
		return temporary(errorf(server, "answers %s, but not as gistdeal's API: check that gistdeal runs there", resp.Status))
	case !ours:
		return errorf(server, "answers %s, but not as gistdeal's API: check the address, and that gistdeal runs there", resp.Status)
	case status == http.StatusUnauthorized:
		return errorf(server, "the token is missing, wrong or revoked: name the file of a valid one with --token-file or GISTDEAL_TOKEN_FILE; `gistdeal tokens add` makes one on the server's machine (%s)", p.Detail)
	case status == http.StatusForbidden:
		return errorf(server, "your token may not do this: %s; `gistdeal tokens add` makes one on the server's machine", p.Detail)
	case p.Type == "about:blank" && (status == http.StatusNotFound || status == http.StatusMethodNotAllowed):
		return errorf(server, "does not know this command: its gistdeal is older than this one, so update it (%s)", p.Detail)
	}
	return &gistdeal.Error{Kind: kinds[strings.TrimPrefix(p.Type, problemPrefix)], Err: errors.New(p.text())}
}

// text returns the detail, with each thing that is wrong with the request. For an error of
// the server it has the id by which the server's log knows the request.
func (p problem) text() string {
	text := p.Detail
	if text == "" {
		text = p.Title
	}
	for _, e := range p.Errors {
		text += "; " + strings.TrimPrefix(e.Location, "body.") + ": " + e.Message
	}
	if p.Type == problemPrefix+"internal" {
		text = "the server has an error of its own: " + text + " (request_id " + p.RequestID + ")"
	}
	return text
}
