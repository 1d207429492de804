package github

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"gistdeal"
)

const (
	// A page of 100 gists has some 200 kB; one gist may list 300 files with long names.
	maxPageSize = 32 << 20
	maxUserSize = 1 << 20

	maxRedirects   = 3
	requestTimeout = 30 * time.Second
)

// Options are the parts of a Client that have a default.
type Options struct {
	// Token is sent with each request; without one GitHub allows 60 requests an hour.
	Token string
	// Transport sends the requests; nil is one with timeouts of its own.
	Transport http.RoundTripper
	// UserAgent names the program to GitHub; "" is "gistdeal".
	UserAgent string
	// Metrics counts the requests that are sent; nil counts nowhere.
	Metrics prometheus.Registerer
}

// Client reads GitHub's REST API and keeps inside its limits: requests wait for
// their turn, and while GitHub refuses all of them none is sent and the error
// is Limited. It may be used by several goroutines at once. There must be one
// Client for a token, and views of it: see Background.
type Client struct {
	base     *url.URL // its path has no slash at the end
	header   http.Header
	http     *http.Client
	hasToken bool
	timeout  time.Duration // of one request, until its body is read
	limiter  *limiter
	lane     *lane // where its requests wait
	requests *prometheus.CounterVec
}

// New returns a client of the API at baseURL, https://api.github.com or an
// Enterprise Server's https://HOST/api/v3. It returns an Invalid error if
// baseURL is no such address or if no header can carry the token.
func New(baseURL string, o Options) (*Client, error) {
	base, err := url.Parse(baseURL)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Hostname() == "" ||
		base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		// The address is not shown: a mistaken one may hold a password.
		return nil, gistdeal.Errorf(gistdeal.Invalid, "the address of GitHub's API must look like https://api.github.com, without user, query and fragment")
	}
	if strings.ContainsFunc(o.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, gistdeal.Errorf(gistdeal.Invalid, "the GitHub token holds a space, a line break or a character that no token has")
	}
	if o.Transport == nil {
		o.Transport = defaultTransport()
	}
	if o.UserAgent == "" {
		o.UserAgent = "gistdeal"
	}
	limiter := newLimiter()
	return &Client{
		base:     &url.URL{Scheme: base.Scheme, Host: base.Host, Path: strings.TrimRight(base.Path, "/")},
		header:   header(o),
		http:     &http.Client{Transport: o.Transport, CheckRedirect: keepRedirect},
		hasToken: o.Token != "",
		timeout:  requestTimeout,
		limiter:  limiter,
		lane:     limiter.people,
		requests: promauto.With(o.Metrics).NewCounterVec(prometheus.CounterOpts{
			Name: "gistdeal_github_requests_total",
			Help: "Requests sent to GitHub, by the status of the answer, none if there was none.",
		}, []string{"status"}),
	}, nil
}

// Background returns a view of c for work that nobody waits for: its requests
// leave room to those of people, and Ready keeps a share of the hour for them.
func (c *Client) Background() *Client {
	view := *c
	view.lane = c.limiter.background
	return &view
}

// Ready returns nil if a scan may begin, or a Limited error with the reason and the
// wait. A scan in progress may continue.
func (c *Client) Ready() error {
	if err := c.limiter.closed(); err != nil || c.lane == c.limiter.people {
		return err
	}
	return c.limiter.kept()
}

// Quota returns the known quota of requests per hour.
func (c *Client) Quota() gistdeal.Quota {
	c.limiter.mu.Lock()
	defer c.limiter.mu.Unlock()
	return c.limiter.quota
}

// header returns the headers of each request. GitHub's ETags depend on Accept and
// Authorization, so they are built once and stay equal to the byte.
func header(o Options) http.Header {
	h := http.Header{}
	h.Set("Accept", "application/vnd.github+json")
	// Not the newest: this is the version that every Enterprise Server with
	// versions knows, and one that it does not know is answered with 400 (GitHub
	// docs, "API Versions"). The fields read here are the same in all versions.
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
		// Without pings a connection that died silently would swallow every
		// request until the kernel gives it up, minutes later.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 10 * time.Second},
	}
}

// keepRedirect leaves redirects to Client.follow: net/http would follow one to another host.
func keepRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// User looks the account with a login up. A login that no account has, not any
// more or not yet, is a NotFound error: GitHub does not redirect renamed users.
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

// UserByID looks an account up by GitHub's number for it, which outlives a
// change of the login. An account that is deleted or suspended is a NotFound error.
func (c *Client) UserByID(ctx context.Context, id int64) (gistdeal.Account, error) {
	account, err := c.account(ctx, "/user/"+strconv.FormatInt(id, 10))
	if err == nil && account.ID != id {
		err = unreadable("the answer is about another user: %d", account.ID)
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
		Login string `json:"login"`
		Type  string `json:"type"`
		Gists int    `json:"public_gists"`
	}
	if err := json.Unmarshal(a.body, &user); err != nil {
		return gistdeal.Account{}, unreadable("%w", err)
	}
	// A proxy's own JSON is no user: taken for one it would be tracked as number 0.
	if user.ID <= 0 || user.Login == "" {
		return gistdeal.Account{}, unreadable("a user without id or login")
	}
	return gistdeal.Account{ID: user.ID, Login: user.Login, Type: user.Type, PublicGists: user.Gists}, nil
}

// answer is one that GitHub gave, read to its end.
type answer struct {
	status   int
	header   http.Header
	body     []byte
	requests int // sent for it, redirects and failures too
}

// get reads an address on the base. Its answer has status 200, or 304 if an
// ETag was given; every other one is an error, beside which only requests counts.
func (c *Client) get(ctx context.Context, address, etag string, limit int64) (answer, error) {
	for requests := 0; ; {
		a, err := c.ask(ctx, address, etag, limit)
		requests += a.requests
		a.requests = requests
		if err != nil {
			return a, err
		}
		location := a.location()
		if location == "" {
			return a, c.refusal(a, etag != "")
		}
		if requests > maxRedirects {
			return a, gistdeal.Errorf(gistdeal.Temporary, "GitHub redirects more than %d times", maxRedirects)
		}
		if address, err = c.follow(address, location); err != nil {
			return a, err
		}
	}
}

// ask sends one request when its turn comes, and reads the limits in the answer.
func (c *Client) ask(ctx context.Context, address, etag string, limit int64) (answer, error) {
	if err := c.limiter.enter(ctx, c.lane); err != nil {
		return answer{}, err
	}
	defer c.lane.leave()
	a, err := c.send(ctx, address, etag, limit)
	a.requests = 1
	if err == nil {
		err = c.limiter.learn(a)
	}
	return a, err
}

// send makes one request. Each has a deadline of its own: one for a whole reading
// would have to allow for 2,000 pages, and so for a server that hangs.
func (c *Client) send(ctx context.Context, address, etag string, limit int64) (answer, error) {
	own, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(own, http.MethodGet, address, nil)
	if err != nil {
		return answer{}, unreadable("%w", err) // the address came with an answer
	}
	req.Header = c.header.Clone()
	if etag != "" {
		req.Header.Set("If-None-Match", etag)
	}
	res, err := c.http.Do(req)
	if err != nil {
		c.requests.WithLabelValues("none").Inc()
		return answer{}, c.broken(ctx, own, err)
	}
	defer res.Body.Close()
	c.requests.WithLabelValues(strconv.Itoa(res.StatusCode)).Inc()
	a := answer{status: res.StatusCode, header: res.Header}
	a.body, err = io.ReadAll(io.LimitReader(res.Body, limit+1))
	if err != nil {
		// Also beside a 403: only its words tell a limit from a refusal.
		return a, c.broken(ctx, own, err)
	}
	if int64(len(a.body)) > limit {
		return a, unreadable("longer than %d bytes", limit)
	}
	return a, nil
}

// follow returns where a redirect leads. GitHub's docs ("Best practices for
// using the REST API") say to follow redirects; to another host the token would go along.
func (c *Client) follow(from, location string) (string, error) {
	to, err := resolve(from, location)
	if err != nil {
		return "", err
	}
	if !strings.EqualFold(to.Scheme, c.base.Scheme) || !strings.EqualFold(to.Host, c.base.Host) {
		return "", gistdeal.Errorf(gistdeal.Temporary, "GitHub redirects to %q, which is not followed: is GITHUB_API_URL right?", to.Scheme+"://"+to.Host)
	}
	return c.onBase(to), nil
}

// onBase returns the base's address with u's path and query. Links in answers
// name GitHub's own host even behind a proxy, and the token must not leave the base.
func (c *Client) onBase(u *url.URL) string {
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

// resolve reads a reference in an answer, which may be relative to the address asked.
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
