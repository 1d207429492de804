package signin

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"gistdeal"
)

const (
	// timeout is the longest time of one request to the provider.
	timeout = 10 * time.Second
	// retryDiscovery is the minimum time between two tries to reach a provider that is down.
	retryDiscovery = 5 * time.Second
)

// Options configure a Provider.
type Options struct {
	Issuer       string
	ClientID     string
	ClientSecret string // "" for a public client
	RedirectURL  string // exactly as it is registered at the provider
	GroupsClaim  string // the claim with the groups of a person
	Grants       Grants
	UserAgent    string
}

// Provider is an OpenID Connect provider. It is discovered at the first use, and until
// then may be down.
type Provider struct {
	o      Options
	client *http.Client

	mu      sync.Mutex
	known   *discovered
	failed  error     // of the last try
	retryAt time.Time // the next try
}

// discovered is the provider's description of itself.
type discovered struct {
	*oidc.Provider
	oauth    oauth2.Config
	verifier *oidc.IDTokenVerifier
}

// New returns a provider. It sends nothing.
func New(o Options) *Provider {
	return &Provider{o: o, client: &http.Client{Timeout: timeout, Transport: transport(o.UserAgent)}}
}

// transport sends requests with the program's name.
type transport string

// RoundTrip sends a request.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("User-Agent", string(t))
	return http.DefaultTransport.RoundTrip(r)
}

// Issuer returns the provider's key.
func (p *Provider) Issuer() string { return p.o.Issuer }

// Host returns the provider's name for people.
func (p *Provider) Host() string {
	u, err := url.Parse(p.o.Issuer)
	if err != nil {
		return p.o.Issuer
	}
	return u.Host
}

// Attempt is a sign-in that has begun. Only the browser that began it may know it.
type Attempt struct {
	State    string `json:"state"`
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"`
}

// Begin returns a new attempt, and the address at the provider to send the browser to.
func (p *Provider) Begin(ctx context.Context) (Attempt, string, error) {
	d, err := p.discover(ctx)
	if err != nil {
		return Attempt{}, "", err
	}
	a := Attempt{rand.Text(), rand.Text(), oauth2.GenerateVerifier()}
	return a, d.oauth.AuthCodeURL(a.State, oidc.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier)), nil
}

// Finish exchanges the code of an attempt for the person who signed in. The error is
// Invalid if the provider refuses the code, or if its answer is not for this attempt and
// this client, and Temporary if the provider cannot be reached.
func (p *Provider) Finish(ctx context.Context, code string, a Attempt) (gistdeal.Person, error) {
	d, err := p.discover(ctx)
	if err != nil {
		return gistdeal.Person{}, err
	}
	ctx = oidc.ClientContext(ctx, p.client)
	token, err := d.oauth.Exchange(ctx, code, oauth2.VerifierOption(a.Verifier))
	if err != nil {
		return gistdeal.Person{}, exchangeError(err)
	}
	id, err := d.verify(ctx, token, a.Nonce)
	if err != nil {
		return gistdeal.Person{}, err
	}
	c, err := p.claims(ctx, d, id, token)
	if err != nil {
		return gistdeal.Person{}, err
	}
	return gistdeal.Person{Issuer: p.o.Issuer, Subject: id.Subject, Name: c.name(id.Subject), Scope: p.o.Grants.scope(c)}, nil
}

// exchangeError returns the error of an exchange without the answer's body.
func exchangeError(err error) error {
	refused, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		return gistdeal.Errorf(gistdeal.Temporary, "exchange the code: %w", err)
	}
	kind := gistdeal.Invalid
	if refused.Response.StatusCode >= http.StatusInternalServerError {
		kind = gistdeal.Temporary
	}
	return gistdeal.Errorf(kind, "exchange the code: the provider answers %s %.40q", refused.Response.Status, refused.ErrorCode)
}

// verify returns the ID token of an answer. The library checks its signature, issuer,
// audience and expiry.
func (d *discovered) verify(ctx context.Context, token *oauth2.Token, nonce string) (*oidc.IDToken, error) {
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return nil, gistdeal.Errorf(gistdeal.Invalid, "the provider's answer has no ID token")
	}
	id, err := d.verifier.Verify(ctx, raw)
	if err != nil {
		return nil, gistdeal.Errorf(gistdeal.Invalid, "check the ID token: %w", err)
	}
	if id.Subject == "" {
		return nil, gistdeal.Errorf(gistdeal.Invalid, "the ID token names nobody")
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(nonce)) != 1 {
		return nil, gistdeal.Errorf(gistdeal.Invalid, "the ID token belongs to another sign-in")
	}
	var party struct {
		Authorized string `json:"azp"`
	}
	if err := id.Claims(&party); err != nil {
		return nil, gistdeal.Errorf(gistdeal.Invalid, "read the ID token: %w", err)
	}
	if party.Authorized != d.oauth.ClientID && (party.Authorized != "" || len(id.Audience) > 1) {
		return nil, gistdeal.Errorf(gistdeal.Invalid, "the ID token was issued to another client")
	}
	return id, nil
}

// Check returns an error if no sign-in can succeed, because the provider cannot be
// reached, is another one, or lacks a feature.
func (p *Provider) Check(ctx context.Context) error {
	_, err := p.discover(ctx)
	return err
}

// discover returns the provider's description. It asks only once, and while it gets none
// not more often than every retryDiscovery.
func (p *Provider) discover(ctx context.Context) (*discovered, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known != nil {
		return p.known, nil
	}
	if p.failed != nil && time.Now().Before(p.retryAt) {
		return nil, p.failed
	}
	// Other sign-ins share the result: a browser that goes away must not end the request.
	known, err := p.ask(context.WithoutCancel(ctx))
	if err != nil {
		p.failed, p.retryAt = err, time.Now().Add(retryDiscovery)
		return nil, err
	}
	p.known = known
	return known, nil
}

// metadata is the part of the description that the library does not read.
type metadata struct {
	Scopes      []string `json:"scopes_supported"`
	AuthMethods []string `json:"token_endpoint_auth_methods_supported"`
	Challenges  []string `json:"code_challenge_methods_supported"`
}

func (p *Provider) ask(ctx context.Context) (*discovered, error) {
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, p.client), p.o.Issuer)
	if mismatch, ok := errors.AsType[*oidc.IssuerMismatchError](err); ok {
		return nil, gistdeal.Errorf(gistdeal.Temporary, "the provider at %s names itself %.200q: set GISTDEAL_OIDC_ISSUER to that, letter by letter", p.o.Issuer, mismatch.Discovered)
	}
	if err != nil {
		return nil, gistdeal.Errorf(gistdeal.Temporary, "ask %s for its description: %w", p.o.Issuer, shortened(err))
	}
	var m metadata
	if err := provider.Claims(&m); err != nil {
		return nil, gistdeal.Errorf(gistdeal.Temporary, "read the description of %s: %w", p.o.Issuer, err)
	}
	// A provider that lists no methods may know PKCE all the same, and ignores it otherwise.
	if len(m.Challenges) > 0 && !slices.Contains(m.Challenges, "S256") {
		return nil, gistdeal.Errorf(gistdeal.Temporary, "%s does not offer PKCE with S256", p.o.Issuer)
	}
	return &discovered{provider, p.oauth(provider, m), provider.Verifier(&oidc.Config{ClientID: p.o.ClientID})}, nil
}

// oauth returns the configuration of the flow. Providers that list a scope of the groups
// claim's name send the claim only if it is requested; others refuse unknown scopes.
func (p *Provider) oauth(provider *oidc.Provider, m metadata) oauth2.Config {
	c := oauth2.Config{
		ClientID: p.o.ClientID, ClientSecret: p.o.ClientSecret, RedirectURL: p.o.RedirectURL,
		Endpoint: provider.Endpoint(), Scopes: []string{oidc.ScopeOpenID, "profile", "email"},
	}
	c.Endpoint.AuthStyle = oauth2.AuthStyleInParams
	// Without a list the standard's default counts.
	if p.o.ClientSecret != "" && (len(m.AuthMethods) == 0 || slices.Contains(m.AuthMethods, "client_secret_basic")) {
		c.Endpoint.AuthStyle = oauth2.AuthStyleInHeader
	}
	if slices.Contains(m.Scopes, p.o.GroupsClaim) {
		c.Scopes = append(c.Scopes, p.o.GroupsClaim)
	}
	return c
}

// shortened returns err with a text of limited length: it may have the body of an answer.
func shortened(err error) error { return fmt.Errorf("%.300s", err.Error()) }
