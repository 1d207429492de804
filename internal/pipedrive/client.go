package pipedrive

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"gistdeal"
	"gistdeal/internal/loop"
	"gistdeal/internal/trace"
)

// DefaultURL is the URL of Pipedrive's API for all companies.
const DefaultURL = "https://api.pipedrive.com"

const (
	getTimeout     = 30 * time.Second
	connectTimeout = 10 * time.Second
	maxAnswer      = 32 << 20 // bytes; a page of 500 deals is about 1 MiB
)

// Options are the settings of a Client except its base URL.
type Options struct {
	Token        string          // API token of a user
	Rate         float64         // highest number of requests a second; 0 means the account's limit
	QuotaReserve float64         // reserved share of the day's tokens, from 0 to 1
	PushTimeout  time.Duration   // time limit of one POST of a deal; 0 means 10 s
	Target       gistdeal.Target // pipeline, stage and owner of new deals
	UserAgent    string          // "" means "gistdeal"
	Metrics      prometheus.Registerer
}

// Client calls Pipedrive's API within its limits. It is safe for concurrent use.
type Client struct {
	base         *url.URL
	options      Options
	token        atomic.Pointer[string]
	http         *http.Client
	limiter      *limiter
	day          *dailyQuota
	clock        *clock
	me           atomic.Pointer[user] // the key's user; nil if unknown
	target       atomic.Pointer[target]
	wantedTarget atomic.Pointer[gistdeal.Target]
	traces       atomic.Pointer[traces] // nil unless a Prepare has looked for them and failed

	refused atomic.Pointer[string] // method of the last request that a limit refused; nil for none
	probing sync.Mutex             // held while a spent quota is checked again

	requests *prometheus.CounterVec
	tokens   *prometheus.CounterVec
	usage    usage
	outage   loop.Outage

	sessions tls.ClientSessionCache // for POSTs, which use a new connection each
}

// New returns a client of the API at baseURL. It returns an Invalid error if baseURL is
// not the URL of a server.
func New(baseURL string, o Options) (*Client, error) {
	base, err := url.Parse(baseURL)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") ||
		base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		// The error omits the URL, because it may contain a secret.
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
		clock:    newClock(),
		limiter:  newLimiter(o.Rate),
		day:      newDailyQuota(o.QuotaReserve),
		requests: promauto.With(o.Metrics).NewCounterVec(prometheus.CounterOpts{
			Name: "gistdeal_pipedrive_requests_total",
			Help: "Requests to Pipedrive, by the status of the answer. The status is none if there was no answer.",
		}, []string{"status"}),
		tokens: promauto.With(o.Metrics).NewCounterVec(prometheus.CounterOpts{
			Name: "gistdeal_pipedrive_tokens_total",
			Help: "Cost of the requests to Pipedrive in tokens of the day's quota, by purpose. Refused requests count in full.",
		}, []string{"purpose"}),
		http: &http.Client{Timeout: getTimeout, CheckRedirect: noRedirect, Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, IdleConnTimeout: 30 * time.Second, ForceAttemptHTTP2: true,
			// The dial needs its own timeout, because it outlives the request that started it.
			DialContext: (&net.Dialer{Timeout: connectTimeout}).DialContext, TLSHandshakeTimeout: connectTimeout,
		}},
	}
	c.SetTarget(o.Target)
	c.SetToken(o.Token)
	return c, nil
}

// SetToken sets the token of requests from now on. It must be of the same company.
func (c *Client) SetToken(token string) { c.token.Store(&token) }

// noRedirect returns a redirect to the caller, because net/http would send the key along
// when it follows one.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Reserve waits for the turn of one POST of a deal. Call it before each CreateDeal; all
// other methods wait by themselves. It returns a Limited error if no request may be
// sent, or if the rest of the day's quota is reserved. RetryAfter is then the time until
// a next try is useful.
func (c *Client) Reserve(ctx context.Context) error {
	if err := c.checkDay(ctx, http.MethodPost); err != nil {
		return err
	}
	return c.limiter.wait(ctx)
}

// checkDay returns a Limited error if a request with that method may not be sent because
// a daily quota is spent or its rest is reserved. When that is due, it asks the account
// first.
func (c *Client) checkDay(ctx context.Context, method string) error {
	if recheck, err := c.day.check(method); err == nil || !recheck {
		return err
	}
	c.probing.Lock()
	defer c.probing.Unlock()
	now := time.Now()
	if recheck, err := c.day.check(method); err == nil || !recheck {
		return err // Another request has asked meanwhile.
	}
	ctx, _ = gistdeal.WithPurpose(ctx, gistdeal.PurposeProbe)
	if _, err := c.Me(ctx); err != nil {
		return err
	}
	c.day.dropBefore(now)
	_, err := c.day.check(method)
	return err
}

// Quotas returns the day's quotas, as the newest answers report them.
func (c *Client) Quotas() []gistdeal.Quota { return c.day.quotas() }

// Outages returns one outage if Pipedrive's last answer was missing or told of a fault, else none.
func (c *Client) Outages() []gistdeal.Outage { return c.outage.Of("Pipedrive") }

// Restore sets the quotas that an earlier process stored. Quotas from answers take
// precedence.
func (c *Client) Restore(quotas []gistdeal.Quota) { c.day.restore(quotas) }

// Now returns the time on Pipedrive's clock, as its answers report it. Before the first
// answer it returns the local time, and known is false. If a local clock goes wrong, Now
// is early rather than late.
func (c *Client) Now() (now time.Time, known bool) { return c.clock.now() }

// request returns a new request with the common headers.
func (c *Client) request(ctx context.Context, method, path string, query url.Values, body io.Reader) (*http.Request, error) {
	u := c.base.JoinPath(path)
	u.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("x-api-token", *c.token.Load())
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.options.UserAgent)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

// call sends one request within the limits and decodes the answer's data into data. It
// returns the cursor of the next page, or "" after the last one. The request must be
// safe to repeat, or the caller must guard against a repetition.
func (c *Client) call(ctx context.Context, method, path string, query url.Values, body io.Reader, data any) (string, error) {
	a, err := c.do(ctx, method, path, query, body)
	if err != nil {
		return "", err
	}
	return c.read(a, data)
}

// read decodes an answer for call.
func (c *Client) read(a answer, data any) (next string, err error) {
	if err := a.statusError(); err != nil {
		return "", err
	}
	next, err = a.decode(data)
	if err == nil {
		// Of a decoded answer only: a proxy or a login page has its own clock.
		c.clock.record(a.header)
	}
	return next, err
}

// do sends one request within the limits and reads the answer. Of the day's quota it
// leaves the reserve alone, unless a person waits for the answer.
func (c *Client) do(ctx context.Context, method, path string, query url.Values, body io.Reader) (answer, error) {
	if path != mePath && gistdeal.CostOf(ctx).Purpose() != gistdeal.PurposeInteractive {
		if err := c.checkDay(ctx, method); err != nil {
			return answer{}, err
		}
	}
	if err := c.limiter.wait(ctx); err != nil {
		return answer{}, err
	}
	ctx, span := startSpan(ctx, method, path)
	a, err := c.send(ctx, method, path, query, body)
	span.Set(slog.Int("http.response.status_code", a.status))
	span.End(err)
	return a, err
}

// startSpan begins the span of a request. Paths hold ids at most; queries may hold names.
func startSpan(ctx context.Context, method, path string) (context.Context, *trace.Span) {
	return trace.Start(ctx, trace.Client, method+" Pipedrive", slog.String("http.request.method", method), slog.String("url.path", path))
}

// send sends the request of do.
func (c *Client) send(ctx context.Context, method, path string, query url.Values, body io.Reader) (answer, error) {
	sendCtx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var entered *sentRequest
	tracedCtx := httptrace.WithClientTrace(sendCtx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) {
		c.limiter.end(entered) // net/http repeats a request if its connection was already closed.
		r, err := c.limiter.enter(sendCtx)
		if err != nil {
			cancel(err)
		}
		entered = r
	}})
	req, err := c.request(tracedCtx, method, path, query, body)
	if err != nil {
		return answer{}, err
	}
	resp, err := c.http.Do(req)
	c.limiter.end(entered)
	if err != nil {
		c.countRequest(0)
		if entered != nil {
			c.countTokens(ctx, cost(req))
		}
		failed := requestError(ctx, sendCtx, err)
		if sendCtx.Err() == nil {
			c.outage.Failed(loop.Reason(failed))
		}
		return answer{}, failed
	}
	defer resp.Body.Close()
	a, err := read(resp)
	c.record(ctx, entered, &a)
	if err != nil {
		return a, gistdeal.Errorf(gistdeal.Temporary, "Pipedrive's answer is incomplete: %w", err)
	}
	return a, nil
}

// requestError returns the error of a request without an answer: the caller's context
// ended, the limiter refused the request before it was sent, or sending it failed.
func requestError(ctx, sendCtx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if refusal := context.Cause(sendCtx); refusal != nil {
		return refusal
	}
	return gistdeal.Errorf(gistdeal.Temporary, "Pipedrive cannot be reached: %w%s", err, certificateHint(err))
}

// certificateHint returns advice about a certificate that was not accepted, or "".
func certificateHint(err error) string {
	var refused *tls.CertificateVerificationError
	if !errors.As(err, &refused) {
		return ""
	}
	return "; if your network replaces certificates, set SSL_CERT_FILE to the file of its authority"
}

// countRequest counts a request by the status of its answer, 0 for none.
func (c *Client) countRequest(status int) {
	label := "none"
	if status != 0 {
		label = strconv.Itoa(status)
	}
	c.requests.WithLabelValues(label).Inc()
	c.usage.requests.Add(1)
}

// countTokens counts the cost of a request that was sent.
func (c *Client) countTokens(ctx context.Context, tokens int) {
	spent := gistdeal.CostOf(ctx)
	spent.Add(float64(tokens) / float64(c.day.limit()))
	c.tokens.WithLabelValues(string(spent.Purpose())).Add(float64(tokens))
	c.usage.tokens.Add(int64(tokens))
}

// record records the cost and the limits in an answer, and how long a limit makes all
// requests wait. entered is the request after limiter.end.
func (c *Client) record(ctx context.Context, entered *sentRequest, a *answer) {
	c.countRequest(a.status)
	c.countTokens(ctx, a.cost)
	burst := a.status == http.StatusTooManyRequests && !a.daySpent()
	c.limiter.record(entered, burst, a.header)
	now, _ := c.Now()
	c.day.record(a.header, now)
	err := a.statusError()
	if a.status >= http.StatusInternalServerError {
		c.outage.Failed(loop.Reason(err))
	} else {
		c.outage.Answered()
	}
	if gistdeal.KindOf(err) != gistdeal.Limited {
		// A probe costs less than what was refused, and a GET says nothing about POSTs.
		if refused := c.refused.Load(); gistdeal.CostOf(ctx).Purpose() != gistdeal.PurposeProbe && (refused == nil || *refused == a.method) {
			c.limiter.accepted()
		}
		return
	}
	c.refused.Store(&a.method)
	a.wait = c.limiter.block(gistdeal.RetryAfter(err), err)
	if a.daySpent() || a.status == http.StatusTooManyRequests && a.wait > notBurst {
		c.day.exhaust(now, a.wait)
	}
}

// pages lists everything at path, page by page. An error ends the sequence. pages
// modifies query.
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

// mePath is the cheapest call that returns the quota headers.
const mePath = "/v1/users/me"

// Me returns the user and the company of the key. (There is no v2 of this call.)
func (c *Client) Me(ctx context.Context) (gistdeal.PipedriveAccount, error) {
	var me struct {
		user
		CompanyID     int64  `json:"company_id"`
		CompanyName   string `json:"company_name"`
		CompanyDomain string `json:"company_domain"`
	}
	if _, err := c.call(ctx, http.MethodGet, mePath, nil, nil, &me); err != nil {
		return gistdeal.PipedriveAccount{}, fmt.Errorf("look up the user of the Pipedrive key: %w", err)
	}
	if me.ID <= 0 || me.CompanyID <= 0 {
		return gistdeal.PipedriveAccount{}, gistdeal.Errorf(gistdeal.Temporary, "Pipedrive does not name the user and the company of the key")
	}
	c.me.Store(&me.user)
	return gistdeal.PipedriveAccount{
		UserID: me.ID, UserName: me.Name, CompanyID: me.CompanyID,
		CompanyName: me.CompanyName, DealURL: c.dealURL(me.CompanyDomain),
	}, nil
}

// dealURL returns the URL of a deal's page without the id: on the company's host, or on
// the base URL's host if that is not Pipedrive's.
func (c *Client) dealURL(domain string) string {
	if strings.EqualFold(c.base.Hostname(), "api.pipedrive.com") && domain != "" {
		return "https://" + url.PathEscape(domain) + ".pipedrive.com/deal/"
	}
	return c.base.JoinPath("/deal/").String()
}
