package config

import (
	"errors"
	"net"
	"net/url"
	"strings"
)

// Server is the server that commands work on through its API.
type Server struct {
	URL   string // "" if there is none: commands work on the database
	Token Secret
}

// serverVariables are the variables that ParseServer reads.
var serverVariables = []string{"GISTDEAL_SERVER", "GISTDEAL_TOKEN", "GISTDEAL_TOKEN_FILE"}

// ParseServer returns the server at url with the token in a file, or as env names them if
// they are "". A server on another machine must have https, unless plain allows http. Its
// error joins all mistakes.
func ParseServer(env map[string]string, address, tokenFile string, plain bool) (s Server, err error) {
	p := parser{env: env, used: map[string]bool{}, wrong: map[string]bool{}}
	if tokenFile != "" {
		p.env = map[string]string{"GISTDEAL_TOKEN_FILE": tokenFile, "GISTDEAL_SERVER": env["GISTDEAL_SERVER"]}
	}
	if s.URL = p.text("GISTDEAL_SERVER", ""); address != "" {
		s.URL = address
	}
	if s.URL == "" {
		if tokenFile != "" {
			p.mistake("--token-file is for a server: name it with --server or GISTDEAL_SERVER")
		}
		return s, errors.Join(p.errs...)
	}
	s.Token = p.secret("GISTDEAL_TOKEN")
	p.server(s.URL, plain)
	return s, errors.Join(p.errs...)
}

// server checks the address of a server. Its text may have a secret, so no mistake shows it.
func (p *parser) server(address string, plain bool) {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http"):
		p.mistake("the server is not an address such as https://deals.example")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		p.mistake("the address of the server has more than a host and a path: a token belongs into GISTDEAL_TOKEN_FILE")
	case u.Scheme == "http" && !plain && !loopback(u.Hostname()):
		p.mistake("%s://%s sends the token readable over the network: use https://, or allow it with --plain-http", u.Scheme, u.Host)
	}
}

// loopback reports whether a host is this machine.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || (ip != nil && ip.IsLoopback())
}
