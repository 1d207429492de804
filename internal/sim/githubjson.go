package sim

import (
	"encoding/base64"
	"encoding/json"
	"mime"
	"path"
	"strconv"
	"strings"
	"time"
)

// The shapes below follow github/rest-api-description, schemas simple-user,
// public-user, base-gist and gist-simple.

type userJSON struct {
	Login             string `json:"login"`
	ID                int64  `json:"id"`
	NodeID            string `json:"node_id"`
	AvatarURL         string `json:"avatar_url"`
	GravatarID        string `json:"gravatar_id"`
	URL               string `json:"url"`
	HTMLURL           string `json:"html_url"`
	FollowersURL      string `json:"followers_url"`
	FollowingURL      string `json:"following_url"`
	GistsURL          string `json:"gists_url"`
	StarredURL        string `json:"starred_url"`
	SubscriptionsURL  string `json:"subscriptions_url"`
	OrganizationsURL  string `json:"organizations_url"`
	ReposURL          string `json:"repos_url"`
	EventsURL         string `json:"events_url"`
	ReceivedEventsURL string `json:"received_events_url"`
	Type              string `json:"type"`
	UserViewType      string `json:"user_view_type"`
	SiteAdmin         bool   `json:"site_admin"`
}

type profileJSON struct {
	userJSON
	Name        *string   `json:"name"`
	Company     *string   `json:"company"`
	Blog        *string   `json:"blog"`
	Location    *string   `json:"location"`
	Email       *string   `json:"email"`
	Hireable    *bool     `json:"hireable"`
	Bio         *string   `json:"bio"`
	PublicRepos int       `json:"public_repos"`
	PublicGists int       `json:"public_gists"`
	Followers   int       `json:"followers"`
	Following   int       `json:"following"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
}

type fileJSON struct {
	Filename  string  `json:"filename"`
	Type      string  `json:"type"`
	Language  *string `json:"language"`
	RawURL    string  `json:"raw_url"`
	Size      int     `json:"size"`
	Truncated *bool   `json:"truncated,omitempty"`
	Content   *string `json:"content,omitempty"`
	Encoding  string  `json:"encoding,omitempty"`
}

type gistJSON struct {
	URL             string              `json:"url"`
	ForksURL        string              `json:"forks_url"`
	CommitsURL      string              `json:"commits_url"`
	ID              string              `json:"id"`
	NodeID          string              `json:"node_id"`
	GitPullURL      string              `json:"git_pull_url"`
	GitPushURL      string              `json:"git_push_url"`
	HTMLURL         string              `json:"html_url"`
	Files           map[string]fileJSON `json:"files"`
	Public          bool                `json:"public"`
	CreatedAt       time.Time           `json:"created_at"`
	UpdatedAt       time.Time           `json:"updated_at"`
	Description     *string             `json:"description"`
	Comments        int                 `json:"comments"`
	CommentsEnabled bool                `json:"comments_enabled"`
	CommentsURL     string              `json:"comments_url"`
	Owner           *userJSON           `json:"owner,omitempty"`
	Truncated       bool                `json:"truncated"`
	User            json.RawMessage     `json:"user,omitempty"`
	Forks           json.RawMessage     `json:"forks,omitempty"`
	ForkOf          *gistJSON           `json:"fork_of,omitempty"` // of a response about the gist itself
	History         json.RawMessage     `json:"history,omitempty"`
}

type rateJSON struct {
	Limit     int   `json:"limit"`
	Used      int   `json:"used"`
	Remaining int   `json:"remaining"`
	Reset     int64 `json:"reset"`
}

// form is how a client wants objects to be shown.
type form struct {
	version string // of the API
	next    bool   // with node ids of the newer format
}

// form reads the wish of a client. GitHub docs, "Migrating GraphQL global node IDs".
func (h *gitHub) form(c *call) form {
	return form{version: version(c.Request), next: h.o.NewNodeIDs || c.Header.Get("X-Github-Next-Global-Id") == "1"}
}

func (f form) accountID(a *account) string {
	if f.next {
		return nextNodeID(a.kind, a.id)
	}
	return nodeID(a.kind, a.id)
}

func (f form) gistID(p *ownedGist) string {
	if f.next {
		return nextGistNodeID(p.owner.id, p.ID)
	}
	return nodeID("Gist", p.ID)
}

// short returns the account for other objects that refer to it.
func (a *account) short(f form) *userJSON {
	api := "https://api.github.com/users/" + a.login
	return &userJSON{
		Login: a.login, ID: a.id, NodeID: f.accountID(a), Type: a.kind, UserViewType: "public",
		AvatarURL:         "https://avatars.githubusercontent.com/u/" + strconv.FormatInt(a.id, 10) + "?v=4",
		URL:               api,
		HTMLURL:           "https://github.com/" + a.login,
		FollowersURL:      api + "/followers",
		FollowingURL:      api + "/following{/other_user}",
		GistsURL:          api + "/gists{/gist_id}",
		StarredURL:        api + "/starred{/owner}{/repo}",
		SubscriptionsURL:  api + "/subscriptions",
		OrganizationsURL:  api + "/orgs",
		ReposURL:          api + "/repos",
		EventsURL:         api + "/events{/privacy}",
		ReceivedEventsURL: api + "/received_events",
	}
}

// profile returns the account for a response about the account itself.
func (a *account) profile(f form, publicGists int) profileJSON {
	return profileJSON{
		userJSON: *a.short(f), PublicGists: publicGists,
		CreatedAt: seconds(a.created), UpdatedAt: seconds(a.created),
	}
}

// short returns the gist for a list.
func (p *ownedGist) short(f form) gistJSON {
	api, web := "https://api.github.com/gists/"+p.ID, "https://gist.github.com/"+p.ID
	g := gistJSON{
		URL: api, ForksURL: api + "/forks", CommitsURL: api + "/commits", CommentsURL: api + "/comments",
		ID: p.ID, NodeID: f.gistID(p), HTMLURL: web, GitPullURL: web + ".git", GitPushURL: web + ".git",
		Files: map[string]fileJSON{}, Public: !p.Secret, CreatedAt: seconds(p.CreatedAt), UpdatedAt: seconds(p.UpdatedAt),
		Comments: p.Comments, CommentsEnabled: true,
	}
	for _, one := range p.Files {
		g.Files[one.Name] = p.file(one)
	}
	if p.Description != "" || !p.NullDescription {
		g.Description = &p.Description
	}
	if !p.NoOwner {
		g.Owner = p.owner.short(f)
	}
	// GitHub docs, "Breaking changes", 2026-03-10: user is removed.
	if f.version == oldVersion {
		g.User = json.RawMessage("null")
	}
	return g
}

// full returns the gist for a response about the gist itself.
func (p *ownedGist) full(f form) gistJSON {
	g := p.short(f)
	if p.Fork {
		original := ownedGist{Gist: Gist{ID: "0123456789abcdef0123", CreatedAt: p.CreatedAt}, owner: p.owner}
		short := original.short(f)
		g.ForkOf = &short
	}
	for i, one := range p.Files {
		// GitHub docs, "Gists": the first 300 files.
		if g.Truncated = i == 300; g.Truncated {
			for _, other := range p.Files[i:] {
				delete(g.Files, other.Name)
			}
			break
		}
		j := g.Files[one.Name]
		j.setContent(one)
		g.Files[one.Name] = j
	}
	if f.version == oldVersion {
		g.Forks, g.History = json.RawMessage("[]"), json.RawMessage("[]")
	}
	return g
}

// setContent adds the content of a file. GitHub docs, "Gists": up to one megabyte of it.
func (j *fileJSON) setContent(f File) {
	text, truncated := f.text(), false
	if len(text) > 1<<20 {
		text, truncated = strings.ToValidUTF8(text[:1<<20], ""), true
	}
	j.Encoding = "utf-8"
	if f.Binary {
		text, j.Encoding = base64.StdEncoding.EncodeToString([]byte(text)), "base64"
	}
	j.Content, j.Truncated = &text, &truncated
}

func (p *ownedGist) file(f File) fileJSON {
	kind, _, _ := mime.ParseMediaType(mime.TypeByExtension(path.Ext(f.Name)))
	if kind == "" {
		kind = "text/plain"
	}
	j := fileJSON{Filename: f.Name, Type: kind, RawURL: p.rawURL(f), Size: f.Size}
	// The official description says string, but recorded responses have null for
	// unknown file types.
	if f.Language != "" {
		j.Language = &f.Language
	}
	return j
}

// seconds returns t in UTC and whole seconds, as in responses of both services.
func seconds(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }
