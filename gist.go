package gistdeal

import (
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

// Gist is a public gist of a tracked user, keyed by its gist id.
type Gist struct {
	ID          string    `json:"id"`
	UserID      int64     `json:"-"`
	OwnerID     int64     `json:"-"` // from GitHub's answer; 0 for a gist without an owner
	Description string    `json:"description"`
	Files       []File    `json:"files" doc:"Sorted by name."`
	CreatedAt   time.Time `json:"created_at,omitzero"`
	UpdatedAt   time.Time `json:"updated_at,omitzero" doc:"When the gist last changed on GitHub, where stars count as changes. Left out if it is not known yet."`
	Comments    *int      `json:"comments,omitempty" doc:"The number of comments on GitHub, as of the last read. Left out if it is not known yet."`
	Fork        *bool     `json:"fork,omitempty" doc:"Whether the gist is a fork of another one. Left out if it is not known: GitHub's lists of gists do not say it."`
	// FirstLines are those of GistDetails, as of the same change of the gist; nil if they are not known.
	FirstLines map[string]string `json:"-"`

	Seq int64 `json:"seq" doc:"The position of the gist in the order in which gists of all users were first read."` // from 1; 0 before the gist is stored
}

// GistDetails are facts of a gist that GitHub tells only if it is asked about this gist alone.
type GistDetails struct {
	Public bool // everybody can find it
	Fork   bool
	// FirstLines are the beginnings of the files that are texts, by name, as FirstLines returns
	// them: MaxFirstLines bytes of all.
	FirstLines map[string]string
}

// MaxFirstLines is how many bytes of all files of a gist its GistDetails have.
const MaxFirstLines = 5_000

// FirstLines returns the beginning of a text, at most 20 lines and 1,000 bytes, and "" for other
// data than texts.
func FirstLines(content string) string {
	const lines, size = 20, 1_000
	content = content[:min(len(content), size+utf8.UTFMax)] // The last character is whole.
	if strings.Contains(content, "\x00") {
		return ""
	}
	content = strings.ReplaceAll(strings.TrimPrefix(StorableText(content), "\uFEFF"), "\r\n", "\n")
	all := strings.SplitN(CutBytes(content, size), "\n", lines+1)
	return strings.TrimSpace(strings.Join(all[:min(len(all), lines)], "\n"))
}

// FactsKnown reports whether GitHub's answer about the gist is stored: the sizes and
// languages of its files, and when it last changed.
func (g Gist) FactsKnown() bool { return !g.UpdatedAt.IsZero() }

// Size returns the size of all files in bytes; 0 if FactsKnown is false.
func (g Gist) Size() int {
	size := 0
	for _, f := range g.Files {
		size += f.Size
	}
	return size
}

// File is one file of a gist.
type File struct {
	Name     string `json:"name"`
	RawURL   string `json:"raw_url"`
	Type     string `json:"type,omitempty" doc:"The media type, such as text/plain; left out if it is not known."`
	Language string `json:"language,omitempty" doc:"The language by GitHub, such as Go; left out if GitHub names none."`
	Size     int    `json:"size" doc:"The size in bytes; 0 if it is not known yet."`
}

// GistDeal is a stored gist with its deal.
type GistDeal struct {
	Gist
	Deal
}

// UserGist is a stored gist as a visitor sees it.
type UserGist struct {
	GistDeal
	Login string `json:"login"`
	New   bool   `json:"new" doc:"Whether gistdeal first read the gist after your last visit to its user."`

	Owner     int64     `json:"user_id" doc:"The user's number on GitHub; id: and this number name the user in paths."`
	NoticedAt time.Time `json:"noticed_at" doc:"When gistdeal first read the gist."`
	ChangedAt time.Time `json:"changed_at,omitzero" doc:"When gistdeal last stored a change of the gist: it was noticed, GitHub told other facts about it, or it went or came back there."`
}

// GistQuery selects gists of all users, the last noticed first unless ByChange is true.
type GistQuery struct {
	Visitor      string
	OnlyNew      bool      // only those that are new to the visitor
	Since        time.Time // only those noticed since; zero means all
	ChangedSince time.Time // only those that changed since; zero means all
	NoBackfill   bool      // without those that existed before their user was tracked
	ByChange     bool      // in the order of their last changes, and of their ids
	After        GistPlace
	Limit        int
}

// GistPlace is the place of a gist in a list; zero is the begin.
type GistPlace struct {
	Seq       int64
	ChangedAt time.Time
	ID        string
}

// Place returns the place of the gist.
func (g UserGist) Place() GistPlace { return GistPlace{g.Seq, g.ChangedAt, g.ID} }

// GistURL returns the URL of a gist's page in its usual form, with the login.
func GistURL(login, gistID string) string {
	return "https://gist.github.com/" + login + "/" + gistID
}

// RawURL returns a URL of the newest content of a gist's file, for files whose URL GitHub has
// not told.
func RawURL(login, gistID, name string) string {
	return "https://gist.githubusercontent.com/" + url.PathEscape(login) + "/" + gistID + "/raw/" + url.PathEscape(name)
}

// NewGistPolicy decides about the deals of new gists in a scan. With the zero value
// all of them are queued.
type NewGistPolicy struct {
	First      bool      // the scan is the user's first
	Feed       bool      // the gists are from the feed, not from a scan
	SkipBefore time.Time // deals of gists created before this time are skipped; zero skips none
	Hold       bool      // deals await approval until the scan ends
	Order      PushOrder // of the user's deals
	Before     int       // number of gists on the pages before
	Total      int       // number of gists on all pages, at least; only PushOldest needs it
	Prompt     bool      // somebody waits for the user: ten deals in each turn of another user
	// Decisions are those of the rules by gist id; nil if there are no rules.
	Decisions map[string]Decision
}

// ApprovalLimits are the limits on the new deals of one user that are queued without
// approval; 0 means no limit.
type ApprovalLimits struct {
	Threshold int // deals of a batch, that is of one scan, or of 24 hours without backfills; a larger batch awaits approval
	Daily     int // deals of 24 hours; only those over it await approval
}

// PushOrder says which deals of one user are pushed first.
type PushOrder string

// The deals of the newest gists, or those of the oldest.
const (
	PushNewest PushOrder = "newest"
	PushOldest PushOrder = "oldest"
)

// Place returns the distance of a deal from the head of the queue when it is queued. Deals
// of several users with the same places take turns. PushOldest needs Hold, so that the
// pages of a first scan are queued together. i is the position of its gist on the
// page, from 0.
func (n NewGistPolicy) Place(i int) int64 {
	position := n.Before + i
	if n.Order == PushOldest {
		position = max(n.Total-1-position, 0)
	}
	if n.Prompt {
		return int64(position)
	}
	return 10 * int64(position)
}

// GistPage is one page of a user's gists.
type GistPage struct {
	Gists []Gist
	Pages int // number of all pages, by GitHub's current count
}

// Listing is the summary of reading a user's gist list.
type Listing struct {
	ETag        string // of page 1; "" if the answer had none
	Pages       int    // number of pages read; 0 if not modified
	Requests    int    // number of requests sent, including failed ones
	NotModified bool   // page 1 still matches the given ETag
	Confirmed   bool   // although NotModified, GitHub was asked whether the login is still the user's
}
