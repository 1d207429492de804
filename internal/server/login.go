package server

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"

	"gistdeal"
)

// cookieAge is the lifetime of the cookie.
const cookieAge = 30 * 24 * time.Hour

// login sets the token as a cookie that scripts cannot read. There is no other
// session: revoking the token ends the log-in.
func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Token string `json:"token"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body.Token == "" {
		refuse(w, http.StatusBadRequest, "Invalid request", `the body must be {"token": "..."}`)
		return
	}
	if s.refuseGuess(w, r) {
		return
	}
	caller, err := s.callerOf(r, body.Token)
	if err != nil {
		s.unidentified(w, r, err)
		return
	}
	setCookie(w, r, body.Token, cookieAge)
	writeJSON(w, http.StatusOK, struct {
		Name  string         `json:"name"`
		Scope gistdeal.Scope `json:"scope"`
	}{caller.Name, caller.Scope})
}

// logout clears the cookie.
func (s *Server) logout(w http.ResponseWriter, r *http.Request) {
	setCookie(w, r, "", 0)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
}

// setCookie sets the cookie to a token with the given lifetime; 0 clears it. Pages
// of other sites cannot make a browser send the cookie.
func setCookie(w http.ResponseWriter, r *http.Request, token string, age time.Duration) {
	c := http.Cookie{
		Name: cookieName(r), Value: base64.RawURLEncoding.EncodeToString([]byte(token)), // A token may contain characters that cookies cannot.
		Path: "/", MaxAge: int(age.Seconds()), HttpOnly: true, Secure: encrypted(r), SameSite: http.SameSiteStrictMode,
	}
	if age == 0 {
		c.MaxAge = -1
	}
	http.SetCookie(w, &c)
}

// cookieToken returns the token in the cookie, and whether there is one.
func cookieToken(r *http.Request) (string, bool) {
	c, err := r.Cookie(cookieName(r))
	if err != nil {
		return "", false
	}
	token, err := base64.RawURLEncoding.DecodeString(c.Value)
	return string(token), err == nil
}

// cookieName returns the name of the cookie. Browsers accept the prefix __Host- only
// over TLS and from the host itself, so no other host of the domain can set it.
func cookieName(r *http.Request) string {
	if encrypted(r) {
		return "__Host-gistdeal"
	}
	return "gistdeal"
}

// encrypted reports whether the browser used TLS, to this server or to a proxy.
func encrypted(r *http.Request) bool {
	return r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https"
}
