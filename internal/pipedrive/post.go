package pipedrive

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"

	"gistdeal"
	"gistdeal/internal/testing/failpoint"
)

// errLate is why a write was refused.
var errLate = errors.New("too late to send")

// post sends req on a connection of its own, so that it cannot fail on one
// that the remote has just given up, and reads the answer. If nothing of the
// request left this machine the error is Temporary, else Unknown.
func (c *Client) post(req *http.Request, start time.Time) (answer, error) {
	s := &shot{start: start, timeout: c.options.PushTimeout}
	ctx, cancel := context.WithTimeout(req.Context(), s.left())
	defer cancel()
	entering := ctx
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) {
		s.arm(c.limiter.enter(entering))
	}})
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: s.dial, DisableKeepAlives: true, Protocols: &protocols,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, ClientSessionCache: c.sessions},
	}
	// A connection that is still being made when the time is up is given up too.
	defer transport.CloseIdleConnections()
	// RoundTrip rather than Do: no redirects, no cookies, nothing sent twice.
	resp, err := transport.RoundTrip(req.WithContext(ctx))
	if err != nil {
		c.count(0)
		return answer{}, s.failed(err)
	}
	defer resp.Body.Close()
	a, err := read(resp)
	c.learn(s.ours, a)
	switch {
	case err != nil && a.status < 300:
		return a, gistdeal.Errorf(gistdeal.Unknown, "Pipedrive's answer broke off: %w", err)
	case err != nil && gistdeal.KindOf(a.refusal()) == gistdeal.Invalid:
		// The missing part may say that it is the account's fault, not this deal's.
		return a, gistdeal.Errorf(gistdeal.Temporary, "Pipedrive's refusal (%d) broke off: %w", a.status, err)
	}
	return a, nil
}

// shot is one request that must not leave after its time. The time runs on the
// monotonic clock, which a suspended machine stops, and on the wall clock,
// which somebody may set: the one that says less is left counts.
type shot struct {
	start   time.Time
	timeout time.Duration

	mu      sync.Mutex
	armed   bool // the connection is established; the next write is the request
	ours    int  // the limiter's result for it
	refused error
	sent    bool // some of the request may have left
	ended   bool
}

// left returns how much of the time is left.
func (s *shot) left() time.Duration {
	now := time.Now()
	return s.timeout - max(now.Sub(s.start), now.Round(0).Sub(s.start.Round(0)))
}

// arm marks the following writes as the request, unless the limiter refused it: then
// nothing more is written.
func (s *shot) arm(ours int, refused error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.armed, s.ours, s.refused = true, ours, refused
}

// failed returns the error of a request that ended with err and without an answer.
func (s *shot) failed(err error) error {
	switch {
	case s.end():
		return gistdeal.Errorf(gistdeal.Unknown, "no answer from Pipedrive after the request was sent: %w", err)
	case gistdeal.KindOf(s.refused) == gistdeal.Limited:
		return s.refused
	}
	return gistdeal.Errorf(gistdeal.Temporary, "the request could not be sent to Pipedrive: %w", err)
}

// end forbids further writes and reports whether any of the request may have left.
func (s *shot) end() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	return s.sent
}

// mayWrite asks for the right to write, at the last moment before it is done.
func (s *shot) mayWrite() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refused != nil {
		return s.refused
	}
	if s.ended || s.left() <= 0 {
		return errLate
	}
	s.sent = s.sent || s.armed
	return nil
}

// dial connects. If the process dies or closes the connection, the kernel discards
// undelivered bytes (linger 0), and also bytes that stay unacknowledged for longer
// than the time left.
func (s *shot) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{KeepAlive: -1}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		if err := errors.Join(tcp.SetLinger(0), setUserTimeout(tcp, s.left())); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	return &shotConn{Conn: conn, shot: s}, nil
}

// shotConn is a connection that sends nothing after its shot's time.
type shotConn struct {
	net.Conn
	shot *shot
}

// Write writes b, or returns an error without writing if it is too late.
func (c *shotConn) Write(b []byte) (int, error) {
	if err := c.shot.mayWrite(); err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(b)
	failpoint.Hit(failpoint.Sent)
	return n, err
}
