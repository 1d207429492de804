package sim

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	maxPerPage     = 100
	defaultPerPage = 30
	// GitHub docs, "List public gists": "you can fetch up to 3000 gists".
	maxPublic = 3_000
)

// user answers by login or by id. A renamed user's old login is unknown.
func (h *hub) user(c *call) answer {
	a := h.find(c)
	if a == nil {
		return h.notFound(c)
	}
	public := len(a.shelf.newest(0, func(p *post) bool { return !p.Secret }))
	return reply(http.StatusOK, a.profile(public))
}

// me answers whose token it is. A token belongs to an account without gists if
// the options name none.
func (h *hub) me(c *call) answer {
	if c.Header.Get("Authorization") == "" {
		return gitHubError(http.StatusUnauthorized, "Requires authentication")
	}
	a := h.account(User{Login: cmp.Or(h.o.TokenUser, "sim-machine")})
	return reply(http.StatusOK, a.profile(0))
}

// find returns the account that the path names, or nil. A suspended one is
// not found either, as others have measured of GitHub.
func (h *hub) find(c *call) *account {
	var a *account
	if login := c.PathValue("login"); login != "" {
		a = h.logins[strings.ToLower(login)]
	} else if id, err := strconv.ParseInt(c.PathValue("id"), 10, 64); err == nil {
		a = h.accounts[id]
	}
	if a != nil && a.suspended {
		return nil
	}
	return a
}

// userGists lists a user's gists; its secret ones too if the token is that user's.
func (h *hub) userGists(c *call) answer {
	a := h.find(c)
	if a == nil {
		return h.notFound(c)
	}
	since, ok := since(c)
	if !ok {
		return badSince()
	}
	own := c.Header.Get("Authorization") != "" && strings.EqualFold(h.o.TokenUser, a.login)
	list := a.shelf.newest(0, func(p *post) bool {
		return a.kind == "User" && (own || !p.Secret) && !p.UpdatedAt.Before(since)
	})
	// Recorded answers of GitHub link to the numeric form, whatever form was asked.
	return h.page(c, "/user/"+strconv.FormatInt(a.id, 10)+"/gists", list)
}

// publicGists lists the newest gists of everybody.
func (h *hub) publicGists(c *call) answer {
	since, ok := since(c)
	if !ok {
		return badSince()
	}
	if page, perPage := paging(c.URL.Query()); page > (maxPublic+perPage-1)/perPage {
		return invalid("In order to keep the API fast for everyone, pagination is limited for this resource.")
	}
	list := h.feed.newest(maxPublic, func(p *post) bool { return !p.Secret && !p.by.suspended && !p.UpdatedAt.Before(since) })
	return h.page(c, "/gists/public", list)
}

func (h *hub) gist(c *call) answer {
	p := h.posts[c.PathValue("id")]
	if p == nil || p.by.suspended {
		return h.notFound(c)
	}
	a := reply(http.StatusOK, p.full(version(c.Request)))
	a.header.Set("Last-Modified", p.UpdatedAt.UTC().Format(http.TimeFormat))
	return a
}

// rateLimit says how the caller stands. It costs nothing.
func (h *hub) rateLimit(c *call) answer {
	q := h.quota(c)
	core := rateJSON{Limit: q.limit, Remaining: q.limit - q.used, Used: q.used, Reset: q.reset.Unix()}
	other := rateJSON{Limit: 30, Remaining: 30, Reset: q.reset.Unix()}
	overview := map[string]any{"resources": map[string]any{"core": core, "search": other, "graphql": core}}
	// GitHub docs, "Breaking changes", 2026-03-10: the top-level rate is gone.
	if version(c.Request) == oldVersion {
		overview["rate"] = core
	}
	return reply(http.StatusOK, overview)
}

// page answers with one page of a list and the links to the others.
func (h *hub) page(c *call, path string, list []*post) answer {
	page, perPage := paging(c.URL.Query())
	last := max(1, (len(list)+perPage-1)/perPage)
	from := min((page-1)*perPage, len(list))
	items := make([]gistJSON, 0, perPage)
	for _, p := range list[from:min(from+perPage, len(list))] {
		items = append(items, p.short(version(c.Request)))
	}
	a := reply(http.StatusOK, items)
	if links := links(c, path, page, last); links != "" {
		a.header.Set("Link", links)
	}
	return a
}

// paging reads page and per_page; GitHub takes what it can't read for the default.
func paging(q url.Values) (page, perPage int) {
	page, perPage = atoi(q.Get("page"), 1), atoi(q.Get("per_page"), defaultPerPage)
	return page, min(perPage, maxPerPage)
}

// atoi reads a positive number.
func atoi(text string, fallback int) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return fallback
	}
	return n
}

// links is the Link header of a page.
func links(c *call, path string, page, last int) string {
	scheme := "http"
	if c.TLS != nil {
		scheme = "https"
	}
	var parts []string
	add := func(rel string, n int) {
		q := c.URL.Query()
		q.Set("page", strconv.Itoa(n))
		parts = append(parts, "<"+scheme+"://"+c.Host+path+"?"+q.Encode()+`>; rel="`+rel+`"`)
	}
	if page > 1 {
		add("prev", min(page-1, last))
	}
	if page < last {
		add("next", page+1)
		add("last", last)
	}
	if page > 1 {
		add("first", 1)
	}
	return strings.Join(parts, ", ")
}

// since reads the parameter of that name, which looks at updated_at.
func since(c *call) (t time.Time, ok bool) {
	text := c.URL.Query().Get("since")
	if text == "" {
		return time.Time{}, true
	}
	t, err := time.Parse(time.RFC3339, text)
	return t, err == nil
}

func badSince() answer { return invalid("Validation Failed") }

func (h *hub) notFound(*call) answer { return h.broken(http.StatusNotFound) }

// versions are those that GitHub docs, "API Versions", names; without the header it is the first.
var versions = []string{oldVersion, "2026-03-10"}

const oldVersion = "2022-11-28"

// version returns the version of the API that a request asks for.
func version(r *http.Request) string {
	if v := r.Header.Get("X-Github-Api-Version"); v != "" {
		return v
	}
	return oldVersion
}

func supported(r *http.Request) bool { return slices.Contains(versions, version(r)) }
