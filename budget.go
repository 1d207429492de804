package gistdeal

import "time"

// Budget is how many requests a remote allows within some time and what is left
// of them, as its newest answer told. All of Limit is there again after Reset.
type Budget struct {
	Name             string // which one: "github-hour" ...
	Limit, Remaining int    // in the remote's own units; Limit 0 = not known yet
	Reset, SeenAt    time.Time
}
