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
)

// user responds with an account by login or id. The old login of a renamed user
// is unknown.
func (h *gitHub) user(c *call) response {
	a := h.find(c)
	if a == nil {
		return h.notFound(c)
	}
	public := len(a.gists.newest(0, func(p *ownedGist) bool { return !p.Secret }))
	return reply(http.StatusOK, a.profile(h.form(c), public))
}

// me responds with the account of the token: Options.TokenUser, or an account
// without gists.
func (h *gitHub) me(c *call) response {
	if c.Header.Get("Authorization") == "" {
		return gitHubError(http.StatusUnauthorized, "Requires authentication")
	}
	return reply(http.StatusOK, h.tokenUser().profile(h.form(c), 0))
}

func (h *gitHub) tokenUser() *account {
	return h.account(User{Login: cmp.Or(h.o.TokenUser, "sim-machine")})
}

// find returns the account with the login or id in the path, or nil. It returns
// nil for a suspended account, because GitHub responds with 404 (measured by others).
func (h *gitHub) find(c *call) *account {
	var a *account
	if login := c.PathValue("login"); login != "" {
		a = h.byLogin(login)
	} else if id, err := strconv.ParseInt(c.PathValue("id"), 10, 64); err == nil {
		a = h.byID(id)
	}
	if a != nil && a.suspended {
		return nil
	}
	return a
}

// userGists lists a user's gists. With a token of that user the list includes
// secret gists.
func (h *gitHub) userGists(c *call) response {
	a := h.find(c)
	if h.formerLogin(c) {
		return h.page(c, c.URL.Path, nil)
	}
	if a == nil {
		return h.notFound(c)
	}
	since, ok := since(c)
	if !ok {
		return badSince()
	}
	if r, slow := a.tooSlow(c); slow {
		return r
	}
	serviceHeaders := c.Header.Get("Authorization") != "" && strings.EqualFold(h.o.TokenUser, a.login)
	list := a.gists.newest(0, func(p *ownedGist) bool {
		return a.kind == "User" && (serviceHeaders || !p.Secret) && !p.UpdatedAt.Before(since)
	})
	// Recorded responses of GitHub always link to the numeric form.
	return h.page(c, "/user/"+strconv.FormatInt(a.id, 10)+"/gists", list)
}

func (h *gitHub) gist(c *call) response {
	p := h.gistByID(c.PathValue("id"))
	if p == nil || p.owner.suspended {
		return h.notFound(c)
	}
	a := reply(http.StatusOK, p.full(h.form(c)))
	a.header.Set("Last-Modified", p.UpdatedAt.UTC().Format(http.TimeFormat))
	return a
}

// rateLimit responds with the caller's quota. The request itself is free.
func (h *gitHub) rateLimit(c *call) response {
	q := h.quota(c)
	core := q.json()
	other := rateJSON{Limit: 30, Remaining: 30, Reset: q.reset.Unix()}
	overview := map[string]any{"resources": map[string]any{"core": core, "search": other, "graphql": h.graphQL.quota(c).json()}}
	// GitHub docs, "Breaking changes", 2026-03-10: the top-level rate is gone.
	if version(c.Request) == oldVersion {
		overview["rate"] = core
	}
	return reply(http.StatusOK, overview)
}

// page responds with one page of a list and links to the other pages.
func (h *gitHub) page(c *call, path string, list []*ownedGist) response {
	page, perPage := paging(c.URL.Query())
	last := max(1, (len(list)+perPage-1)/perPage)
	from := min((page-1)*perPage, len(list))
	items := make([]gistJSON, 0, perPage)
	for _, p := range list[from:min(from+perPage, len(list))] {
		items = append(items, p.short(h.form(c)))
	}
	a := reply(http.StatusOK, items)
	if links := links(c, path, page, last); links != "" {
		a.header.Set("Link", links)
	}
	return a
}

// paging reads page and per_page. Like GitHub, it uses the default for an
// invalid value.
func paging(q url.Values) (page, perPage int) {
	page, perPage = atoi(q.Get("page"), 1), atoi(q.Get("per_page"), defaultPerPage)
	return page, min(perPage, maxPerPage)
}

// atoi parses a positive number. It returns fallback if the text is not one.
func atoi(text string, fallback int) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return fallback
	}
	return n
}

// links returns the Link header of a page, "" if there is only one page.
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

// since reads the parameter since, which filters by updated_at.
func since(c *call) (t time.Time, ok bool) {
	text := c.URL.Query().Get("since")
	if text == "" {
		return time.Time{}, true
	}
	t, err := time.Parse(time.RFC3339, text)
	return t, err == nil
}

func badSince() response { return invalid("Validation Failed") }

func (h *gitHub) notFound(*call) response { return h.errorResponse(http.StatusNotFound) }

// versions are the versions in GitHub docs, "API Versions". The first one is the
// default.
var versions = []string{oldVersion, "2026-03-10"}

const oldVersion = "2022-11-28"

// version returns the requested version of the API.
func version(r *http.Request) string {
	if v := r.Header.Get("X-Github-Api-Version"); v != "" {
		return v
	}
	return oldVersion
}

func supported(r *http.Request) bool { return slices.Contains(versions, version(r)) }
