package pipedrive

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"

	"gistdeal"
	"gistdeal/internal/loop"
	"gistdeal/internal/testing/failpoint"
)

// errLate is the error of a write after the deadline.
var errLate = errors.New("too late to send")

// post sends req on a new connection and reads the answer. A reused connection could fail
// because the remote has just closed it. The error is Temporary or Limited if no byte of
// the request left this machine, and Unknown if some may have.
func (c *Client) post(req *http.Request, start time.Time) (a answer, err error) {
	ctx, span := startSpan(req.Context(), req.Method, req.URL.Path)
	a, err = c.postOnce(req.WithContext(ctx), start)
	span.Set(slog.Int("http.response.status_code", a.status))
	span.End(err)
	return a, err
}

func (c *Client) postOnce(req *http.Request, start time.Time) (answer, error) {
	d := &postDeadline{start: start, timeout: c.options.PushTimeout}
	ctx, cancel := context.WithTimeout(req.Context(), d.remaining())
	defer cancel()
	deadlineCtx := ctx
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) {
		d.beginRequest(c.limiter.enter(deadlineCtx))
	}})
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: d.dial, DisableKeepAlives: true, Protocols: &protocols,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, ClientSessionCache: c.sessions},
	}
	// This also aborts a dial that is still in progress at the deadline.
	defer transport.CloseIdleConnections()
	// RoundTrip, unlike Do, follows no redirects and repeats nothing.
	resp, err := transport.RoundTrip(req.WithContext(ctx))
	c.limiter.end(d.entered)
	if err != nil {
		c.countRequest(0)
		if d.end() {
			c.countTokens(req.Context(), cost(req))
		}
		failed := d.failed(err)
		if req.Context().Err() == nil && gistdeal.KindOf(failed) != gistdeal.Limited {
			c.outage.Failed(loop.Reason(failed))
		}
		return answer{}, failed
	}
	defer resp.Body.Close()
	a, err := read(resp)
	c.record(req.Context(), d.entered, &a)
	switch {
	case err != nil && a.status < 300:
		return a, gistdeal.Errorf(gistdeal.Unknown, "Pipedrive's answer is incomplete: %w", err)
	case err != nil && gistdeal.KindOf(a.statusError()) == gistdeal.Invalid:
		// The missing part may name a problem of the account instead of this deal.
		return a, gistdeal.Errorf(gistdeal.Temporary, "Pipedrive's refusal (%d) is incomplete: %w", a.status, err)
	}
	return a, nil
}

// postDeadline keeps a request from being sent after its deadline. It uses the earlier
// deadline of two clocks: the monotonic clock stops while the machine is suspended, and
// the wall clock may be set back.
type postDeadline struct {
	start   time.Time
	timeout time.Duration

	mu      sync.Mutex
	began   bool         // the connection is established; the next write is the request
	entered *sentRequest // nil if the limiter did not admit the request
	refused error
	sent    bool // some of the request may have left
	ended   bool
}

// remaining returns the time until the deadline.
func (d *postDeadline) remaining() time.Duration {
	now := time.Now()
	return d.timeout - max(now.Sub(d.start), now.Round(0).Sub(d.start.Round(0)))
}

// beginRequest marks the following writes as the request. If the limiter refused the
// request, they fail with refused.
func (d *postDeadline) beginRequest(entered *sentRequest, refused error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.began, d.entered, d.refused = true, entered, refused
}

// failed returns the error of a request that ended with err and without an answer.
func (d *postDeadline) failed(err error) error {
	switch {
	case d.end():
		return gistdeal.Errorf(gistdeal.Unknown, "no answer from Pipedrive after the request was sent: %w", err)
	case gistdeal.KindOf(d.refused) == gistdeal.Limited:
		return d.refused
	}
	return gistdeal.Errorf(gistdeal.Temporary, "the request could not be sent to Pipedrive: %w%s", err, certificateHint(err))
}

// end makes all further writes fail, and reports whether some of the request may have
// left this machine.
func (d *postDeadline) end() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended = true
	return d.sent
}

// checkWrite returns an error if nothing may be written any more. It must be called right
// before each write.
func (d *postDeadline) checkWrite() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.refused != nil {
		return d.refused
	}
	if d.ended || d.remaining() <= 0 {
		return errLate
	}
	d.sent = d.sent || d.began
	return nil
}

// dial connects. The kernel discards undelivered bytes if the process dies or closes the
// connection (linger 0), and bytes that stay unacknowledged beyond the deadline.
func (d *postDeadline) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{KeepAlive: -1}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		if err := errors.Join(tcp.SetLinger(0), setUserTimeout(tcp, d.remaining())); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	return &deadlineConn{Conn: conn, deadline: d}, nil
}

// deadlineConn is a connection that sends nothing after its deadline.
type deadlineConn struct {
	net.Conn
	deadline *postDeadline
}

// Write writes b. After the deadline it returns an error without writing.
func (c *deadlineConn) Write(b []byte) (int, error) {
	if err := c.deadline.checkWrite(); err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(b)
	failpoint.Hit(failpoint.Sent)
	return n, err
}
