package gistdeal

import "time"

// FeedGist is a gist in the feed, GitHub's list of all new public gists, with the login of
// its owner.
type FeedGist struct {
	Gist
	Login string
}

// Feed is the state of reading the feed. The zero value means that it was never read.
type Feed struct {
	ETag   string        `json:"etag,omitempty"` // of the first page
	ReadAt time.Time     `json:"read_at,omitzero"`
	GapAt  time.Time     `json:"gap_at,omitzero"` // when gists may have left the feed unread; zero if never
	Reach  time.Duration `json:"reach,omitempty"` // how far the feed reaches back; 0 if unknown
	Seen   int64         `json:"seen,omitempty"`  // the number of gists ever seen, which orders them
}

// GitHub offers 30 pages of 100 gists (GitHub docs, "List public gists").
const (
	FeedPages    = 30
	FeedCapacity = 3000
)
