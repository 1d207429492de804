package server

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"gistdeal"
	"gistdeal/internal/signin"
)

const (
	// attemptAge is the time that a person has to sign in at the provider.
	attemptAge = 10 * time.Minute
	// maxNext is the maximum length of the view to show after a sign-in.
	maxNext = 500
)

// attempt is the content of the cookie of a sign-in that has begun.
type attempt struct {
	signin.Attempt
	Next string `json:"next"` // the view to show afterwards
}

// signInOptions tells the page how people can sign in.
func (s *Server) signInOptions(w http.ResponseWriter, _ *http.Request) {
	var options struct {
		Provider string `json:"provider,omitempty"`
	}
	if s.options.SignIn != nil {
		options.Provider = s.options.SignIn.Host()
	}
	writeJSON(w, http.StatusOK, options)
}

// beginSignIn sends the browser to the provider.
func (s *Server) beginSignIn(w http.ResponseWriter, r *http.Request) {
	if s.options.SignIn == nil {
		refuse(w, http.StatusNotFound, "Not found", "no OpenID Connect provider is configured: sign in with a token")
		return
	}
	a, address, err := s.options.SignIn.Begin(r.Context())
	if err != nil {
		s.refuseSignIn(w, r, err)
		return
	}
	text, err := json.Marshal(attempt{a, view(r.URL.Query().Get("next"))})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.setAttempt(w, r, base64.RawURLEncoding.EncodeToString(text), attemptAge)
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, address, http.StatusSeeOther)
}

var (
	errOtherBrowser = errors.New("this sign-in has ended, or it began in another browser: sign in again")
	errDeclined     = errors.New("the provider did not sign you in")
	errNoGroup      = errors.New("your account has no group that may use gistdeal: ask your gistdeal admin, and sign in again")
)

// endSignIn begins a session of the person whom the provider sent back.
func (s *Server) endSignIn(w http.ResponseWriter, r *http.Request) {
	if s.options.SignIn == nil {
		refuse(w, http.StatusNotFound, "Not found", "no OpenID Connect provider is configured: sign in with a token")
		return
	}
	a, person, err := s.finishSignIn(w, r)
	if err != nil {
		s.refuseSignIn(w, r, err)
		return
	}
	id, now := rand.Text(), time.Now()
	if person, err = s.store.SignedIn(r.Context(), person, now); err != nil {
		s.fail(w, r, err)
		return
	}
	caller := s.from(r, gistdeal.Caller{Name: person.Name, Scope: person.Scope}, gistdeal.SourcePage)
	session := gistdeal.Session{Person: person, ExpiresAt: now.Add(s.options.SignInAge)}
	if err := s.store.AddSession(gistdeal.WithCaller(r.Context(), caller), gistdeal.HashToken(id), session, now); err != nil {
		s.fail(w, r, err)
		return
	}
	s.log.Info("signed in", "name", person.Name, "scope", person.Scope, "client", caller.Address)
	s.setCookie(w, r, id, s.options.SignInAge)
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, view(a.Next), http.StatusSeeOther)
}

// finishSignIn returns the attempt of the browser and the person. Without a group the
// person's other sessions end too.
func (s *Server) finishSignIn(w http.ResponseWriter, r *http.Request) (attempt, gistdeal.Person, error) {
	query := r.URL.Query()
	a, ok := s.attemptOf(r)
	if !ok || subtle.ConstantTimeCompare([]byte(a.State), []byte(query.Get("state"))) != 1 {
		return a, gistdeal.Person{}, errOtherBrowser
	}
	s.setAttempt(w, r, "", 0)
	if query.Has("error") {
		return a, gistdeal.Person{}, errDeclined
	}
	if issuer := query.Get("iss"); issuer != "" && issuer != s.options.SignIn.Issuer() {
		return a, gistdeal.Person{}, gistdeal.Errorf(gistdeal.Invalid, "the answer is of another provider")
	}
	person, err := s.options.SignIn.Finish(r.Context(), query.Get("code"), a.Attempt)
	if err == nil && person.Scope == "" {
		err = errors.Join(s.store.EndSessionsOf(r.Context(), person), fmt.Errorf("%s: %w", person.Name, errNoGroup))
	}
	return a, person, err
}

// providerDown is the minimum time between two events of a provider that is down.
const providerDown = time.Minute

// refuseSignIn answers a sign-in that failed, and logs why. Refused ones count like wrong
// tokens: over the limit, nothing is logged.
func (s *Server) refuseSignIn(w http.ResponseWriter, r *http.Request, err error) {
	status, title, detail := http.StatusBadRequest, "Sign-in not completed", err.Error()
	switch {
	case errors.Is(err, errOtherBrowser):
	case errors.Is(err, errDeclined):
		status = http.StatusForbidden
	case errors.Is(err, errNoGroup):
		status, title, detail = http.StatusForbidden, "No access", errNoGroup.Error()
	case gistdeal.KindOf(err) == gistdeal.Invalid:
		detail = "the provider's answer is not valid: sign in again; the log of gistdeal says more"
	case gistdeal.KindOf(err) == gistdeal.Temporary:
		if s.notices.due("provider down", providerDown, time.Now()) {
			s.log.Warn("sign-in not possible", "error", err, "issuer", s.options.SignIn.Issuer())
		}
		w.Header().Set("Retry-After", "5")
		refuseTo(w, r, http.StatusServiceUnavailable, "Sign-in not possible now", "the provider at "+s.options.SignIn.Host()+" cannot be reached or is set up wrongly: try again later, or sign in with a token")
		return
	default:
		s.fail(w, r, err)
		return
	}
	if !s.countFailure(r, gistdeal.SourcePage, err) {
		s.unidentified(w, r, errManyWrong)
		return
	}
	s.log.Warn("sign-in refused", "error", err, "client", addressText(s.clientAddr(r)))
	refuseTo(w, r, status, title, detail)
}

// refusal is the page of a sign-in that failed.
var refusal = template.Must(template.New("").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{{.Title}} · gistdeal</title>
<h1>{{.Title}}</h1>
<p id="detail">{{.Detail}}</p>
<p><a href="/">Back to gistdeal</a></p>
</html>
`))

// refuseTo refuses a request with a page for people, or a problem for programs.
func refuseTo(w http.ResponseWriter, r *http.Request, status int, title, detail string) {
	if !navigates(r) {
		refuse(w, status, title, detail)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	detail = strings.ToUpper(detail[:1]) + detail[1:] + "."
	_ = refusal.Execute(w, struct{ Title, Detail string }{title, detail}) // An error means that the client has disconnected.
}

// view returns the address of a view of the page, always on this site: of the given
// address only the fragment counts.
func view(next string) string {
	u, err := url.Parse(next)
	if err != nil || len(next) > maxNext || !strings.HasPrefix(u.Fragment, "/") {
		return "/"
	}
	return (&url.URL{Path: "/", Fragment: u.Fragment}).String()
}

// setAttempt sets the cookie of a sign-in that has begun; age 0 clears it. The provider's
// redirect is a request from another site, to which browsers do not add strict cookies.
func (s *Server) setAttempt(w http.ResponseWriter, r *http.Request, value string, age time.Duration) {
	c := http.Cookie{
		Name: s.cookieName(r) + "-signin", Value: value,
		Path: "/", MaxAge: int(age.Seconds()), HttpOnly: true, Secure: s.encrypted(r), SameSite: http.SameSiteLaxMode,
	}
	if age == 0 {
		c.MaxAge = -1
	}
	http.SetCookie(w, &c)
}

// attemptOf returns the sign-in that this browser began, and whether there is one.
func (s *Server) attemptOf(r *http.Request) (a attempt, ok bool) {
	c, err := r.Cookie(s.cookieName(r) + "-signin")
	if err != nil {
		return a, false
	}
	text, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil || json.Unmarshal(text, &a) != nil {
		return a, false
	}
	return a, a.State != "" && a.Nonce != "" && a.Verifier != ""
}
