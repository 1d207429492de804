package gistdeal

import "time"

// Gist is a public gist of a tracked user, keyed by its gist id.
type Gist struct {
	ID          string    `json:"id"`
	UserID      int64     `json:"-"`
	OwnerID     int64     `json:"-"` // as GitHub said; 0 for a gist without an owner
	Description string    `json:"description"`
	Files       []File    `json:"files" doc:"Sorted by name."`
	CreatedAt   time.Time `json:"created_at,omitzero"`
	Seq         int64     `json:"seq" doc:"The order in which gists were noticed, over all users."` // from 1; 0 before it is stored
}

// File is one file of a gist.
type File struct {
	Name   string `json:"name"`
	RawURL string `json:"raw_url"`
}

// GistDeal is a stored gist with where its deal stands.
type GistDeal struct {
	Gist
	Deal
}

// UserGist is a stored gist with the login of its user, and whether it is new
// to a visitor.
type UserGist struct {
	GistDeal
	Login string `json:"login"`
	New   bool   `json:"new" doc:"It was noticed since your last visit to its user."`
}

// GistURL returns the address of a gist's page, as people and the seed write it.
func GistURL(login, gistID string) string {
	return "https://gist.github.com/" + login + "/" + gistID
}

// NewGistPolicy decides about the deals of new gists in a scan; by the zero value all
// of them are queued.
type NewGistPolicy struct {
	First      bool      // the user's first scan
	SkipBefore time.Time // gists created before get no deal; zero: none is skipped
	Hold       bool      // deals wait for the end of the first scan
}

// GistPage is one page of a user's gists.
type GistPage struct {
	Gists []Gist
	Pages int // in all, as GitHub counts them now
}

// Listing has the totals of reading a user's gists.
type Listing struct {
	ETag        string // of page 1; "" if the answer had none
	Pages       int    // pages read, 0 if not modified
	Requests    int    // requests that reading took
	NotModified bool   // page 1 is the one that the given ETag stands for
}
