package github

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"gistdeal"
	"gistdeal/internal/loop"
	"gistdeal/internal/trace"
)

const (
	// A page of 100 gists has about 200 kB, but one gist may have 300 files with long names.
	maxPageSize = 32 << 20
	maxUserSize = 1 << 20
	maxGistSize = 64 << 20 // with the contents of its files

	maxRedirects   = 3
	requestTimeout = 30 * time.Second
)

// Options are the optional settings of a Client.
type Options struct {
	// Token is sent with each request. Without one GitHub allows AnonymousLimit requests
	// an hour.
	Token string
	// Transport sends the requests. If it is nil, the Client uses a transport with
	// timeouts.
	Transport http.RoundTripper
	// UserAgent identifies the program to GitHub. The default is "gistdeal".
	UserAgent string
	// Metrics registers the metrics of the client. It may be nil.
	Metrics prometheus.Registerer
}

// Client reads GitHub's REST API within its limits: requests wait for their turn, and
// while GitHub refuses all requests the Client sends none and returns a Limited error.
// It is safe for concurrent use. Use one Client for each token, and Background for a
// view of it.
type Client struct {
	base     *url.URL // without a slash at the end of its path
	options  Options
	header   *atomic.Pointer[http.Header] // of all views
	http     *http.Client
	hasToken bool
	timeout  time.Duration // of one request, including reading the body
	limiter  *limiter
	throttle *throttle // of this view
	pool     *pool     // of GraphQL queries
	requests *prometheus.CounterVec
	points   prometheus.Counter
	outage   *loop.Outage // of all views
}

// New returns a client of the API at baseURL, which is https://api.github.com or an
// Enterprise Server's https://HOST/api/v3. It returns an Invalid error if baseURL is
// not the URL of a server, or if an HTTP header cannot contain the token.
func New(baseURL string, o Options) (*Client, error) {
	base, err := url.Parse(baseURL)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Hostname() == "" ||
		base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		// The error omits the URL, because it may contain a password.
		return nil, gistdeal.Errorf(gistdeal.Invalid, "the URL of GitHub's API must look like https://api.github.com, without user, query and fragment")
	}
	if strings.ContainsFunc(o.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, gistdeal.Errorf(gistdeal.Invalid, "the GitHub token contains a space, a line break or another character that no token has")
	}
	if o.Transport == nil {
		o.Transport = defaultTransport()
	}
	if o.UserAgent == "" {
		o.UserAgent = "gistdeal"
	}
	limiter := newLimiter()
	c := &Client{
		options:  o,
		base:     &url.URL{Scheme: base.Scheme, Host: base.Host, Path: strings.TrimRight(base.Path, "/")},
		header:   &atomic.Pointer[http.Header]{},
		http:     &http.Client{Transport: o.Transport, CheckRedirect: noRedirect},
		hasToken: o.Token != "",
		timeout:  requestTimeout,
		limiter:  limiter,
		throttle: limiter.interactive,
		pool:     newPool(),
		outage:   &loop.Outage{},
		points: promauto.With(o.Metrics).NewCounter(prometheus.CounterOpts{
			Name: "gistdeal_github_points_total",
			Help: "Points that GraphQL queries to GitHub cost.",
		}),
		requests: promauto.With(o.Metrics).NewCounterVec(prometheus.CounterOpts{
			Name: "gistdeal_github_requests_total",
			Help: "Requests sent to GitHub, by the status of the answer. The status is none if there was no answer.",
		}, []string{"status"}),
	}
	c.SetToken(o.Token)
	return c, nil
}

// SetToken sets the token of requests from now on, of c and of its views. A client without
// a token stays without one.
func (c *Client) SetToken(token string) {
	o := c.options
	if o.Token != "" {
		o.Token = token
	}
	h := header(o)
	c.header.Store(&h)
	c.limiter.forget()
	c.pool.forget()
}

// Background returns a view of c for background work. Its requests leave room for
// interactive ones, and its Ready reserves a share of the quota for them.
func (c *Client) Background() *Client {
	view := *c
	view.throttle = c.limiter.background
	return &view
}

// Ready returns nil if a scan may begin, or a Limited error with the reason and the
// wait. A scan in progress may continue.
func (c *Client) Ready() error {
	if err := c.limiter.blocked(); err != nil || c.throttle == c.limiter.interactive {
		return err
	}
	return c.limiter.reserved()
}

// Quota returns the quota of requests per hour, as last reported by GitHub.
func (c *Client) Quota() gistdeal.Quota {
	c.limiter.mu.Lock()
	defer c.limiter.mu.Unlock()
	return c.limiter.quota
}

// header returns the headers of each request. They are built once for a token, because
// GitHub's ETags depend on the exact Accept and Authorization headers.
func header(o Options) http.Header {
	h := http.Header{}
	h.Set("Accept", "application/vnd.github+json")
	// This version is not the newest, but all Enterprise Servers with versions support
	// it. An unsupported version gets a 400 (GitHub docs, "API Versions"). The fields that
	// we read are the same in all versions.
	h.Set("X-GitHub-Api-Version", "2022-11-28")
	h.Set("User-Agent", o.UserAgent)
	if o.Token != "" {
		h.Set("Authorization", "Bearer "+o.Token)
	}
	return h
}

func defaultTransport() http.RoundTripper {
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout: 10 * time.Second,
		IdleConnTimeout:     90 * time.Second,
		ForceAttemptHTTP2:   true,
		// Without pings, all requests on a dead connection would hang for minutes, until
		// the kernel gives it up.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 10 * time.Second},
	}
}

// noRedirect leaves redirects to Client.follow, because net/http would also follow one
// to another host.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// User looks up the account with a login. It returns a NotFound error if no account has
// the login now, even if one had it before: GitHub does not redirect renamed users.
func (c *Client) User(ctx context.Context, login string) (gistdeal.Account, error) {
	if err := gistdeal.CheckLogin(login); err != nil {
		return gistdeal.Account{}, err
	}
	account, err := c.account(ctx, "/users/"+url.PathEscape(login))
	if err != nil {
		return gistdeal.Account{}, fmt.Errorf("look up GitHub user %q: %w", login, err)
	}
	return account, nil
}

// UserByID looks up an account by its id, which does not change with the login. It
// returns a NotFound error for a deleted or suspended account.
func (c *Client) UserByID(ctx context.Context, id int64) (gistdeal.Account, error) {
	account, err := c.account(ctx, "/user/"+strconv.FormatInt(id, 10))
	if err == nil && account.ID != id {
		err = unreadable("it describes another user: %d", account.ID)
	}
	if err != nil {
		return gistdeal.Account{}, fmt.Errorf("look up GitHub user %d: %w", id, err)
	}
	return account, nil
}

func (c *Client) account(ctx context.Context, path string) (gistdeal.Account, error) {
	a, err := c.get(ctx, c.base.String()+path, "", maxUserSize)
	if err != nil {
		return gistdeal.Account{}, err
	}
	if err := a.checkJSON(); err != nil {
		return gistdeal.Account{}, err
	}
	var user struct {
		ID    int64  `json:"id"`
		Node  string `json:"node_id"`
		Login string `json:"login"`
		Type  string `json:"type"`
		Gists int    `json:"public_gists"`
	}
	if err := json.Unmarshal(a.body, &user); err != nil {
		return gistdeal.Account{}, unreadable("%w", err)
	}
	// Without this check, any JSON of a proxy would pass for the user with the id 0.
	if user.ID <= 0 || user.Login == "" {
		return gistdeal.Account{}, unreadable("a user without an id or login")
	}
	return gistdeal.Account{ID: user.ID, NodeID: user.Node, Login: user.Login, Type: user.Type, PublicGists: user.Gists}, nil
}

// answer is a complete answer from GitHub.
type answer struct {
	status   int
	header   http.Header
	body     []byte
	requests int // number of requests sent for it, including redirects and failures
}

// get requests an address below the base URL and follows redirects. The answer has
// status 200, or 304 if an ETag was given. If get returns an error, only the answer's
// requests are valid.
func (c *Client) get(ctx context.Context, address, etag string, limit int64) (answer, error) {
	for requests := 0; ; {
		a, err := c.do(ctx, address, etag, limit)
		requests += a.requests
		a.requests = requests
		if err != nil {
			return a, err
		}
		location := a.location()
		if location == "" {
			return a, c.statusError(a, etag != "")
		}
		if requests > maxRedirects {
			return a, gistdeal.Errorf(gistdeal.Temporary, "GitHub redirects more than %d times", maxRedirects)
		}
		if address, err = c.follow(address, location); err != nil {
			return a, err
		}
	}
}

// do sends one request when its turn comes, and records the limits in the answer.
func (c *Client) do(ctx context.Context, address, etag string, limit int64) (answer, error) {
	if err := c.limiter.acquire(ctx, c.throttle); err != nil {
		return answer{}, err
	}
	defer c.throttle.release()
	ctx, span := trace.Start(ctx, trace.Client, "GET GitHub", slog.String("http.request.method", http.MethodGet))
	a, err := c.send(ctx, address, etag, limit)
	span.Set(slog.Int("http.response.status_code", a.status))
	span.End(err)
	a.requests = 1
	if err == nil {
		resource, _, _ := strings.Cut(address, "?")
		err = c.limiter.record(resource, a)
	}
	return a, err
}

// send sends one request. Each request has its own timeout: a single timeout for 2,000
// pages would be too long to detect a hanging server.
func (c *Client) send(ctx context.Context, address, etag string, limit int64) (answer, error) {
	reqCtx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(reqCtx, http.MethodGet, address, nil)
	if err != nil {
		return answer{}, unreadable("%w", err) // The address comes from an earlier answer.
	}
	req.Header = c.header.Load().Clone()
	if etag != "" {
		req.Header.Set("If-None-Match", etag)
	}
	return c.roundTrip(ctx, req, limit)
}

// roundTrip sends a request whose context is a child of ctx, and reads the answer.
func (c *Client) roundTrip(ctx context.Context, req *http.Request, limit int64) (answer, error) {
	res, err := c.http.Do(req)
	if err != nil {
		c.requests.WithLabelValues("none").Inc()
		return answer{}, c.noAnswer(ctx, req, err)
	}
	defer res.Body.Close()
	c.requests.WithLabelValues(strconv.Itoa(res.StatusCode)).Inc()
	a := answer{status: res.StatusCode, header: res.Header}
	a.body, err = io.ReadAll(io.LimitReader(res.Body, limit+1))
	if err != nil {
		// This includes a 403: only its complete body distinguishes a limit from a refusal.
		return a, c.noAnswer(ctx, req, err)
	}
	if a.status >= http.StatusInternalServerError {
		c.outage.Failed(loop.Reason(c.statusError(a, false)))
	} else {
		c.outage.Answered()
	}
	if int64(len(a.body)) > limit {
		return a, unreadable("longer than %d bytes", limit)
	}
	return a, nil
}

// follow returns the destination of a redirect. GitHub's docs ("Best practices for
// using the REST API") require following redirects. A redirect to another host is an
// error, because following it would disclose the token.
func (c *Client) follow(from, location string) (string, error) {
	to, err := resolve(from, location)
	if err != nil {
		return "", err
	}
	if !strings.EqualFold(to.Scheme, c.base.Scheme) || !strings.EqualFold(to.Host, c.base.Host) {
		return "", gistdeal.Errorf(gistdeal.Temporary, "GitHub redirects to another server, %q: check GITHUB_API_URL", to.Scheme+"://"+to.Host)
	}
	return c.rebase(to), nil
}

// rebase returns the URL on the base's host with u's path and query. Links in answers
// name GitHub's own host even behind a proxy, and the token must only go to the base.
func (c *Client) rebase(u *url.URL) string {
	prefix, path := c.base.EscapedPath(), u.EscapedPath()
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	if !strings.HasPrefix(path, prefix+"/") {
		path = prefix + path
	}
	address := c.base.Scheme + "://" + c.base.Host + path
	if u.RawQuery != "" {
		address += "?" + u.RawQuery
	}
	return address
}

// resolve parses a URL reference from the answer to a request for from.
func resolve(from, ref string) (*url.URL, error) {
	base, err := url.Parse(from)
	if err != nil {
		return nil, unreadable("%w", err)
	}
	to, err := base.Parse(ref)
	if err != nil {
		return nil, unreadable("%w", err)
	}
	return to, nil
}
