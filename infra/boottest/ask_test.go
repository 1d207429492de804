package boottest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// reply is the answer to a request.
type reply struct {
	status int
	header http.Header
	body   string
	issuer string
	serial string
}

// ask sends a request to a host of the world from one of its addresses; headers
// are "Name: value". Over TLS it verifies the host's certificate for the domain of
// the API against roots, if there are any.
func (w *world) ask(from, host, method, url string, roots *x509.CertPool, headers ...string) (reply, error) {
	return w.send(from, host, method, url, "", roots, headers...)
}

// send is ask with a body.
func (w *world) send(from, host, method, url, body string, roots *x509.CertPool, headers ...string) (reply, error) {
	transport := &http.Transport{
		DisableKeepAlives:     true,
		ExpectContinueTimeout: 10 * time.Second,
		TLSClientConfig:       &tls.Config{InsecureSkipVerify: roots == nil, RootCAs: roots, ServerName: apiDomain}, //nolint:gosec // Some certificates are a machine's own.
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			_, port, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			return (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}).DialContext(ctx, network, net.JoinHostPort(host, port))
		},
	}
	client := &http.Client{Transport: transport, Timeout: 40 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	request, err := http.NewRequestWithContext(w.t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		if name == "Host" {
			request.Host = value
		}
		request.Header.Add(name, value)
	}
	response, err := client.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	r := reply{status: response.StatusCode, header: response.Header, body: string(text)}
	if response.TLS != nil {
		r.issuer, r.serial = response.TLS.PeerCertificates[0].Issuer.CommonName, response.TLS.PeerCertificates[0].SerialNumber.String()
	}
	return r, err
}
