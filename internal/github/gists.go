package github

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
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

// pageSizes are the numbers of gists to request at once: GitHub's maximum, and fewer for
// lists that it does not return in time.
var pageSizes = []int{100, 30, 10}

const (
	// growAfter pages of one size, the next larger size is tried again.
	growAfter = 10
	// maxGists ends a list whose links never end; no user has as many.
	maxGists = 200_000
	// maxRefusals ends a list while GitHub keeps refusing. If GitHub names no times, that
	// takes hours.
	maxRefusals = 8
)

// Gists returns the public gists of login, page by page. It yields a repeated gist only
// once, and omits a page without new gists. An error ends the sequence. If etag is from
// an earlier Listing and page 1 has not changed since, Gists yields nothing.
//
// Gists stores the totals in l. They are complete after the last page. After an error,
// or if the caller stops early, only Pages and Requests are set.
//
// A limit on page 1 returns a Limited error at once. On a later page Gists waits until
// the limit ends, or ctx does, and requests that page again: restarting a list of many
// pages might never complete it. A limit of this list alone is returned on each page.
//
// A page that GitHub does not return in time is requested again with fewer gists.
//
// If a gist on an earlier page is deleted while Gists reads, the later gists move up and
// Gists may miss one. The ETag of page 1 does not reveal that. A caller that needs every
// gist must sometimes read without an ETag.
func (c *Client) Gists(ctx context.Context, login, etag string, l *gistdeal.Listing) iter.Seq2[gistdeal.GistPage, error] {
	return func(yield func(gistdeal.GistPage, error) bool) {
		if err := gistdeal.CheckLogin(login); err != nil {
			yield(gistdeal.GistPage{}, err)
			return
		}
		p := pager{client: c, visited: map[string]bool{}, seen: map[string]bool{}}
		address := c.base.String() + "/users/" + url.PathEscape(login) + "/gists?per_page=100"
		for address != "" {
			page, next, err := p.page(ctx, address, etag)
			*l = p.counts()
			if smaller, ok := p.shrink(address, err); ok {
				address = smaller
				continue
			}
			if err != nil {
				yield(gistdeal.GistPage{}, fmt.Errorf("list gists of %q: page %d: %w", login, p.listing.Pages+1, err))
				return
			}
			if len(page.Gists) > 0 && !yield(page, nil) {
				return
			}
			address, etag = p.grow(next), ""
		}
		*l = p.listing
	}
}

// pager reads the pages of one list of gists.
type pager struct {
	client  *Client
	listing gistdeal.Listing
	visited map[string]bool // by page address
	asked   int             // gists that the visited pages may have
	seen    map[string]bool // by gist id; pages shift while we read them
	size    int             // index in pageSizes
	ofSize  int             // pages read in this size
}

func (p *pager) counts() gistdeal.Listing {
	return gistdeal.Listing{Pages: p.listing.Pages, Requests: p.listing.Requests}
}

// page reads one page. It returns the gists that no earlier page had, and the address of
// the next page, or "" if there is none.
func (p *pager) page(ctx context.Context, address, etag string) (page gistdeal.GistPage, next string, err error) {
	if p.visited[address] || p.asked >= maxGists {
		return page, "", unreadable("the links to next pages never end")
	}
	p.visited[address] = true
	p.asked += pageSizes[p.size]
	a, err := p.get(ctx, address, etag)
	if err != nil {
		return page, "", err
	}
	if a.notModified() {
		p.listing.NotModified, p.listing.ETag = true, etag
		return page, "", nil
	}
	if err := a.checkJSON(); err != nil {
		return page, "", err
	}
	gists, err := decodePage(a.body)
	if err != nil {
		return page, "", err
	}
	links := a.header.Values("Link")
	if next, err = p.client.nextPage(address, links); err != nil {
		return page, "", err
	}
	p.listing.Pages++
	if p.listing.Pages == 1 {
		p.listing.ETag = a.header.Get("ETag")
	}
	return gistdeal.GistPage{Gists: slices.DeleteFunc(gists, p.isRepeated), Pages: max(p.listing.Pages, lastPage(links))}, next, nil
}

// shrink returns the address for a smaller page with the first gist of the one at
// address, if err says that GitHub did not return this one in time.
func (p *pager) shrink(address string, err error) (string, bool) {
	if _, slow := errors.AsType[slowError](err); !slow || p.size == len(pageSizes)-1 {
		return "", false
	}
	p.asked -= pageSizes[p.size]
	p.size++
	p.ofSize = 0
	return resize(address, pageSizes[p.size])
}

// grow returns the address for a larger page with the first gist of the one at next,
// after enough pages of the present size. Otherwise it returns next.
func (p *pager) grow(next string) string {
	p.ofSize++
	if p.size == 0 || p.ofSize < growAfter {
		return next
	}
	larger, ok := resize(next, pageSizes[p.size-1])
	if !ok {
		return next
	}
	p.size--
	p.ofSize = 0
	return larger
}

// resize returns the address of the page of that size with the first gist of the page at
// address. It may repeat gists that come before.
func resize(address string, size int) (string, bool) {
	u, err := url.Parse(address)
	if err != nil || address == "" {
		return "", false
	}
	q := u.Query()
	if page, err := strconv.Atoi(q.Get("page")); err == nil {
		before, err := strconv.Atoi(q.Get("per_page"))
		if err != nil {
			return "", false
		}
		q.Set("page", strconv.Itoa((page-1)*before/size+1))
	}
	q.Set("per_page", strconv.Itoa(size))
	u.RawQuery = q.Encode()
	return u.String(), true
}

// get requests a page. If a limit refuses a page after the first, get waits until the
// limit ends and requests the page again, unless only this list is limited.
func (p *pager) get(ctx context.Context, address, etag string) (answer, error) {
	for refusals := 0; ; {
		a, err := p.client.get(ctx, address, etag, maxPageSize)
		p.listing.Requests += a.requests
		if gistdeal.KindOf(err) != gistdeal.Limited || p.listing.Pages == 0 || p.client.limiter.blocked() == nil {
			return a, err
		}
		if a.requests > 0 { // Otherwise another request reached the limit.
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

func (p *pager) isRepeated(g gistdeal.Gist) bool {
	known := p.seen[g.ID]
	p.seen[g.ID] = true
	return known
}

// gistJSON has the fields that we use of a listed gist. Description, owner and files may
// be null or absent (GitHub's OpenAPI description, schema base-gist).
type gistJSON struct {
	ID          string    `json:"id"`
	Public      *bool     `json:"public"`
	Description string    `json:"description"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
	Comments    *int      `json:"comments"`
	Owner       struct {
		ID    int64  `json:"id"`
		Login string `json:"login"`
	} `json:"owner"`
	Files map[string]struct {
		RawURL   string `json:"raw_url"`
		Type     string `json:"type"`
		Language string `json:"language"` // null if GitHub does not know the type of the file
		Size     int    `json:"size"`
	} `json:"files"`
}

// Gist ids are hexadecimal today and used to be decimal. The pattern allows all ids that
// a URL can contain without escaping.
var gistID = regexp.MustCompile(`^[0-9A-Za-z_-]{1,100}$`)

// decodePage returns the public gists of a page in their order. A single invalid item is
// an error, because skipping it would silently lose a gist.
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
			return nil, unreadable("a gist has the id %q", truncate(item.ID))
		}
		if item.Public == nil || item.CreatedAt.IsZero() {
			return nil, unreadable("gist %s lacks public or created_at", item.ID)
		}
		// The list of the token's own user includes its secret gists (GitHub docs, "List gists
		// for a user").
		if *item.Public {
			gists = append(gists, item.gist())
		}
	}
	return gists, nil
}

func (item gistJSON) gist() gistdeal.Gist {
	files := make([]gistdeal.File, 0, len(item.Files))
	for name, file := range item.Files {
		files = append(files, gistdeal.File{Name: name, RawURL: file.RawURL, Type: file.Type, Language: file.Language, Size: file.Size})
	}
	slices.SortFunc(files, func(a, b gistdeal.File) int { return cmp.Compare(a.Name, b.Name) })
	return gistdeal.Gist{
		ID:          item.ID,
		OwnerID:     item.Owner.ID,
		Description: item.Description,
		Files:       files,
		CreatedAt:   item.CreatedAt.UTC(),
		UpdatedAt:   updated(item.CreatedAt, item.UpdatedAt),
		Comments:    item.Comments,
	}
}

// updated returns when a gist last changed; when it was created if GitHub does not tell.
func updated(created, updated time.Time) time.Time {
	if updated.Before(created) {
		return created.UTC()
	}
	return updated.UTC()
}

// nextPage returns the address of the page after the one at address, or "" if there is
// none. It comes from the Link header and is never built (GitHub docs, "Using pagination
// in the REST API"): after page 1 it contains the user's id instead of the login.
func (c *Client) nextPage(address string, links []string) (string, error) {
	link, exists, err := findLink("next", links)
	if err != nil || !exists {
		return "", err
	}
	u, err := resolve(address, link)
	if err != nil {
		return "", err
	}
	return c.rebase(u), nil
}

// lastPage returns the number of the last page from the Link headers, or 0 if they do
// not name it. It is only used to show progress.
func lastPage(links []string) int {
	link, _, err := findLink("last", links)
	if err != nil {
		return 0
	}
	u, err := url.Parse(link)
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(u.Query().Get("page")) //nolint:errcheck // It is 0 after an error.
	return max(0, n)
}

// findLink returns the target of a relation in Link headers (RFC 8288). A header that
// cannot be parsed is an error, because treating it as "no next page" would lose gists.
func findLink(relation string, links []string) (target string, exists bool, err error) {
	for _, rest := range links {
		for rest = strings.Trim(rest, " \t,"); rest != ""; {
			var params string
			var ok bool
			if target, params, rest, ok = cutLink(rest); !ok {
				return "", false, unreadable("a Link header without a target")
			}
			// Link parameters have the syntax of media type parameters.
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

// cutLink splits links into the target and the parameters of the first link, and the
// rest. It reports false if links does not begin with a target.
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
