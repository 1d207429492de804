package pipedrive

import (
	"context"
	"net"
	"net/http"
	"time"
)

// ErrLate is for the tests of this package only.
var ErrLate = errLate

// Assume prepares c without a server: each field has the type text and a code
// derived from its name.
func (c *Client) Assume() {
	t := &target{fields: map[string]field{}}
	for _, name := range FieldNames {
		t.fields[name] = field{Name: name, Code: AssumedCode(name), Type: "text", Custom: true}
	}
	c.target.Store(t)
}

// AssumedCode returns the code of a field after Assume.
func AssumedCode(name string) string { return "code of " + name }

// DealURLOf returns the URL of deals without the id for a company domain.
func (c *Client) DealURLOf(domain string) string { return c.dealURL(domain) }

// DeadlineConn is the connection of one POST with its deadline.
type DeadlineConn struct {
	net.Conn
	Raw   *net.TCPConn // without the deadline
	Begin func()
	End   func() bool
}

// Dial connects like a POST that started at start.
func Dial(ctx context.Context, start time.Time, timeout time.Duration, address string) (DeadlineConn, error) {
	d := &postDeadline{start: start, timeout: timeout}
	conn, err := d.dial(ctx, "tcp", address)
	if err != nil {
		return DeadlineConn{}, err
	}
	return DeadlineConn{Conn: conn, Raw: conn.(*deadlineConn).Conn.(*net.TCPConn), Begin: func() { d.beginRequest(nil, nil) }, End: d.end}, nil
}

// Limiter is the limiter of a client, without the client.
type Limiter struct{ *limiter }

// NewLimiter returns a limiter for at most rate requests a second; 0 means as many
// as allowed.
func NewLimiter(rate float64) Limiter { return Limiter{newLimiter(rate)} }

// Wait waits until a request may be sent.
func (l Limiter) Wait(ctx context.Context) error { return l.wait(ctx) }

// SentRequest is a request that entered the window.
type SentRequest = *sentRequest

// Enter waits for space in the window.
func (l Limiter) Enter(ctx context.Context) (SentRequest, error) { return l.enter(ctx) }

// Record reads the headers of an answer that begins now.
func (l Limiter) Record(r SentRequest, refused bool, h http.Header) {
	l.end(r)
	l.record(r, refused, h)
}

// Accepted ends a series of refusals.
func (l Limiter) Accepted() { l.accepted() }

// Block stops all requests for a time.
func (l Limiter) Block(d time.Duration, reason error) { l.block(d, reason) }

// Day is the daily quota of an account, without a client.
type Day struct{ *dailyQuota }

// NewDay returns a daily quota with that reserved share.
func NewDay(reserve float64) Day { return Day{newDailyQuota(reserve)} }

// Record reads the headers of an answer; now is Pipedrive's time.
func (d Day) Record(h http.Header, now time.Time) { d.record(h, now) }

// Spent returns the reason why nothing is left and whether to check again.
func (d Day) Check() (again bool, err error) { return d.check(http.MethodPost) }
