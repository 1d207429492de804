package push

import (
	"sync"
	"time"
)

// lately is how long a created deal shows that the account may create deals.
const lately = 5 * time.Minute

// forbidden decides whether a 403 to the POST of a deal is about that deal or about the
// account: without the permission to add deals, Pipedrive forbids each of them.
type forbidden struct {
	mu      sync.Mutex
	created int            // deals so far
	last    time.Time      // when the last one was created
	seen    map[string]int // created at the time of a gist's last 403, by gist id
	first   string         // gist of the first 403 since a deal was created; "" without one
}

// add records a 403. alone reports whether it is about this deal: the gist has got one
// before, and Pipedrive creates other deals. all reports whether it is about the account,
// as far as can be seen.
func (f *forbidden) add(gistID string) (alone, all bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	before, again := f.seen[gistID]
	another := f.first != "" && f.first != gistID
	if again && (f.created > before || !another && f.created > 0 && time.Since(f.last) < lately) {
		delete(f.seen, gistID)
		return true, false
	}
	if f.seen == nil {
		f.seen = map[string]int{}
	}
	f.seen[gistID] = f.created
	if f.first == "" {
		f.first = gistID
	}
	return false, another || again
}

// success records that Pipedrive created the deal of a gist.
func (f *forbidden) success(gistID string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.created++
	f.last, f.first = time.Now(), ""
	delete(f.seen, gistID)
}

// total returns the number of deals created so far.
func (f *forbidden) total() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.created
}
