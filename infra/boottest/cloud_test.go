package boottest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// authority signs the certificates of the world's own servers.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  string
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "the world's authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{cert, key, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))}
}

// issue returns a certificate for a host and its key, as PEM.
func (a *authority) issue(t *testing.T, host string) (cert, private string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), DNSNames: []string{host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
}

// serve answers at an address until the test's end.
func (w *world) serve(address string, h http.Handler) {
	w.t.Helper()
	w.serveOn(listen(w.t, address), h)
}

func (w *world) serveTLS(address, host string, h http.Handler) {
	w.t.Helper()
	cert, private := w.ca.issue(w.t, host)
	pair, err := tls.X509KeyPair([]byte(cert), []byte(private))
	if err != nil {
		w.t.Fatal(err)
	}
	w.serveOn(tls.NewListener(listen(w.t, address), &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}), h)
}

func (w *world) serveOn(l net.Listener, h http.Handler) {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	var running sync.WaitGroup
	running.Go(func() { _ = server.Serve(l) })
	w.t.Cleanup(func() {
		_ = server.Close()
		running.Wait()
	})
}

func listen(t *testing.T, address string) net.Listener {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// metadata answers like the metadata service of an instance, and requires a token.
func metadata(rw http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodPut && r.URL.Path == "/latest/api/token" && r.Header.Get("X-aws-ec2-metadata-token-ttl-seconds") != "":
		_, _ = io.WriteString(rw, "metadata-token")
	case r.Method == http.MethodGet && r.URL.Path == "/latest/meta-data/instance-id" && r.Header.Get("X-aws-ec2-metadata-token") == "metadata-token":
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		_, _ = io.WriteString(rw, "i-"+strings.ReplaceAll(host, ".", "-"))
	default:
		rw.WriteHeader(http.StatusUnauthorized)
	}
}

// shareFiles starts the end of the file system that speaks TLS. It greets, and has
// no files: those are a folder.
func (w *world) shareFiles() {
	w.t.Helper()
	l := tls.NewListener(listen(w.t, filesAddress+":2049"), &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		name := hello.ServerName
		if other := w.files.Load(); other != nil {
			name = *other
		}
		cert, private := w.ca.issue(w.t, name)
		pair, err := tls.X509KeyPair([]byte(cert), []byte(private))
		return &pair, err
	}})
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return // It was closed.
			}
			serving.Go(func() {
				_, _ = io.WriteString(conn, "file system\n") // Whoever does not trust it hangs up.
				_ = conn.Close()
			})
		}
	})
	w.t.Cleanup(func() {
		_ = l.Close()
		serving.Wait()
	})
}

// trust hands out the certificates that databases are known by.
func (w *world) trust(rw http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/global/global-bundle.pem" {
		http.NotFound(rw, r)
		return
	}
	_, _ = io.WriteString(rw, w.rds.pem)
}

// balancer takes turns over the machines like the load balancer: it adds to
// X-Forwarded-For, does not verify the certificate of a machine, and passes on the
// challenges on port 80, to machines that are healthy.
type balancer struct {
	mu    sync.Mutex
	turn  int
	hosts []string
}

var errNoMachine = errors.New("no machine")

func (b *balancer) next() (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.hosts) == 0 {
		return "", errNoMachine
	}
	b.turn++
	return b.hosts[b.turn%len(b.hosts)], nil
}

func (b *balancer) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.hosts)
}

func (b *balancer) add(host string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.hosts = append(b.hosts, host)
}

func (b *balancer) remove(host string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.hosts = slices.DeleteFunc(b.hosts, func(h string) bool { return h == host })
}

// healthy asks a machine as the target group of port 80 does.
func healthy(ctx context.Context, transport http.RoundTripper, host string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+host+"/healthz", nil)
	if err != nil {
		return false
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close() // Only the status counts.
	return response.StatusCode == http.StatusOK
}

// balance starts the world's load balancer.
func (w *world) balance() {
	w.t.Helper()
	w.balancer = &balancer{}
	transport := &http.Transport{
		TLSClientConfig:       &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // As the load balancer does.
		ExpectContinueTimeout: 10 * time.Second,
		DialContext:           (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(balancerAddress)}}).DialContext,
	}
	w.t.Cleanup(transport.CloseIdleConnections)
	pass := func(scheme string) http.Handler {
		return &httputil.ReverseProxy{
			Transport: transport, FlushInterval: -1, ErrorLog: log.New(io.Discard, "", 0),
			Rewrite: func(p *httputil.ProxyRequest) {
				host, _ := w.balancer.next()
				for range w.balancer.count() {
					if scheme == "https" || healthy(p.In.Context(), transport, host) {
						break
					}
					host, _ = w.balancer.next()
				}
				p.Out.URL.Scheme, p.Out.URL.Host, p.Out.Host = scheme, host, p.In.Host
				for _, name := range []string{"Forwarded", "X-Forwarded-Host", "X-Forwarded-For"} {
					p.Out.Header[name] = p.In.Header[name]
				}
				client, _, _ := net.SplitHostPort(p.In.RemoteAddr)
				p.Out.Header.Add("X-Forwarded-For", client)
			},
		}
	}
	challenges := http.NewServeMux()
	challenges.Handle("/.well-known/acme-challenge/", pass("http"))
	challenges.Handle("/", http.RedirectHandler("https://"+apiDomain, http.StatusMovedPermanently))
	w.serve(balancerAddress+":80", challenges)
	w.serveTLS(balancerAddress+":443", apiDomain, pass("https"))
}

// acme starts the certificate authority; its certificates are valid for that long.
func (w *world) acme(valid time.Duration) {
	w.t.Helper()
	cert, private := w.ca.issue(w.t, "acme.test")
	w.write("/srv/acme.pem", cert)
	w.write("/srv/acme.key", private)
	config, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": acmeAddress + ":443", "managementListenAddress": acmeAddress + ":15000",
		"certificate": "/srv/acme.pem", "privateKey": "/srv/acme.key", "httpPort": 80, "tlsPort": 443,
		"retryAfter": map[string]int{"authz": 1, "order": 1},
		"profiles":   map[string]any{"default": map[string]any{"description": "", "validityPeriod": int(valid.Seconds())}},
	}})
	if err != nil {
		w.t.Fatal(err)
	}
	w.write("/srv/acme.json", string(config))
	log, err := os.Create("/srv/acme.log")
	if err != nil {
		w.t.Fatal(err)
	}
	pebble := exec.CommandContext(w.t.Context(), "/srv/world/bin/pebble", "-config", "/srv/acme.json")
	// It refuses some requests and dawdles, to try clients; certbot is not on trial.
	pebble.Env = append(os.Environ(), "PEBBLE_WFE_NONCEREJECT=0", "PEBBLE_VA_NOSLEEP=1")
	pebble.Stdout, pebble.Stderr = log, log
	if err := pebble.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		_ = pebble.Process.Kill()
		_ = pebble.Wait()
	})
	eventually(w.t, 20*time.Second, func() error {
		_, err := w.acmeRoot()
		return err
	})
}

// acmeRoot returns the certificate that those of the authority lead to.
func (w *world) acmeRoot() (string, error) {
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true, //nolint:gosec // The request fetches the roots.
	}}
	request, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, "https://"+acmeAddress+":15000/roots/0", nil)
	if err != nil {
		return "", err
	}
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return string(text), err
}
