package e2e_test

import (
	"bytes"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

// tunnelFault is a fault of a proxy's tunnel.
type tunnelFault string

const (
	noFault   tunnelFault = ""
	silent    tunnelFault = "the tunnel carries nothing"
	swallowed tunnelFault = "the tunnel drops the request"
	sentLater tunnelFault = "the tunnel carries the request after the client has left"
)

// connectProxy is an HTTP proxy. All its tunnels lead to one server, whatever host they
// are for.
type connectProxy struct {
	server  string
	tunnels sync.WaitGroup

	mu     sync.Mutex
	hosts  []string      // of all tunnels
	deals  int           // number of tunnels for deals
	faults []tunnelFault // of the next tunnels for deals
}

// newConnectProxy starts a proxy, and returns it with its URL.
func newConnectProxy(t *testing.T, server string, faults ...tunnelFault) (p *connectProxy, url string) {
	t.Helper()
	p = &connectProxy{server: server, faults: faults}
	s := httptest.NewServer(p)
	t.Cleanup(func() {
		s.Close()
		p.tunnels.Wait()
	})
	return p, s.URL
}

func (p *connectProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect {
		http.Error(w, "only CONNECT", http.StatusMethodNotAllowed)
		return
	}
	client, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	p.tunnels.Go(func() {
		defer client.Close()
		if _, err := io.WriteString(client, "HTTP/1.1 200 OK\r\n\r\n"); err == nil {
			p.tunnel(r.Host, client, buffered)
		}
	})
}

// tunnel carries TLS records until one side closes.
func (p *connectProxy) tunnel(host string, client net.Conn, fromClient io.Reader) {
	hello, err := tlsRecord(fromClient)
	if err != nil {
		return
	}
	fault := p.opened(host, hello)
	if fault == silent {
		_, _ = io.Copy(io.Discard, fromClient)
		return
	}
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		return
	}
	var answers sync.WaitGroup
	defer answers.Wait()
	answers.Go(func() {
		_, _ = io.Copy(client, server)
		_, _ = io.Copy(io.Discard, server) // The client may have left.
		client.Close()
		server.Close()
	})
	late := carry(server, hello, fromClient, fault == swallowed || fault == sentLater)
	if fault == sentLater {
		_, _ = server.Write(late)
	}
	_ = server.(*net.TCPConn).CloseWrite()
}

// carry writes the client's records to the server until the client closes. It keeps and
// returns those after the handshake if keep is set.
func carry(server io.Writer, record []byte, fromClient io.Reader, keep bool) (kept []byte) {
	const encrypted = 23
	for n, err := 0, error(nil); err == nil; record, err = tlsRecord(fromClient) {
		if record[0] == encrypted {
			n++ // The first one ends the handshake.
		}
		if keep && n > 1 {
			kept = append(kept, record...)
		} else if _, err := server.Write(record); err != nil {
			return kept
		}
	}
	return kept
}

// opened records a tunnel and returns its fault. Only deals use HTTP/1.1 alone.
func (p *connectProxy) opened(host string, hello []byte) tunnelFault {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hosts = append(p.hosts, host)
	if bytes.Contains(hello, []byte("\x02h2")) {
		return noFault
	}
	p.deals++
	if len(p.faults) == 0 {
		return noFault
	}
	fault := p.faults[0]
	p.faults = p.faults[1:]
	return fault
}

// tlsRecord reads one TLS record.
func tlsRecord(r io.Reader) ([]byte, error) {
	record := make([]byte, 5)
	if _, err := io.ReadFull(r, record); err != nil {
		return nil, err
	}
	record = append(record, make([]byte, int(record[3])<<8|int(record[4]))...)
	_, err := io.ReadFull(r, record[5:])
	return record, err
}

// startTLS serves a handler with a certificate for example.com that no authority signed.
// It returns the address and the file with the certificate.
func startTLS(t *testing.T, h http.Handler) (address, certificate string) {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	certificate = filepath.Join(t.TempDir(), "authority.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	testenv.Must(t, os.WriteFile(certificate, text, 0o600))
	return server.Listener.Addr().String(), certificate
}

func TestDealsThroughAProxyAreNeverSentLateOrTwice(t *testing.T) {
	t.Parallel()
	const gists = 12
	s, env := simulate(t, sim.Options{})
	address, certificate := startTLS(t, s)
	proxy, url := newConnectProxy(t, address, noFault, silent, noFault, swallowed, noFault, sentLater)
	env["PIPEDRIVE_API_URL"], env["HTTPS_PROXY"], env["SSL_CERT_FILE"] = "https://example.com/api/v2", url, certificate
	env["GISTDEAL_PUSH_TIMEOUT"], env["GISTDEAL_RESEND_AFTER"] = "1s", "3s"
	s.MakeGists("alice", gists)
	s.AddFault(sim.Fault{Match: "POST /api/v2/deals", Kind: "drop-after", After: 6, Times: 1})
	p := start(t, env)
	waitForDeals(t, p, "alice", gists)
	wantDeals(t, s, gists)
	if posts := s.Report().Requests["POST /api/v2/deals"]; posts != gists {
		t.Errorf("%d POSTs for %d gists", posts, gists)
	}
	proxy.mu.Lock()
	defer proxy.mu.Unlock()
	// The silent tunnel and the one that drops its request lead to another attempt.
	if len(proxy.faults) > 0 || proxy.deals < gists+2 {
		t.Errorf("%d tunnels for %d gists, without the faults %v", proxy.deals, gists, proxy.faults)
	}
	for _, host := range proxy.hosts {
		if host != "example.com:443" {
			t.Errorf("a tunnel to %s", host)
		}
	}
	noSecret(t, p)
}

func TestAHostInNoProxyIsCalledDirectly(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{})
	proxy, url := newConnectProxy(t, strings.TrimPrefix(env["GITHUB_API_URL"], "http://"))
	env["PIPEDRIVE_API_URL"], env["HTTPS_PROXY"], env["NO_PROXY"] = "https://pipedrive.invalid", url, "github.example,.invalid"
	s.MakeGists("alice", 1)
	p := start(t, env)
	p.user("alice")
	testenv.Eventually(t, "the name that does not exist is looked up", func() bool {
		_, body := p.get("/readyz")
		return strings.Contains(body, "Pipedrive cannot be reached") && strings.Contains(body, "lookup pipedrive.invalid")
	}, p.out)
	proxy.mu.Lock()
	defer proxy.mu.Unlock()
	if len(proxy.hosts) > 0 {
		t.Errorf("tunnels to %v", proxy.hosts)
	}
}

func TestAnUnknownAuthorityIsExplained(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{})
	address, _ := startTLS(t, s)
	_, env["HTTPS_PROXY"] = newConnectProxy(t, address)
	env["PIPEDRIVE_API_URL"] = "https://example.com"
	p := start(t, env)
	testenv.Eventually(t, "/readyz names the variable", func() bool {
		_, body := p.get("/readyz")
		return strings.Contains(body, "unknown authority") && strings.Contains(body, "SSL_CERT_FILE")
	}, p.out)
	if n := s.Report().Requests["GET /v1/users/me"]; n > 0 {
		t.Errorf("%d requests to a server that was not verified", n)
	}
}
