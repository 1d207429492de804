package pipedrive

import (
	"context"
	"net"
	"net/http"
	"time"
)

// What tests of this package's edges need and nobody else does.
var (
	Cut     = cut
	ErrLate = errLate
)

// Assume prepares c without a server: each field is of type text, its code made from its name.
func (c *Client) Assume() {
	t := &target{fields: map[string]field{}}
	for _, name := range FieldNames {
		t.fields[name] = field{Name: name, Code: AssumedCode(name), Type: "text", Custom: true}
	}
	c.target.Store(t)
}

// AssumedCode returns the code that Assume gives a field.
func AssumedCode(name string) string { return "code of " + name }

// DealURLOf returns the address before a deal's id in a company of that domain.
func (c *Client) DealURLOf(domain string) string { return c.dealURL(domain) }

// Shot is one POST's connection and its deadline.
type Shot struct {
	net.Conn
	Raw *net.TCPConn // below the deadline
	Arm func()
	End func() bool
}

// Dial connects as a POST that began at start does.
func Dial(ctx context.Context, start time.Time, timeout time.Duration, address string) (Shot, error) {
	s := &shot{start: start, timeout: timeout}
	conn, err := s.dial(ctx, "tcp", address)
	if err != nil {
		return Shot{}, err
	}
	return Shot{Conn: conn, Raw: conn.(*shotConn).Conn.(*net.TCPConn), Arm: func() { s.arm(1, nil) }, End: s.end}, nil
}

// Limiter is the limiter of a client, without the client.
type Limiter struct{ *limiter }

// NewLimiter returns a limiter for rate requests a second at the most, 0 for what is allowed.
func NewLimiter(rate float64) Limiter { return Limiter{newLimiter(rate)} }

// Wait waits for a turn.
func (l Limiter) Wait(ctx context.Context) error { return l.wait(ctx) }

// Enter waits for room in the window.
func (l Limiter) Enter(ctx context.Context) (int, error) { return l.enter(ctx) }

// Learn reads an answer's headers.
func (l Limiter) Learn(ours int, h http.Header) { l.learn(ours, h) }

// Block stops all requests for a time.
func (l Limiter) Block(d time.Duration, why error) { l.block(d, why) }

// Day is what is left of an account's day, without a client.
type Day struct{ *day }

// NewDay returns a day of which that share is left to people.
func NewDay(reserve float64) Day { return Day{newDay(reserve)} }

// Learn reads an answer's headers; now is Pipedrive's time.
func (d Day) Learn(h http.Header, now time.Time) { d.learn(h, now) }

// Spent returns why nothing is left, and whether to ask again.
func (d Day) Spent() (again bool, err error) { return d.spent() }
