package server

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"gistdeal"
)

// sessionAge is the lifetime of a log-in by a token.
const sessionAge = 30 * 24 * time.Hour

// login begins a session of the token's bearer. Its cookie has a random id, not the
// token. The session ends with log-out, with the token, or after sessionAge.
func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Token string `json:"token"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body.Token == "" {
		refuse(w, http.StatusBadRequest, "Invalid request", `the body must be {"token": "..."}`)
		return
	}
	hash := gistdeal.HashToken(body.Token)
	caller, err := s.bearerOf(r, hash)
	if err := s.countWrong(r, gistdeal.SourcePage, err); err != nil {
		s.unidentified(w, r, err)
		return
	}
	id, now := rand.Text(), time.Now()
	ctx := gistdeal.WithCaller(r.Context(), s.from(r, caller, gistdeal.SourcePage))
	if err := s.store.AddSession(ctx, gistdeal.HashToken(id), gistdeal.Session{TokenHash: hash, ExpiresAt: now.Add(sessionAge)}, now); err != nil {
		s.fail(w, r, err)
		return
	}
	s.setCookie(w, r, id, sessionAge)
	writeJSON(w, http.StatusOK, struct {
		Name  string         `json:"name"`
		Scope gistdeal.Scope `json:"scope"`
	}{caller.Name, caller.Scope})
}

// logout ends the session and clears the cookie.
func (s *Server) logout(w http.ResponseWriter, r *http.Request) {
	if id, sent := s.sessionID(r); sent {
		caller, err := s.sessionCaller(r, id)
		if err == nil {
			ctx := gistdeal.WithCaller(r.Context(), s.from(r, caller, gistdeal.SourcePage))
			err = s.store.EndSession(ctx, gistdeal.HashToken(id), time.Now())
		}
		if err != nil && !errors.Is(err, errWrongToken) && !errors.Is(err, errExpired) {
			s.fail(w, r, err)
			return
		}
	}
	s.setCookie(w, r, "", 0)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
}

// sessionCaller returns the bearer of the token with which the session began, or the
// person who signed in. People of a provider that is no longer configured have no access.
func (s *Server) sessionCaller(r *http.Request, id string) (gistdeal.Caller, error) {
	session, err := s.store.Session(r.Context(), gistdeal.HashToken(id), time.Now())
	if gistdeal.KindOf(err) == gistdeal.NotFound {
		return gistdeal.Caller{}, errWrongToken
	}
	if err != nil {
		return gistdeal.Caller{}, err
	}
	if session.TokenHash != "" {
		return s.bearerOf(r, session.TokenHash)
	}
	if s.options.SignIn == nil || s.options.SignIn.Issuer() != session.Person.Issuer {
		return gistdeal.Caller{}, errWrongToken
	}
	return gistdeal.Caller{Name: session.Person.Name, Scope: session.Person.Scope}, nil
}

// setCookie sets the cookie to the id of a session with the given lifetime; 0 clears
// it. Scripts cannot read it, and pages of other sites cannot make a browser send it.
func (s *Server) setCookie(w http.ResponseWriter, r *http.Request, id string, age time.Duration) {
	c := http.Cookie{
		Name: s.cookieName(r), Value: id,
		Path: "/", MaxAge: int(age.Seconds()), HttpOnly: true, Secure: s.encrypted(r), SameSite: http.SameSiteStrictMode,
	}
	if age == 0 {
		c.MaxAge = -1
	}
	http.SetCookie(w, &c)
}

// sessionID returns the id in the cookie, and whether there is one.
func (s *Server) sessionID(r *http.Request) (string, bool) {
	c, err := r.Cookie(s.cookieName(r))
	if err != nil {
		return "", false
	}
	return c.Value, true
}

// cookieName returns the name of the cookie. Browsers accept the prefix __Host- only
// over TLS and from the host itself, so no other host of the domain can set it.
func (s *Server) cookieName(r *http.Request) string {
	if s.encrypted(r) {
		return "__Host-gistdeal"
	}
	return "gistdeal"
}
