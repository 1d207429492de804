package pipedrive

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"gistdeal"
)

// DefaultURL is where Pipedrive's API answers for every company.
const DefaultURL = "https://api.pipedrive.com"

const (
	getTimeout     = 30 * time.Second
	connectTimeout = 10 * time.Second
	maxAnswer      = 32 << 20 // bytes; a page of 500 deals is about 1 MiB
)

// Options are the settings of a Client beyond its base URL.
type Options struct {
	Token        string          // the API token of one user of one company
	Rate         float64         // at most so many requests a second; 0 means the account's limit
	QuotaReserve float64         // share of the day's tokens that is left to people, 0 to 1
	PushTimeout  time.Duration   // how long one POST of a deal may take; 0 means 10 s
	Target       gistdeal.Target // where new deals go
	UserAgent    string
	Metrics      prometheus.Registerer
}

// Client calls Pipedrive's API. Its methods may be called from many goroutines.
type Client struct {
	base         *url.URL
	options      Options
	http         *http.Client
	limiter      *limiter
	day          *day
	ahead        atomic.Pointer[time.Duration] // by which Pipedrive's clock is ahead of ours
	target       atomic.Pointer[target]
	wantedTarget atomic.Pointer[gistdeal.Target]

	requests *prometheus.CounterVec
	used     used

	sessions tls.ClientSessionCache // of the connections that each POST makes anew
}

// New returns a client of the API at baseURL; Invalid if that is not the URL of a server.
func New(baseURL string, o Options) (*Client, error) {
	base, err := url.Parse(baseURL)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") ||
		base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		// Without the URL: its faulty part may be a secret.
		return nil, gistdeal.Errorf(gistdeal.Invalid, "not the URL of a server (want https://host)")
	}
	if o.PushTimeout == 0 {
		o.PushTimeout = 10 * time.Second
	}
	if o.UserAgent == "" {
		o.UserAgent = "gistdeal"
	}
	c := &Client{
		base:     base,
		options:  o,
		sessions: tls.NewLRUClientSessionCache(0),
		limiter:  newLimiter(o.Rate),
		day:      newDay(o.QuotaReserve),
		requests: promauto.With(o.Metrics).NewCounterVec(prometheus.CounterOpts{
			Name: "gistdeal_pipedrive_requests_total",
			Help: "Requests to Pipedrive, by the status of the answer, none if there was none.",
		}, []string{"status"}),
		http: &http.Client{Timeout: getTimeout, CheckRedirect: noRedirect, Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, IdleConnTimeout: 30 * time.Second, ForceAttemptHTTP2: true,
			// A connection outlives the request that it was begun for.
			DialContext: (&net.Dialer{Timeout: connectTimeout}).DialContext, TLSHandshakeTimeout: connectTimeout,
		}},
	}
	c.SetTarget(o.Target)
	return c, nil
}

// noRedirect hands a redirect to the caller: Go would carry our key along.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Reserve waits for the turn of one more POST of a deal. CreateDeal needs it called
// first; every other call waits by itself. It returns a Limited error while nothing
// may be sent, or while the rest of the day is reserved; RetryAfter is then the time
// until the next useful try.
func (c *Client) Reserve(ctx context.Context) error {
	now := time.Now()
	again, err := c.day.spent()
	if err != nil && again {
		// The cheapest call that returns the quota headers.
		if _, err := c.Me(ctx); err != nil {
			return err
		}
		c.day.forget(now)
		_, err = c.day.spent()
	}
	if err != nil {
		return err
	}
	return c.limiter.wait(ctx)
}

// Quotas returns the day's quotas from the newest answers.
func (c *Client) Quotas() []gistdeal.Quota { return c.day.quotas() }

// Restore takes up budgets that an earlier process knew.
func (c *Client) Restore(quotas []gistdeal.Quota) { c.day.restore(quotas) }

// Now returns the time on Pipedrive's clock, as its answers tell it. Until one
// has told it, that is our own, and known is false.
func (c *Client) Now() (now time.Time, known bool) {
	ahead := c.ahead.Load()
	if ahead == nil {
		return time.Now(), false
	}
	return time.Now().Add(*ahead), true
}

// clock returns the time on Pipedrive's clock, as far as it is known.
func (c *Client) clock() time.Time {
	now, _ := c.Now()
	return now
}

// noteClock reads Pipedrive's clock from an answer that is surely Pipedrive's:
// a proxy or a login page on the way has a clock of its own.
func (c *Client) noteClock(h http.Header) {
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		ahead := time.Until(date)
		c.ahead.Store(&ahead)
	}
}

// request makes a request with the headers that all of them have.
func (c *Client) request(ctx context.Context, method, path string, query url.Values, body io.Reader) (*http.Request, error) {
	u := c.base.JoinPath(path)
	u.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("x-api-token", c.options.Token)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.options.UserAgent)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

// call sends one limited request that is safe to repeat, or that the caller guards
// against repetition, and decodes the answer's data into data. It returns the cursor
// of the next page, "" at the end.
func (c *Client) call(ctx context.Context, method, path string, query url.Values, body io.Reader, data any) (string, error) {
	a, err := c.ask(ctx, method, path, query, body)
	if err != nil {
		return "", err
	}
	if err := a.refusal(); err != nil {
		return "", err
	}
	next, err := a.decode(data)
	if err == nil {
		c.noteClock(a.header)
	}
	return next, err
}

// ask makes the request of a call, within the limits, and reads the answer.
func (c *Client) ask(ctx context.Context, method, path string, query url.Values, body io.Reader) (answer, error) {
	if err := c.limiter.wait(ctx); err != nil {
		return answer{}, err
	}
	entering, refuse := context.WithCancelCause(ctx)
	defer refuse(nil)
	ours := 0
	traced := httptrace.WithClientTrace(entering, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) {
		n, err := c.limiter.enter(entering)
		if err != nil {
			refuse(err)
		}
		ours = n
	}})
	req, err := c.request(traced, method, path, query, body)
	if err != nil {
		return answer{}, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		c.count(0)
		return answer{}, unreached(ctx, entering, err)
	}
	defer resp.Body.Close()
	a, err := read(resp)
	c.learn(ours, a)
	if err != nil {
		return a, gistdeal.Errorf(gistdeal.Temporary, "Pipedrive's answer broke off: %w", err)
	}
	return a, nil
}

// unreached returns why a request has no answer: its caller does not wait any
// longer, the limit forbade it when it was about to be sent, or it failed.
func unreached(ctx, entering context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if refusal := context.Cause(entering); refusal != nil {
		return refusal
	}
	return gistdeal.Errorf(gistdeal.Temporary, "Pipedrive cannot be reached: %w", err)
}

// count counts a request by the status of its answer, 0 for none.
func (c *Client) count(status int) {
	label := "none"
	if status != 0 {
		label = strconv.Itoa(status)
	}
	c.requests.WithLabelValues(label).Inc()
	c.used.requests.Add(1)
}

// learn reads the limits in an answer's headers. ours is the result of the limiter
// for its request.
func (c *Client) learn(ours int, a answer) {
	c.count(a.status)
	c.used.tokens.Add(int64(a.cost))
	c.limiter.learn(ours, a.header)
	c.day.learn(a.header, c.clock())
	err := a.refusal()
	if gistdeal.KindOf(err) != gistdeal.Limited {
		return
	}
	c.limiter.block(gistdeal.RetryAfter(err), err)
	if a.daySpent() {
		c.day.exhaust(c.clock(), gistdeal.RetryAfter(err))
	}
}

// pages lists everything at path, page by page. An error ends the list. query is
// changed on the way.
func pages[T any](ctx context.Context, c *Client, path string, query url.Values) iter.Seq2[[]T, error] {
	return func(yield func([]T, error) bool) {
		seen := map[string]bool{}
		for {
			var items []T
			next, err := c.call(ctx, http.MethodGet, path, query, nil, &items)
			if err != nil {
				yield(nil, fmt.Errorf("list %s: %w", path, err))
				return
			}
			if !yield(items, nil) || next == "" {
				return
			}
			if seen[next] {
				yield(nil, gistdeal.Errorf(gistdeal.Temporary, "list %s: Pipedrive gave the same cursor twice", path))
				return
			}
			seen[next] = true
			query.Set("cursor", next)
		}
	}
}

// Me returns the user and the company of the key. (There is no v2 of this call.)
func (c *Client) Me(ctx context.Context) (gistdeal.PipedriveAccount, error) {
	var me struct {
		ID            int64  `json:"id"`
		Name          string `json:"name"`
		CompanyID     int64  `json:"company_id"`
		CompanyName   string `json:"company_name"`
		CompanyDomain string `json:"company_domain"`
	}
	if _, err := c.call(ctx, http.MethodGet, "/v1/users/me", nil, nil, &me); err != nil {
		return gistdeal.PipedriveAccount{}, fmt.Errorf("ask whose Pipedrive key it is: %w", err)
	}
	if me.ID <= 0 || me.CompanyID <= 0 {
		return gistdeal.PipedriveAccount{}, gistdeal.Errorf(gistdeal.Temporary, "Pipedrive does not say whose key it is")
	}
	return gistdeal.PipedriveAccount{
		UserID: me.ID, UserName: me.Name, CompanyID: me.CompanyID,
		CompanyName: me.CompanyName, DealURL: c.dealURL(me.CompanyDomain),
	}, nil
}

// dealURL returns the address before a deal's id under which people see the
// deal: the company's own host, or the base URL where that is not Pipedrive's.
func (c *Client) dealURL(domain string) string {
	if strings.EqualFold(c.base.Hostname(), "api.pipedrive.com") && domain != "" {
		return "https://" + url.PathEscape(domain) + ".pipedrive.com/deal/"
	}
	return c.base.JoinPath("/deal/").String()
}
