package remote

import (
	"encoding/json"
	"io"
	"iter"
	"net/http"
	"strconv"
	"time"

	"gistdeal"
	"gistdeal/client"
	"gistdeal/internal/loop"
)

// Options configure a Remote. The zero value of the rest is usable.
type Options struct {
	URL       string
	Token     string // "" if the server needs none
	UserAgent string
}

// Remote is a gistdeal that is reached through its API.
type Remote struct {
	url string
	api *client.Client
}

const (
	// timeout is how long an answer may take; the server waits 25 s for GitHub.
	timeout = 2 * time.Minute
	// maxWait is the longest wait for the rate limit of the server.
	maxWait = 10 * time.Second
	// maxAnswer is the size of the longest answer, far beyond a page of a list.
	maxAnswer = 64 << 20
	// page is how many rows of a list, or users of a change, one request has.
	page = 500
)

// New returns the gistdeal at a server.
func New(o Options) (*Remote, error) {
	d := &doer{options: o, http: &http.Client{
		Timeout: timeout,
		// A redirect could lead the token to another place.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	api, err := client.NewClient(o.URL, client.WithHTTPClient(d))
	if err != nil {
		return nil, err
	}
	return &Remote{url: o.URL, api: api}, nil
}

// URL returns the address of the server.
func (r *Remote) URL() string { return r.url }

// doer sends requests with the token, and again after a wait if the rate limit of the
// server refused them.
type doer struct {
	options Options
	http    *http.Client
}

// Do implements client.HttpRequestDoer.
func (d *doer) Do(r *http.Request) (*http.Response, error) {
	if d.options.Token != "" {
		r.Header.Set("Authorization", "Bearer "+d.options.Token)
	}
	r.Header.Set("User-Agent", d.options.UserAgent)
	for {
		resp, err := d.http.Do(r)
		if err != nil {
			return nil, unreachable(d.options.URL, err)
		}
		wait := retryAfter(resp)
		if wait == 0 || wait > maxWait {
			return resp, nil
		}
		_ = resp.Body.Close() // It was not read.
		if !loop.Sleep(r.Context(), wait) {
			return nil, r.Context().Err()
		}
		if r.GetBody != nil {
			if r.Body, err = r.GetBody(); err != nil {
				return nil, err
			}
		}
	}
}

// retryAfter returns the wait before a request that the rate limit refused may be sent
// again; 0 for any other answer.
func retryAfter(resp *http.Response) time.Duration {
	if resp.StatusCode != http.StatusTooManyRequests {
		return 0
	}
	seconds, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	if err != nil || seconds < 0 || seconds > 3600 {
		seconds = 1
	}
	return time.Duration(max(seconds, 1)) * time.Second
}

// read decodes a successful answer. Another answer is an error in plain words.
func read[T any](resp *http.Response, err error) (answer T, _ error) {
	if err != nil {
		return answer, err
	}
	defer resp.Body.Close() //nolint:errcheck // It was read.
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return answer, unreachable(serverOf(resp), err)
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return answer, problemOf(resp, text)
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return answer, errorf(serverOf(resp), "the answer is not one of gistdeal's API: check the address (%w)", err)
	}
	return answer, nil
}

// pages yields the pages of a list. The function next returns the page at a cursor, nil
// for the first one, and the cursor of the page behind it.
func pages[T any](next func(cursor *string) ([]T, string, error)) iter.Seq2[[]T, error] {
	return func(yield func([]T, error) bool) {
		for cursor := (*string)(nil); ; {
			rows, after, err := next(cursor)
			if !yield(rows, err) || err != nil || after == "" {
				return
			}
			cursor = &after
		}
	}
}

// all returns all rows of a list, never nil.
func all[T any](next func(cursor *string) ([]T, string, error)) ([]T, error) {
	rows := []T{}
	for some, err := range pages(next) {
		if err != nil {
			return nil, err
		}
		rows = append(rows, some...)
	}
	return rows, nil
}

// given returns a parameter, or nil to leave it out.
func given[T comparable](v T) *T {
	if v == *new(T) {
		return nil
	}
	return &v
}

// names returns a list of names as a parameter, or nil to leave it out.
func names[T, S ~string](values []S) *[]T {
	if len(values) == 0 {
		return nil
	}
	list := make([]T, len(values))
	for i, v := range values {
		list[i] = T(v)
	}
	return &list
}

// limit is the parameter for the size of a page.
func limit() *int64 { return new(int64(page)) }

// refused returns the result of an input that the server refuses; false for other errors.
func refused(input string, err error) (result string, ok bool) {
	switch gistdeal.KindOf(err) {
	case gistdeal.Invalid:
		return "invalid", true
	case gistdeal.NotFound:
		return "not_found", true
	}
	return "", false
}
