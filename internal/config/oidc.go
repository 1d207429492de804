package config

import (
	"net"
	"net/url"
	"strings"
	"time"

	"gistdeal"
	"gistdeal/internal/signin"
)

// OIDC is the configuration of the sign-in at an OpenID Connect provider.
type OIDC struct {
	Issuer       string // "" if people sign in with tokens only
	ClientID     string
	ClientSecret Secret // "" for a public client
	GroupsClaim  string
	Read         Members
	Write        Members
	Admin        Members
	Session      time.Duration // the lifetime of a log-in
}

// Members are groups and persons with a scope.
type Members []string

// String returns the list as Parse reads it.
func (m Members) String() string { return strings.Join(m, ",") }

// CallbackPath is the path to which the provider sends browsers back.
const CallbackPath = "/login/oidc/callback"

// RedirectURL returns the address to register at the provider.
func (c Config) RedirectURL() string { return c.PublicURL + CallbackPath }

// SignIn returns the options of the sign-in.
func (c Config) SignIn() signin.Options {
	return signin.Options{
		Issuer: c.OIDC.Issuer, ClientID: c.OIDC.ClientID, ClientSecret: string(c.OIDC.ClientSecret), RedirectURL: c.RedirectURL(),
		GroupsClaim: c.OIDC.GroupsClaim, UserAgent: UserAgent(c.Version),
		Grants: signin.Grants{gistdeal.ScopeRead: c.OIDC.Read, gistdeal.ScopeWrite: c.OIDC.Write, gistdeal.ScopeAdmin: c.OIDC.Admin},
	}
}

// oidc reads the variables of the sign-in. publicURL is "" if it has a mistake.
func (p *parser) oidc(publicURL string) OIDC {
	mistakes := len(p.errs)
	o := OIDC{
		Issuer:       p.text("GISTDEAL_OIDC_ISSUER", ""),
		ClientID:     p.text("GISTDEAL_OIDC_CLIENT_ID", ""),
		ClientSecret: p.secret("GISTDEAL_OIDC_CLIENT_SECRET"),
		GroupsClaim:  p.text("GISTDEAL_OIDC_GROUPS_CLAIM", "groups"),
		Read:         p.members("GISTDEAL_OIDC_READ"),
		Write:        p.members("GISTDEAL_OIDC_WRITE"),
		Admin:        p.members("GISTDEAL_OIDC_ADMIN"),
		Session:      p.duration("GISTDEAL_OIDC_SESSION", 12*time.Hour, time.Minute),
	}
	if o.Issuer == "" {
		if o.ClientID != "" || o.ClientSecret != "" || len(o.Read)+len(o.Write)+len(o.Admin) > 0 {
			p.mistake("GISTDEAL_OIDC_ISSUER is not set, but other variables of the sign-in are: set it to the address of your provider, or unset them")
		}
		return o
	}
	p.issuer(o.Issuer)
	if o.ClientID == "" {
		p.mistake("GISTDEAL_OIDC_CLIENT_ID is not set: register gistdeal at the provider, with the redirect URI of GISTDEAL_PUBLIC_URL and %s", CallbackPath)
	}
	if len(o.Read)+len(o.Write)+len(o.Admin) == 0 && len(p.errs) == mistakes {
		p.mistake("nobody could sign in: set GISTDEAL_OIDC_READ, GISTDEAL_OIDC_WRITE or GISTDEAL_OIDC_ADMIN to groups of the provider")
	}
	if p.env["GISTDEAL_PUBLIC_URL"] == "" {
		p.mistake("GISTDEAL_OIDC_ISSUER needs GISTDEAL_PUBLIC_URL: set it to the address that browsers use, because the provider sends them back to it")
	}
	if publicURL != "" && !safeForSignIn(publicURL) {
		p.mistake("GISTDEAL_OIDC_ISSUER needs a GISTDEAL_PUBLIC_URL with https: without TLS others could read the code of a sign-in")
	}
	return o
}

// issuer checks the address of a provider, which is compared letter by letter.
func (p *parser) issuer(issuer string) {
	u, err := url.Parse(issuer)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery+u.Fragment != "" || !safeForSignIn(issuer) {
		p.mistake("GISTDEAL_OIDC_ISSUER is not the address of a provider (want https://host, as the provider writes it)")
	}
}

// safeForSignIn reports whether nobody on the network can read requests to the address.
func safeForSignIn(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	local := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	return u.Scheme == "https" || u.Scheme == "http" && local
}

// members returns a list of groups and persons, separated by commas.
func (p *parser) members(name string) Members {
	var list Members
	for one := range strings.SplitSeq(p.text(name, ""), ",") {
		one = strings.TrimSpace(one)
		address, person := strings.CutPrefix(one, signin.EmailPrefix)
		switch {
		case one == "":
		case person && !strings.Contains(address, "@"):
			p.mistake("%s: %q has no address (want email:ann@example.com)", name, one)
		default:
			list = append(list, one)
		}
	}
	return list
}
