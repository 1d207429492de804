package gistdeal

import "time"

// Gist is a public gist of a tracked user, keyed by its gist id.
type Gist struct {
	ID          string
	UserID      int64
	OwnerID     int64  // as GitHub said; 0 for a gist without an owner
	Description string // "" for none
	Files       []File // sorted by name
	CreatedAt   time.Time
	Seq         int64 // order of noticing over all users, from 1; 0 before it is stored
}

// File is one file of a gist.
type File struct {
	Name   string `json:"name"`
	RawURL string `json:"raw_url"`
}

// GistDeal is a stored gist with where its deal stands.
type GistDeal struct {
	Gist
	Deal Deal
}

// UserGist is a stored gist with whose it is, and whether it is new to who asks.
type UserGist struct {
	GistDeal
	Login string
	New   bool
}

// GistURL returns the address of a gist's page, as people and the seed write it.
func GistURL(login, gistID string) string {
	return "https://gist.github.com/" + login + "/" + gistID
}

// Noticing says what a scan makes of gists that were never seen before; the
// zero value, deals for all of them.
type Noticing struct {
	First      bool      // the user's first scan
	SkipBefore time.Time // gists created before get no deal; zero: none is skipped
	Hold       bool      // deals wait for the end of the first scan
}

// GistPage is one page of a user's gists.
type GistPage struct {
	Gists []Gist
	Pages int // in all, as GitHub counts them now
}

// Listing is what reading a user's gists to the last page gave, beside the gists.
type Listing struct {
	ETag        string // of page 1; "" if the answer had none
	Pages       int    // pages read, 0 if not modified
	Requests    int    // requests that reading took
	NotModified bool   // page 1 is the one that the given ETag stands for
}
