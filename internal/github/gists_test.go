package github

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/time/rate"

	"gistdeal"
)

// userWith answers like GitHub for a user with the gists g1 to gn: links contain
// the host and the user's id.
func userWith(n int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		size, _ := strconv.Atoi(r.URL.Query().Get("per_page"))
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		page = max(page, 1)
		var items []string
		for i := (page-1)*size + 1; i <= min(page*size, n); i++ {
			items = append(items, gist(fmt.Sprintf("g%d", i)))
		}
		header := map[string]string{"ETag": fmt.Sprintf(`W/"page %d"`, page)}
		if page*size < n {
			header["Link"] = linkHeader(fmt.Sprintf("https://api.github.com/user/583231/gists?per_page=%d&page=%d", size, page+1))
		}
		reply(200, header, "["+strings.Join(items, ",")+"]")(w, r)
	}
}

func linkHeader(next string) string {
	return `<https://api.github.com/user/583231/gists?page=1>; rel="first", <` + next + `>; rel="next"`
}

// listGists hands each page of login's gists to page, to the last or the first error.
func listGists(ctx context.Context, c *Client, login, etag string, page func(gistdeal.GistPage) error) (l gistdeal.Listing, err error) {
	for p, err := range c.Gists(ctx, login, etag, &l) {
		if err == nil {
			err = page(p)
		}
		if err != nil {
			return l, err
		}
	}
	return l, nil
}

// read reads octocat's gists and returns their ids; an error ends the test.
func read(t *testing.T, c *Client, etag string) ([]string, gistdeal.Listing) {
	t.Helper()
	ids := []string{}
	listing, err := listGists(t.Context(), c, "octocat", etag, func(page gistdeal.GistPage) error {
		gists := page.Gists
		for _, g := range gists {
			ids = append(ids, g.ID)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids, listing
}

func none(t *testing.T) func(gistdeal.GistPage) error {
	return func(page gistdeal.GistPage) error {
		gists := page.Gists
		t.Helper()
		t.Errorf("%d gists were returned, want none", len(gists))
		return nil
	}
}

func TestGistsReadsEveryPageAndNoMore(t *testing.T) {
	t.Parallel()
	for gists, requests := range map[int]int{0: 1, 1: 1, 99: 1, 100: 1, 101: 2, 1000: 10, 5000: 50} {
		t.Run(fmt.Sprint(gists, " gists"), func(t *testing.T) {
			t.Parallel()
			c, asked := serve(t, "", userWith(gists))
			ids, listing := read(t, c, "")
			want := []string{}
			for i := range gists {
				want = append(want, fmt.Sprintf("g%d", i+1))
			}
			if !slices.Equal(ids, want) {
				t.Errorf("read %d gists, want g1 to g%d in order", len(ids), gists)
			}
			if n := len(asked.all()); n != requests {
				t.Errorf("%d requests, want %d", n, requests)
			}
			if l := (gistdeal.Listing{ETag: `W/"page 1"`, Pages: requests, Requests: requests}); listing != l {
				t.Errorf("listing %+v, want %+v", listing, l)
			}
			if first := asked.all()[0].URL.String(); first != "/users/octocat/gists?per_page=100" {
				t.Errorf("the first request is %s", first)
			}
		})
	}
}

func TestAnUnchangedUserTakesOneConditionalRequest(t *testing.T) {
	t.Parallel()
	const etag = `W/"b6d4, 5b"`
	c, asked := serve(t, "", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"weaker"`)
		w.WriteHeader(http.StatusNotModified)
	}))
	ids, listing := read(t, c, etag)
	if want := (gistdeal.Listing{ETag: etag, Requests: 1, NotModified: true}); listing != want || len(ids) != 0 {
		t.Errorf("read %v, %+v, want %+v", ids, listing, want)
	}
	if got := asked.all()[0].Header.Get("If-None-Match"); got != etag {
		t.Errorf("If-None-Match: %s, want exactly %s", got, etag)
	}
}

func TestETagIsSentWithPageOneOnly(t *testing.T) {
	t.Parallel()
	c, asked := serve(t, "", userWith(150))
	_, listing := read(t, c, `"old"`)
	if listing.ETag != `W/"page 1"` || listing.NotModified {
		t.Errorf("listing %+v", listing)
	}
	if got := asked.all()[1].Header.Values("If-None-Match"); len(got) != 0 {
		t.Errorf("page 2 was requested with If-None-Match %q", got)
	}
}

func TestAnUnexpected304IsATemporaryError(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, "", reply(http.StatusNotModified, nil, ""))
	_, err := listGists(t.Context(), c, "octocat", "", none(t))
	wantKind(t, err, gistdeal.Temporary)
}

func TestLinksAreFollowedOnTheBaseOnly(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, base, link, want string }{
		{"another host", "", "https://elsewhere.example/user/1/gists?page=2", "/user/1/gists?page=2"},
		{"relative path", "", "/user/1/gists?page=2", "/user/1/gists?page=2"},
		{"query alone", "", "?page=2", "/users/octocat/gists?page=2"},
		{"Enterprise, with its prefix", "/api/v3", "https://ghe.example/api/v3/user/1/gists?page=2", "/api/v3/user/1/gists?page=2"},
		{"Enterprise, without", "/api/v3/", "https://api.github.com/user/1/gists?page=2", "/api/v3/user/1/gists?page=2"},
		{"only looks like the prefix", "/api/v3", "https://ghe.example/api/v33/gists?page=2", "/api/v3/api/v33/gists?page=2"},
		{"escapes are kept", "", "https://x.example/a%2Fb?q=%26&page=2", "/a%2Fb?q=%26&page=2"},
		{"user in the address", "", "https://me:pw@x.example/p?page=2", "/p?page=2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			client, asked := serve(t, c.base, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Query().Get("page") == "" {
					reply(200, map[string]string{"Link": linkHeader(c.link)}, `[`+gist("a")+`]`)(w, r)
					return
				}
				reply(200, nil, `[`+gist("b")+`]`)(w, r)
			}))
			ids, _ := read(t, client, "")
			if fmt.Sprint(ids) != "[a b]" {
				t.Errorf("read %v", ids)
			}
			r := asked.all()[1]
			if got := r.RequestURI; got != c.want {
				t.Errorf("requested %s, want %s", got, c.want)
			}
			if r.Header.Get("Authorization") != "Bearer "+token {
				t.Errorf("requested with Authorization %q", r.Header.Get("Authorization"))
			}
		})
	}
}

func TestAGistListedTwiceIsReturnedOnce(t *testing.T) {
	t.Parallel()
	pages := [][]string{{"a", "b", "a"}, {"b", "c"}, {"c", "a"}, {"d"}}
	c, _ := serve(t, "", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("page"))
		var items []string
		for _, id := range pages[n] {
			items = append(items, gist(id))
		}
		header := map[string]string{}
		if n+1 < len(pages) {
			header["Link"] = linkHeader(fmt.Sprintf("/user/1/gists?page=%d", n+1))
		}
		reply(200, header, "["+strings.Join(items, ",")+"]")(w, r)
	}))
	var got [][]string
	listing, err := listGists(t.Context(), c, "octocat", "", func(page gistdeal.GistPage) error {
		gists := page.Gists
		var ids []string
		for _, g := range gists {
			ids = append(ids, g.ID)
		}
		got = append(got, ids)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := [][]string{{"a", "b"}, {"c"}, {"d"}}; !reflect.DeepEqual(got, want) {
		t.Errorf("returned %v, want %v", got, want)
	}
	if listing.Pages != 4 {
		t.Errorf("%d pages, want 4", listing.Pages)
	}
}

// handled is a transport that calls a handler directly. Without sockets thousands
// of requests are fast.
type handled struct{ http.Handler }

func (h handled) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	r = r.Clone(r.Context())
	r.Body = http.NoBody // as in a server
	h.ServeHTTP(w, r)
	return w.Result(), nil
}

func TestLinksThatNeverEndAreATemporaryError(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		next     func(n int) int
		requests int
	}{
		{"to itself", func(int) int { return 1 }, 2},
		{"in a circle", func(n int) int { return (n + 1) % 3 }, 4},
		{"for ever on", func(n int) int { return n + 1 }, maxGists / 100},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			requests := 0
			client, err := New("https://api.github.com", Options{Token: token, Transport: handled{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests++
				n, _ := strconv.Atoi(r.URL.Query().Get("page"))
				link := linkHeader(fmt.Sprintf("/user/1/gists?page=%d", c.next(n)))
				reply(200, map[string]string{"ETag": `"e"`, "Link": link}, `[]`)(w, r)
			})}})
			if err != nil {
				t.Fatal(err)
			}
			client.throttle.rate.SetLimit(rate.Inf) // 2,000 pages would take minutes
			listing, err := listGists(t.Context(), client, "octocat", "", none(t))
			wantKind(t, err, gistdeal.Temporary)
			wantText(t, err, `list gists of "octocat": page `)
			if requests != c.requests {
				t.Errorf("%d requests, want %d", requests, c.requests)
			}
			if want := (gistdeal.Listing{Pages: c.requests, Requests: c.requests}); listing != want {
				t.Errorf("listing %+v, want %+v", listing, want)
			}
		})
	}
}

func TestAnErrorOfTheCallbackEndsTheList(t *testing.T) {
	t.Parallel()
	c, asked := serve(t, "", userWith(500))
	full := errors.New("disk full")
	calls := 0
	listing, err := listGists(t.Context(), c, "octocat", "", func(gistdeal.GistPage) error {
		if calls++; calls == 2 {
			return full
		}
		return nil
	})
	if !errors.Is(err, full) || err.Error() != full.Error() {
		t.Errorf("%v, want the error of the function unchanged", err)
	}
	if calls != 2 || len(asked.all()) != 2 {
		t.Errorf("%d calls, %d requests, want 2 of each", calls, len(asked.all()))
	}
	if want := (gistdeal.Listing{Pages: 2, Requests: 2}); listing != want {
		t.Errorf("listing %+v, want %+v", listing, want)
	}
}

func TestAnErrorOnALaterPageReturnsNoETag(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, "", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("page") == "3" {
			reply(500, nil, `{"message":"Server Error"}`)(w, r)
			return
		}
		userWith(500)(w, r)
	}))
	pages := 0
	listing, err := listGists(t.Context(), c, "octocat", "", func(gistdeal.GistPage) error { pages++; return nil })
	wantKind(t, err, gistdeal.Temporary)
	wantText(t, err, `list gists of "octocat": page 3: GitHub answers 500 "Server Error"`)
	if want := (gistdeal.Listing{Pages: 2, Requests: 3}); listing != want || pages != 2 {
		t.Errorf("listing %+v, want %+v; %d pages, want 2", listing, want, pages)
	}
}

func TestATruncatedAnswerIsATemporaryError(t *testing.T) {
	t.Parallel()
	body := "[" + gist("a1") + "]"
	for name, h := range map[string]http.HandlerFunc{
		"says HTML":        reply(200, map[string]string{"Content-Type": "text/html; charset=utf-8"}, body),
		"says nothing":     reply(200, map[string]string{"Content-Type": ""}, body),
		"shorter than due": reply(200, map[string]string{"Content-Length": "9999"}, body),
		"torn refusal":     reply(403, map[string]string{"Content-Length": "9999"}, `{"message":"You have exceeded a sec`),
		"no content":       reply(204, nil, ""),
		"a wrong Link":     reply(200, map[string]string{"Link": "https://x.example; rel=next"}, body),
		"a Link to no URL": reply(200, map[string]string{"Link": "<http://a b/>; rel=next"}, body),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := serve(t, "", h)
			_, err := listGists(t.Context(), c, "octocat", "", none(t))
			wantKind(t, err, gistdeal.Temporary)
		})
	}
}

// spaces is the beginning of an endless answer.
type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func (s spaces) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(s)}, nil
}

func TestAnEndlessAnswerIsATemporaryError(t *testing.T) {
	t.Parallel()
	c, err := New("https://api.github.com", Options{Transport: spaces{}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = listGists(t.Context(), c, "octocat", "", none(t))
	wantKind(t, err, gistdeal.Temporary)
	wantText(t, err, "longer than 33554432 bytes")
	_, err = c.User(t.Context(), "octocat")
	wantKind(t, err, gistdeal.Temporary)
	wantText(t, err, "longer than 1048576 bytes")
}
