package store

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// requireTLS returns the URL with sslmode=verify-full if it names another machine and no
// mode. It returns an error for a mode that connects without TLS if the server, or
// somebody in between, offers none. Only sslmode=disable asks for that.
func requireTLS(address string, u *url.URL, c *pgx.ConnConfig) (string, error) {
	if isLocal(c) {
		return address, nil
	}
	mode := u.Query().Get("sslmode")
	switch mode {
	case "":
		separator := "?"
		if u.RawQuery != "" {
			separator = "&"
		}
		return strings.TrimRight(address, "?&") + separator + "sslmode=verify-full", nil
	case "allow", "prefer":
		return "", fmt.Errorf("sslmode=%s in the URL connects to another machine without TLS if somebody in between removes it: write sslmode=verify-full, or sslmode=disable if the network needs no TLS", mode)
	}
	return address, nil
}

// isLocal reports whether all hosts are this machine.
func isLocal(c *pgx.ConnConfig) bool {
	hosts := []string{c.Host}
	for _, f := range c.Fallbacks {
		hosts = append(hosts, f.Host)
	}
	for _, host := range hosts {
		network, _ := pgconn.NetworkAddress(host, c.Port)
		if network != "unix" && host != "localhost" && !net.ParseIP(host).IsLoopback() {
			return false
		}
	}
	return true
}

// explainConnection adds the name of the database, and advice on TLS and privileges.
func explainConnection(address string, err error) error {
	hint := ""
	if strings.Contains(err.Error(), "server refused TLS connection") {
		hint = "; the server offers no TLS: turn it on there, or write sslmode=disable in the URL if the network needs none"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		hint = "; name the certificate of the server's authority with sslrootcert=FILE in the URL, and the server as the certificate does"
	}
	if pe, ok := errors.AsType[*pgconn.PgError](err); ok && pe.Code == "42501" {
		hint = "; this role may not do that: start this version once as the owner of the database, and see \"Two roles\" in docs/deploy.md for the privileges of other roles"
	}
	return fmt.Errorf("database %s: %w%s", DisplayName(address), err, hint)
}
