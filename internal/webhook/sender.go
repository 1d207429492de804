package webhook

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"gistdeal"
)

const (
	// timeout bounds one request, from the name's resolution to the end of the answer.
	timeout = 15 * time.Second
	// maxAnswer is how much of an answer is read.
	maxAnswer = 4 << 10
	// maxHeader is the size of the longest header of an answer.
	maxHeader = 16 << 10
	// maxRetryAfter is the longest wait that an answer may ask for.
	maxRetryAfter = 4 * time.Hour
)

// Options configure a Sender; the zero value works.
type Options struct {
	// Private allows addresses of private networks, http, and the proxy of the environment.
	Private   bool
	UserAgent string
	Timeout   time.Duration // of one request; 0 means 15 s
}

// Sender sends messages. It is safe for concurrent use.
type Sender struct {
	options Options
	http    *http.Client
}

// New returns a Sender.
func New(o Options) *Sender {
	if o.Timeout == 0 {
		o.Timeout = timeout
	}
	dialer := &net.Dialer{Timeout: o.Timeout, KeepAlive: -1}
	transport := &http.Transport{
		DialContext: dialer.DialContext, TLSHandshakeTimeout: o.Timeout, ResponseHeaderTimeout: o.Timeout, MaxResponseHeaderBytes: maxHeader,
		MaxIdleConnsPerHost: 1, IdleConnTimeout: 30 * time.Second, ForceAttemptHTTP2: true, DisableCompression: true,
	}
	if o.Private {
		transport.Proxy = http.ProxyFromEnvironment
	} else {
		// A proxy would connect to addresses that are refused here.
		dialer.Control = refusePrivate
	}
	return &Sender{o, &http.Client{
		Transport: transport, Timeout: o.Timeout,
		// A redirect could lead to a private address, or to somebody else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Message is a message to one receiver.
type Message struct {
	URL     string
	Headers map[string]string // besides those that every message has
	Secrets []string          // that sign the message; none means no signature
	ID      string            // the same in each attempt
	At      time.Time         // of the attempt
	Type    string            // of the body; "" means JSON
	Body    []byte
}

// Send sends a message once, and returns the status of the answer, 0 without one. The error
// is nil for a status 2xx. Otherwise its text tells in plain words what was answered, with ...
// for each part of the message that may be secret, and its Brief text tells the status. Its kind is NotFound if the receiver is gone for good, Temporary if it may take
// the message later, and Invalid if it refuses this message.
func (s *Sender) Send(ctx context.Context, m Message) (status int, err error) {
	r, err := s.request(ctx, m)
	if err != nil {
		return 0, err
	}
	resp, err := s.http.Do(r)
	if err != nil {
		return 0, unanswered(err, m)
	}
	defer resp.Body.Close() //nolint:errcheck // It was read as far as it matters.
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if resp.StatusCode >= 200 && resp.StatusCode <= 299 {
		return resp.StatusCode, nil // Whatever the rest of the answer is.
	}
	if err != nil {
		text = nil
	}
	return resp.StatusCode, refused(resp, m.mask(string(text)))
}

// request returns the request for a message. Its errors do not show the URL, which may have
// a secret in it.
func (s *Sender) request(ctx context.Context, m Message) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, m.URL, bytes.NewReader(m.Body))
	if err != nil {
		return nil, gistdeal.Errorf(gistdeal.Invalid, "the URL of the webhook cannot be used")
	}
	if r.URL.Scheme != "https" && !s.options.Private {
		return nil, gistdeal.Errorf(gistdeal.Invalid, "the URL of the webhook has no https: GISTDEAL_WEBHOOK_PRIVATE=true allows http")
	}
	for name, value := range m.Headers {
		r.Header.Set(name, value)
	}
	r.Header.Set("User-Agent", s.options.UserAgent)
	r.Header.Set("Content-Type", "application/json")
	if m.Type != "" {
		r.Header.Set("Content-Type", m.Type)
	}
	if len(m.Secrets) == 0 {
		return r, nil
	}
	return r, sign(r.Header, m.Secrets, m.ID, m.At, m.Body)
}

// unanswered returns the error of a request without an answer. The text of net/http has the
// URL, which may have a secret in it, or what the receiver said.
func unanswered(err error, m Message) error {
	if own, ok := errors.AsType[*gistdeal.Error](err); ok {
		return own
	}
	if outer, ok := errors.AsType[*url.Error](err); ok {
		if outer.Timeout() {
			return gistdeal.Errorf(gistdeal.Temporary, "no answer in time")
		}
		err = outer.Err
	}
	const what = "no answer"
	return &gistdeal.Error{Kind: gistdeal.Temporary, Brief: what, Err: errors.New(what + ": " + m.mask(err.Error()))}
}

// refused returns the error of an answer that is not 2xx.
func refused(resp *http.Response, text string) error {
	kind, status := gistdeal.Invalid, resp.StatusCode
	switch {
	case status >= 300 && status <= 399:
		return gistdeal.Errorf(kind, "the answer %d leads to another address, which is not followed: change the URL", status)
	case status == http.StatusGone:
		kind = gistdeal.NotFound
	case status == http.StatusRequestTimeout || status == http.StatusTooEarly || status == http.StatusTooManyRequests || status >= 500:
		kind = gistdeal.Temporary
	}
	brief := strings.TrimSpace(fmt.Sprintf("the answer %d %s", status, http.StatusText(status)))
	what := brief
	if excerpt := excerptOf(text); excerpt != "" {
		what += ": " + excerpt
	}
	return &gistdeal.Error{Kind: kind, RetryAfter: retryAfter(resp), Brief: brief, Err: errors.New(what)}
}

// shortestSecret is the length from which a part of a message may be a secret.
const shortestSecret = 4

// mask returns a text of the receiver with ... for the parts of the URL's path and query, the
// values of headers and the secrets, which it may repeat.
func (m Message) mask(text string) string {
	var parts []string
	if u, err := url.Parse(m.URL); err == nil {
		parts = append(parts, strings.FieldsFunc(u.EscapedPath()+"/"+u.Path, func(r rune) bool { return r == '/' })...)
		parts = append(parts, strings.FieldsFunc(u.RawQuery, func(r rune) bool { return strings.ContainsRune("&=;", r) })...)
		for _, values := range u.Query() {
			parts = append(parts, values...)
		}
	}
	for _, value := range m.Headers {
		parts = append(parts, value)
		parts = append(parts, strings.Fields(value)...)
	}
	parts = append(parts, m.Secrets...)
	slices.SortFunc(parts, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	for _, part := range parts {
		if len(part) >= shortestSecret {
			text = strings.ReplaceAll(text, part, "...")
		}
	}
	return text
}

// excerptOf returns the begin of a text as one line.
func excerptOf(text string) string {
	const longest = 200
	line := strings.Join(strings.Fields(strings.ToValidUTF8(text, "")), " ")
	if len(line) > longest {
		line = strings.ToValidUTF8(line[:longest], "") + " ..."
	}
	return line
}

// retryAfter returns the wait that an answer asks for, 0 if it asks for none.
func retryAfter(resp *http.Response) time.Duration {
	text := resp.Header.Get("Retry-After")
	if seconds, err := strconv.ParseInt(text, 10, 32); err == nil {
		return min(max(0, time.Duration(seconds)*time.Second), maxRetryAfter)
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(0, time.Until(at)), maxRetryAfter)
	}
	return 0
}
