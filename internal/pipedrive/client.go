package pipedrive

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"gistdeal"
)

// DefaultURL is where Pipedrive's API answers for every company.
const DefaultURL = "https://api.pipedrive.com"

const (
	getTimeout     = 30 * time.Second
	connectTimeout = 10 * time.Second
	maxAnswer      = 32 << 20 // bytes; a page of 500 deals is about 1 MiB
)

// Options are what a Client can be told beyond its base URL.
type Options struct {
	Token       string        // the API token of one user of one company
	Rate        float64       // requests a second; 0 means 10, what every plan allows
	PushTimeout time.Duration // how long one POST of a deal may take; 0 means 10 s
	Pipeline    string        // name of the pipeline for new deals; "" is the account's default
	Stage       string        // name of the stage for new deals; "" is the pipeline's first
	UserAgent   string
}

// Client calls Pipedrive's API. Its methods may be called from many goroutines.
type Client struct {
	base    *url.URL
	options Options
	http    *http.Client
	pacer   pacer
	ahead   atomic.Pointer[time.Duration] // by which Pipedrive's clock is ahead of ours
	limits  atomic.Pointer[Limits]
	target  atomic.Pointer[target]

	sessions tls.ClientSessionCache // of the connections that each POST makes anew
}

// New returns a client of the API at baseURL; Invalid if that is not the URL of a server.
func New(baseURL string, o Options) (*Client, error) {
	base, err := url.Parse(baseURL)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") ||
		base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		// Without the URL: what is wrong with it may be a secret in it.
		return nil, gistdeal.Errorf(gistdeal.Invalid, "not the URL of a server (want https://host)")
	}
	if o.Rate == 0 {
		o.Rate = 10
	}
	if o.PushTimeout == 0 {
		o.PushTimeout = 10 * time.Second
	}
	if o.UserAgent == "" {
		o.UserAgent = "gistdeal"
	}
	return &Client{
		base:     base,
		options:  o,
		sessions: tls.NewLRUClientSessionCache(0),
		pacer:    pacer{interval: time.Duration(float64(time.Second) / (o.Rate * margin))},
		http: &http.Client{Timeout: getTimeout, CheckRedirect: noRedirect, Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, IdleConnTimeout: 30 * time.Second, ForceAttemptHTTP2: true,
			// A connection outlives the request that it was begun for.
			DialContext: (&net.Dialer{Timeout: connectTimeout}).DialContext, TLSHandshakeTimeout: connectTimeout,
		}},
	}, nil
}

// noRedirect hands a redirect to the caller: Go would carry our key along.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Reserve waits until the account's limit allows one more request. CreateDeal
// needs it called first; every other call does it itself.
func (c *Client) Reserve(ctx context.Context) error { return c.pacer.wait(ctx) }

// Now returns the time on Pipedrive's clock, as its answers tell it. Until one
// has told it, that is our own, and known is false.
func (c *Client) Now() (now time.Time, known bool) {
	ahead := c.ahead.Load()
	if ahead == nil {
		return time.Now(), false
	}
	return time.Now().Add(*ahead), true
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

// call makes one limited request that is safe to repeat, or whose repetition
// the caller guards, and decodes the answer's data into data. It returns the
// cursor of the next page, "" at the end.
func (c *Client) call(ctx context.Context, method, path string, query url.Values, body io.Reader, data any) (string, error) {
	if err := c.Reserve(ctx); err != nil {
		return "", err
	}
	req, err := c.request(ctx, method, path, query, body)
	if err != nil {
		return "", err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", gistdeal.Errorf(gistdeal.Temporary, "Pipedrive cannot be reached: %w", err)
	}
	defer resp.Body.Close()
	a, err := read(resp)
	if err != nil {
		return "", gistdeal.Errorf(gistdeal.Temporary, "Pipedrive's answer broke off: %w", err)
	}
	if err := a.refusal(); err != nil {
		return "", err
	}
	next, err := a.decode(data)
	if err == nil {
		c.noteClock(a.header)
		c.noteLimits(a.header)
	}
	return next, err
}

// answer is what came back, read whole.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// read reads the answer's body, up to maxAnswer. What could be read comes back
// beside an error too.
func read(resp *http.Response) (answer, error) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err == nil && len(body) > maxAnswer {
		err = fmt.Errorf("more than %d bytes", maxAnswer)
	}
	return answer{status: resp.StatusCode, header: resp.Header, body: body}, err
}

// isJSON reports whether the answer says that it is JSON.
func (a answer) isJSON() bool {
	kind, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	return err == nil && kind == "application/json"
}

// envelope is the outer form of every answer.
type envelope struct {
	Success    bool            `json:"success"`
	Data       json.RawMessage `json:"data"`
	Additional *struct {
		NextCursor *string `json:"next_cursor"`
	} `json:"additional_data"`
}

// decode reads a 2xx answer's data. An answer that cannot be read is Temporary.
func (a answer) decode(data any) (next string, err error) {
	var e envelope
	if !a.isJSON() {
		return "", gistdeal.Errorf(gistdeal.Temporary, "Pipedrive answered %d with %q instead of JSON", a.status, a.header.Get("Content-Type"))
	}
	if err := json.Unmarshal(a.body, &e); err != nil {
		return "", gistdeal.Errorf(gistdeal.Temporary, "Pipedrive's answer cannot be read: %w", err)
	}
	if !e.Success {
		return "", gistdeal.Errorf(gistdeal.Temporary, "Pipedrive answered %d without success%s", a.status, a.detail())
	}
	if len(e.Data) > 0 && string(e.Data) != "null" {
		if err := json.Unmarshal(e.Data, data); err != nil {
			return "", gistdeal.Errorf(gistdeal.Temporary, "Pipedrive's data cannot be read: %w", err)
		}
	}
	if e.Additional != nil && e.Additional.NextCursor != nil {
		next = *e.Additional.NextCursor
	}
	return next, nil
}

// pages calls a list page by page, to the last.
func pages[T any](ctx context.Context, c *Client, path string, query url.Values, page func([]T) error) error {
	seen := map[string]bool{}
	for {
		var items []T
		next, err := c.call(ctx, http.MethodGet, path, query, nil, &items)
		if err != nil {
			return fmt.Errorf("list %s: %w", path, err)
		}
		if err := page(items); err != nil {
			return err
		}
		if next == "" {
			return nil
		}
		if seen[next] {
			return gistdeal.Errorf(gistdeal.Temporary, "list %s: Pipedrive gave the same cursor twice", path)
		}
		seen[next] = true
		query.Set("cursor", next)
	}
}

// Me tells whose key it is. (There is no v2 of this call.)
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
