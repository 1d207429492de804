package config

import (
	"net/mail"
	"net/url"
)

// smtp checks the server for e-mail. Its URL has a password, so no mistake shows it.
func (p *parser) smtp(server, from string) {
	if server == "" && from == "" {
		return
	}
	if u, err := url.Parse(server); err != nil || u.Hostname() == "" || (u.Scheme != "smtp" && u.Scheme != "smtps") || u.Path+u.RawQuery+u.Fragment != "" {
		p.mistake("GISTDEAL_SMTP_URL is not the address of a mail server (want smtps://name:password@host:465 or smtp://name:password@host:587)")
	}
	if a, err := mail.ParseAddress(from); err != nil || a.Address == "" {
		p.mistake("GISTDEAL_SMTP_FROM: %q is not an e-mail address, which GISTDEAL_SMTP_URL needs as the sender", from)
	}
}
