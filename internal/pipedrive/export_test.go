package pipedrive

import (
	"context"
	"net"
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
	return Shot{Conn: conn, Raw: conn.(*shotConn).Conn.(*net.TCPConn), Arm: s.arm, End: s.end}, nil
}
