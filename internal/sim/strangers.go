package sim

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// strangers are the many users of GitHub that nobody tracks, but whose gists are in
// the feed. Only their newest gists are kept.
type strangers struct {
	rng   *rand.Rand // its own, so that strangers change no other data of a seed
	gists []*ownedGist
}

const (
	strangerCount   = 100_000
	firstStranger   = 400_000_000   // the id of stranger 0, above all other ids
	keptByStrangers = 2 * maxPublic // more than the feed has, so that deletions do not shorten it
)

func newStrangers(seed uint64) strangers {
	return strangers{rng: rand.New(rand.NewPCG(seed, 5))}
}

// PostStrangers posts n gists of random users that are not in the report, spread
// over the time until now. They are old when many newer ones have followed, and then
// the simulator drops them.
func (s *Sim) PostStrangers(n int, over time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h, now := s.gitHub, s.o.Now()
	for i := range n {
		h.postStranger(now.Add(-over / time.Duration(n) * time.Duration(n-1-i)))
		if len(h.feed.strangers.gists) >= 2*keptByStrangers {
			h.dropStrangers()
		}
	}
}

func (h *gitHub) postStranger(at time.Time) {
	r := h.feed.strangers.rng
	k := r.Int64N(strangerCount)
	a := h.accounts[firstStranger+k]
	if a == nil {
		a = &account{id: firstStranger + k, login: fmt.Sprintf("stranger-%d", k), kind: "User", stranger: true, created: at.AddDate(-5, 0, 0)}
		h.register(a)
	}
	g := Gist{ID: fmt.Sprintf("%016x%016x", r.Uint64(), r.Uint64()), CreatedAt: at, Description: topic(r), Files: files(r, 1)}
	h.feed.strangers.gists = append(h.feed.strangers.gists, h.addGist(a, g))
}

// dropStrangers forgets the older half of the gists of strangers, and the strangers
// without others.
func (h *gitHub) dropStrangers() {
	list := h.feed.strangers.gists
	gone := map[*ownedGist]bool{}
	for _, p := range list[:len(list)-keptByStrangers] {
		gone[p] = true
		delete(h.gists, p.ID)
		p.owner.gists.remove(func(q *ownedGist) bool { return q == p })
		if len(p.owner.gists.items) == 0 {
			h.forget(p.owner)
		}
	}
	h.feed.remove(func(p *ownedGist) bool { return gone[p] })
	h.feed.strangers.gists = append([]*ownedGist(nil), list[len(list)-keptByStrangers:]...)
}
