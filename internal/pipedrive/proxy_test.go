package pipedrive_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/pipedrive"
	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

// tunnels is the proxy of this process.
var tunnels connectProxy

// connectProxy is an HTTP proxy that leads to the servers that tests name.
type connectProxy struct {
	server  *httptest.Server
	carried sync.WaitGroup

	mu        sync.Mutex
	addresses map[string]string // by the host in CONNECT
	opened    map[string]int    // number of tunnels
}

func (p *connectProxy) start() (url string) {
	p.addresses, p.opened = map[string]string{}, map[string]int{}
	p.server = httptest.NewServer(p)
	return p.server.URL
}

func (p *connectProxy) stop() {
	p.server.Close()
	p.carried.Wait()
}

// lead makes tunnels for a host lead to an address.
func (p *connectProxy) lead(host, address string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.addresses[host] = address
}

func (p *connectProxy) count(host string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.opened[host]
}

func (p *connectProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.opened[r.Host]++
	address := p.addresses[r.Host]
	p.mu.Unlock()
	server, err := net.Dial("tcp", address)
	if err != nil || r.Method != http.MethodConnect {
		http.Error(w, "no such host", http.StatusBadGateway)
		return
	}
	client, fromClient, err := http.NewResponseController(w).Hijack()
	if err != nil {
		server.Close()
		return
	}
	if _, err := io.WriteString(client, "HTTP/1.1 200 OK\r\n\r\n"); err != nil {
		return
	}
	carry := func(to net.Conn, from io.Reader) {
		defer to.Close()
		_, _ = io.Copy(to, from)
	}
	p.carried.Go(func() { carry(server, fromClient) })
	p.carried.Go(func() { carry(client, server) })
}

func TestThroughAProxyTheWriteOfTheRequestIsStillChecked(t *testing.T) {
	t.Parallel()
	s := sim.New(testenv.Unlimited(sim.Options{Token: token}))
	server := httptest.NewUnstartedServer(s)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	const host = "checked.example.com"
	tunnels.lead(host+":443", server.Listener.Addr().String())
	c := client(t, "https://"+host, pipedrive.Options{})
	if _, err := c.Prepare(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := c.CreateDeal(t.Context(), time.Now(), hello); err != nil {
		t.Fatal(err)
	}

	s.AddFault(sim.Fault{Kind: "html403", Times: 1})
	_, err := c.Me(t.Context())
	wantKind(t, err, gistdeal.Limited)
	// The tunnel and its TLS session are made; then the write refuses the request.
	_, err = c.CreateDeal(t.Context(), time.Now(), hello)
	wantKind(t, err, gistdeal.Limited, "banned")
	if n := tunnels.count(host + ":443"); n != 3 {
		t.Errorf("%d tunnels, want one for each deal and one for the other requests", n)
	}
	if n := s.Report().Requests[postDeal]; n != 1 {
		t.Errorf("%d POSTs, want the first only", n)
	}
}

func TestAProxyThatRefusesTheTunnelMeansThatNothingWasSent(t *testing.T) {
	t.Parallel()
	const host = "refused.example.com"
	c := client(t, "https://"+host, pipedrive.Options{})
	c.Assume()
	_, err := c.CreateDeal(t.Context(), time.Now(), hello)
	wantKind(t, err, gistdeal.Temporary, "could not be sent", "Bad Gateway")
	if n := tunnels.count(host + ":443"); n != 1 {
		t.Errorf("%d tunnels, want 1: a POST is not repeated", n)
	}
}
