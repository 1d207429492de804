package server

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"

	"gistdeal"
)

// loggedIn is how long a browser keeps the cookie.
const loggedIn = 30 * 24 * time.Hour

// login gives a browser its token as a cookie that no script can read. Nothing
// else is kept of it, so it ends with the token.
func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Token string `json:"token"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body.Token == "" {
		refuse(w, http.StatusBadRequest, "Invalid request", `the body must be {"token": "..."}`)
		return
	}
	if s.guesses(w, r) {
		return
	}
	caller, err := s.callerOf(r, body.Token)
	if err != nil {
		s.unidentified(w, r, err)
		return
	}
	setCookie(w, r, body.Token, loggedIn)
	writeJSON(w, http.StatusOK, struct {
		Name  string         `json:"name"`
		Scope gistdeal.Scope `json:"scope"`
	}{caller.Name, caller.Scope})
}

// logout takes the cookie back.
func (s *Server) logout(w http.ResponseWriter, r *http.Request) {
	setCookie(w, r, "", 0)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
}

// setCookie sets the cookie to a token for that time, or clears it. Pages of
// other sites cannot have the browser send it.
func setCookie(w http.ResponseWriter, r *http.Request, token string, keep time.Duration) {
	c := http.Cookie{
		Name: cookieName(r), Value: base64.RawURLEncoding.EncodeToString([]byte(token)), // Not all that tokens hold may stand in a cookie.
		Path: "/", MaxAge: int(keep.Seconds()), HttpOnly: true, Secure: encrypted(r), SameSite: http.SameSiteStrictMode,
	}
	if keep == 0 {
		c.MaxAge = -1
	}
	http.SetCookie(w, &c)
}

// cookieToken returns the token of the request's cookie, and whether it has one.
func cookieToken(r *http.Request) (string, bool) {
	c, err := r.Cookie(cookieName(r))
	if err != nil {
		return "", false
	}
	token, err := base64.RawURLEncoding.DecodeString(c.Value)
	return string(token), err == nil
}

// cookieName returns the cookie's name. A browser takes the prefix from a host
// itself only and by TLS: a neighbour under the same domain cannot set it.
func cookieName(r *http.Request) string {
	if encrypted(r) {
		return "__Host-gistdeal"
	}
	return "gistdeal"
}

// encrypted reports whether the browser sent the request by TLS, to us or to a proxy.
func encrypted(r *http.Request) bool {
	return r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https"
}
