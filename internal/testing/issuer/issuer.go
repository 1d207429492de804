// Package issuer is an OpenID Connect provider for tests that can also break the rules:
// every ID token can be forged before it is signed. Everything else about a sign-in is
// checked as the standards say.
package issuer

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"gistdeal/internal/testing/testenv"
)

// The only client.
const (
	ClientID     = "gistdeal"
	ClientSecret = "secret-of-the-client"
)

// Issuer is a provider. Its fields may be changed between requests.
type Issuer struct {
	URL      string
	Claims   map[string]any // in ID tokens, besides those of the protocol
	UserInfo map[string]any // the answer about the person; nil means an error
	Scopes   []string       // that the provider lists
	Down     bool           // every answer is an error
	Public   bool           // the client has no secret
	// Forge changes the header and the claims of an ID token before it is signed.
	Forge func(header, claims map[string]any)

	Asked url.Values // the parameters of the last sign-in

	t     *testing.T
	key   *rsa.PrivateKey
	mu    sync.Mutex
	codes map[string]url.Values // the parameters of sign-ins, by the code that is not used yet
}

// Start starts a provider for one test. Ann signs in, of the group "sales".
func Start(t *testing.T) *Issuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	testenv.Must(t, err)
	i := &Issuer{
		t: t, key: key, codes: map[string]url.Values{},
		Claims: map[string]any{"sub": "ann-1", "email": "ann@example.com", "email_verified": true, "groups": []string{"sales"}},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", i.describe)
	mux.HandleFunc("GET /keys", i.keys)
	mux.HandleFunc("POST /token", i.token)
	mux.HandleFunc("GET /userinfo", i.userInfo)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.mu.Lock()
		defer i.mu.Unlock()
		if i.Down {
			http.Error(w, "down", http.StatusBadGateway)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	i.URL = s.URL
	return i
}

// Change changes the provider between two requests.
func (i *Issuer) Change(change func(*Issuer)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	change(i)
}

func (i *Issuer) describe(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{
		"issuer": i.URL, "authorization_endpoint": i.URL + "/auth", "token_endpoint": i.URL + "/token", "jwks_uri": i.URL + "/keys", "userinfo_endpoint": i.URL + "/userinfo",
		"id_token_signing_alg_values_supported": []string{"RS256"}, "code_challenge_methods_supported": []string{"S256"}, "scopes_supported": i.Scopes,
	})
}

func (i *Issuer) keys(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{"keys": []any{map[string]any{
		"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "1", "n": encode(i.key.N.Bytes()), "e": encode(big.NewInt(int64(i.key.E)).Bytes()),
	}}})
}

// Approve signs the person in at the address that a browser was sent to, and returns the
// address that the browser is sent back to.
func (i *Issuer) Approve(address string) *url.URL {
	i.t.Helper()
	i.mu.Lock()
	defer i.mu.Unlock()
	u, err := url.Parse(address)
	testenv.Must(i.t, err)
	q := u.Query()
	if u.Scheme+"://"+u.Host+u.Path != i.URL+"/auth" || q.Get("client_id") != ClientID || q.Get("response_type") != "code" ||
		q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43 || len(q.Get("state")) < 20 || len(q.Get("nonce")) < 20 {
		i.t.Fatalf("the browser is sent to %s", address)
	}
	code := rand.Text()
	i.Asked, i.codes[code] = q, q
	back, err := url.Parse(q.Get("redirect_uri"))
	testenv.Must(i.t, err)
	back.RawQuery = url.Values{"code": {code}, "state": {q.Get("state")}}.Encode()
	return back
}

func (i *Issuer) token(w http.ResponseWriter, r *http.Request) {
	id, secret, basic := r.BasicAuth()
	if i.Public {
		id, secret, basic = r.FormValue("client_id"), ClientSecret, true
	}
	asked, ok := i.codes[r.FormValue("code")]
	delete(i.codes, r.FormValue("code"))
	sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	switch {
	case !basic || id != ClientID || secret != ClientSecret:
		answer(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
	case !ok || r.FormValue("redirect_uri") != asked.Get("redirect_uri") || encode(sum[:]) != asked.Get("code_challenge"):
		answer(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant"})
	default:
		answer(w, http.StatusOK, map[string]any{"access_token": "secret-access", "token_type": "Bearer", "id_token": i.sign(asked.Get("nonce"))})
	}
}

// sign returns an ID token.
func (i *Issuer) sign(nonce string) string {
	header := map[string]any{"alg": "RS256", "kid": "1", "typ": "JWT"}
	claims := map[string]any{"iss": i.URL, "aud": ClientID, "nonce": nonce, "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix()}
	maps.Copy(claims, i.Claims)
	if i.Forge != nil {
		i.Forge(header, claims)
	}
	text := encodeJSON(i.t, header) + "." + encodeJSON(i.t, claims)
	if header["alg"] == "none" {
		return text + "."
	}
	key := i.key
	if header["kid"] == "stolen" {
		var err error
		key, err = rsa.GenerateKey(rand.Reader, 2048)
		testenv.Must(i.t, err)
	}
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	testenv.Must(i.t, err)
	return text + "." + encode(signature)
}

func (i *Issuer) userInfo(w http.ResponseWriter, r *http.Request) {
	if i.UserInfo == nil || r.Header.Get("Authorization") != "Bearer secret-access" {
		answer(w, http.StatusForbidden, map[string]any{"error": "insufficient_scope"})
		return
	}
	answer(w, http.StatusOK, i.UserInfo)
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // An error means that the client has disconnected.
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func encodeJSON(t *testing.T, v any) string {
	text, err := json.Marshal(v)
	testenv.Must(t, err)
	return encode(text)
}
