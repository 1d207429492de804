package github

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"mime"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gistdeal"
)

const (
	// maxPages ends a list whose links never end; no user has 200,000 gists.
	maxPages = 2000
	// maxRefusals ends a reading that GitHub does not let go on, after hours
	// if it names no times.
	maxRefusals = 8
)

// Gists returns the public gists of login, page by page to the last; a gist that
// comes twice is yielded once, and a page without anything new is left out. After
// an error nothing follows. If etag is the one of an earlier Listing and page 1 is
// still the same, it yields nothing.
//
// l gets the totals. After the last page it stands for the whole list; beside an
// error, or if the caller breaks off, it only counts pages and requests.
//
// A limit on page 1 is a Limited error at once. On a later page Gists waits until
// the limit is over, or ctx ends, and requests that page again: started anew, a
// list of many pages might never end.
//
// A gist deleted on an earlier page moves the later ones up while the pages are
// read, so that one may slip through, and no ETag of page 1 reveals it. A caller
// that needs every gist reads without an ETag now and then.
func (c *Client) Gists(ctx context.Context, login, etag string, l *gistdeal.Listing) iter.Seq2[gistdeal.GistPage, error] {
	return func(yield func(gistdeal.GistPage, error) bool) {
		if err := gistdeal.CheckLogin(login); err != nil {
			yield(gistdeal.GistPage{}, err)
			return
		}
		r := reading{client: c, read: map[string]bool{}, seen: map[string]bool{}}
		address := c.base.String() + "/users/" + url.PathEscape(login) + "/gists?per_page=100"
		for address != "" {
			page, next, err := r.page(ctx, address, etag)
			*l = r.counts()
			if err != nil {
				yield(gistdeal.GistPage{}, fmt.Errorf("list gists of %q: page %d: %w", login, len(r.read), err))
				return
			}
			if len(page.Gists) > 0 && !yield(page, nil) {
				return
			}
			address, etag = next, ""
		}
		*l = r.listing
	}
}

// reading is one way through a user's pages.
type reading struct {
	client  *Client
	listing gistdeal.Listing
	read    map[string]bool // addresses of pages
	seen    map[string]bool // ids of gists: pages shift while we read them
}

func (r *reading) counts() gistdeal.Listing {
	return gistdeal.Listing{Pages: r.listing.Pages, Requests: r.listing.Requests}
}

// page reads one page and returns its gists that are new to this reading and
// the next page's address, "" if there is none.
func (r *reading) page(ctx context.Context, address, etag string) (p gistdeal.GistPage, next string, err error) {
	if r.read[address] || len(r.read) == maxPages {
		return p, "", unreadable("the links to next pages never end")
	}
	r.read[address] = true
	a, err := r.get(ctx, address, etag)
	if err != nil {
		return p, "", err
	}
	if a.notModified() {
		r.listing.NotModified, r.listing.ETag = true, etag
		return p, "", nil
	}
	if err := a.checkJSON(); err != nil {
		return p, "", err
	}
	gists, err := decodePage(a.body)
	if err != nil {
		return p, "", err
	}
	links := a.header.Values("Link")
	if next, err = r.client.nextPage(address, links); err != nil {
		return p, "", err
	}
	r.listing.Pages++
	if r.listing.Pages == 1 {
		r.listing.ETag = a.header.Get("ETag")
	}
	return gistdeal.GistPage{Gists: slices.DeleteFunc(gists, r.known), Pages: max(r.listing.Pages, lastPage(links))}, next, nil
}

// get asks for a page, and for a later one again when a limit is over that refused it.
func (r *reading) get(ctx context.Context, address, etag string) (answer, error) {
	for refusals := 0; ; {
		a, err := r.client.get(ctx, address, etag, maxPageSize)
		r.listing.Requests += a.requests
		if gistdeal.KindOf(err) != gistdeal.Limited || len(r.read) == 1 {
			return a, err
		}
		if a.requests > 0 { // else others met the limit
			refusals++
		}
		if refusals == maxRefusals {
			return a, err
		}
		select {
		case <-ctx.Done():
			return a, gistdeal.Errorf(gistdeal.Temporary, "%w", ctx.Err())
		case <-time.After(gistdeal.RetryAfter(err)):
		}
	}
}

func (r *reading) known(g gistdeal.Gist) bool {
	known := r.seen[g.ID]
	r.seen[g.ID] = true
	return known
}

// gistJSON has the fields that we read of a listed gist. Description, owner and a file
// may be null or absent (GitHub's OpenAPI description, schema base-gist).
type gistJSON struct {
	ID          string    `json:"id"`
	Public      *bool     `json:"public"`
	Description string    `json:"description"`
	CreatedAt   time.Time `json:"created_at"`
	Owner       struct {
		ID int64 `json:"id"`
	} `json:"owner"`
	Files map[string]struct {
		RawURL string `json:"raw_url"`
	} `json:"files"`
}

// Ids are hexadecimal today and were numbers once; anything that can stand in
// an address without escaping is left to GitHub.
var gistID = regexp.MustCompile(`^[0-9A-Za-z_-]{1,100}$`)

// decodePage returns the public gists of a page in their order. One item that
// makes no sense spoils the page: left out, its gist would be lost silently.
func decodePage(body []byte) ([]gistdeal.Gist, error) {
	if !bytes.HasPrefix(bytes.TrimSpace(body), []byte("[")) {
		return nil, unreadable("not a list")
	}
	var items []gistJSON
	if err := json.Unmarshal(body, &items); err != nil {
		return nil, unreadable("%w", err)
	}
	gists := make([]gistdeal.Gist, 0, len(items))
	for _, item := range items {
		if !gistID.MatchString(item.ID) {
			return nil, unreadable("a gist has the id %q", cut(item.ID))
		}
		if item.Public == nil || item.CreatedAt.IsZero() {
			return nil, unreadable("gist %s lacks public or created_at", item.ID)
		}
		// The token's own user also gets the secret ones (GitHub docs, "List gists for a user").
		if *item.Public {
			gists = append(gists, item.gist())
		}
	}
	return gists, nil
}

func (item gistJSON) gist() gistdeal.Gist {
	files := make([]gistdeal.File, 0, len(item.Files))
	for name, file := range item.Files {
		files = append(files, gistdeal.File{Name: name, RawURL: file.RawURL})
	}
	slices.SortFunc(files, func(a, b gistdeal.File) int { return cmp.Compare(a.Name, b.Name) })
	return gistdeal.Gist{
		ID:          item.ID,
		OwnerID:     item.Owner.ID,
		Description: item.Description,
		Files:       files,
		CreatedAt:   item.CreatedAt.UTC(),
	}
}

// nextPage returns the address of the page after the one at address. It is
// taken from the Link header, never built (GitHub docs, "Using pagination in
// the REST API"): after page 1 it names the user by number, not by login.
func (c *Client) nextPage(address string, links []string) (string, error) {
	link, exists, err := linkTo("next", links)
	if err != nil || !exists {
		return "", err
	}
	u, err := resolve(address, link)
	if err != nil {
		return "", err
	}
	return c.onBase(u), nil
}

// lastPage returns the number of the last page from the Link headers, 0 if they do not
// name it. It only serves to show progress.
func lastPage(links []string) int {
	link, _, err := linkTo("last", links)
	if err != nil {
		return 0
	}
	u, err := url.Parse(link)
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(u.Query().Get("page")) //nolint:errcheck // 0 then, as it should be.
	return max(0, n)
}

// linkTo finds the target of a relation in Link headers (RFC 8288). A header
// that cannot be parsed is an error: read as "no next page" it would lose gists.
func linkTo(relation string, links []string) (target string, exists bool, err error) {
	for _, rest := range links {
		for rest = strings.Trim(rest, " \t,"); rest != ""; {
			var params string
			var ok bool
			if target, params, rest, ok = cutLink(rest); !ok {
				return "", false, unreadable("a Link header without a target")
			}
			// The parameters of a link have the syntax of a media type's.
			_, values, err := mime.ParseMediaType("a/b" + params)
			if err != nil {
				return "", false, unreadable("a Link header: %w", err)
			}
			if slices.Contains(strings.Fields(strings.ToLower(values["rel"])), relation) {
				return target, true, nil
			}
		}
	}
	return "", false, nil
}

// cutLink splits links into the first one's target and parameters and the rest.
func cutLink(links string) (target, params, rest string, ok bool) {
	links, ok = strings.CutPrefix(links, "<")
	if !ok {
		return "", "", "", false
	}
	if target, links, ok = strings.Cut(links, ">"); !ok {
		return "", "", "", false
	}
	quoted := false
	for i := range len(links) {
		if links[i] == '"' {
			quoted = !quoted
		}
		if links[i] == ',' && !quoted {
			return target, links[:i], strings.TrimLeft(links[i:], " \t,"), true
		}
	}
	return target, links, "", true
}
