package sim

import (
	"cmp"
	"encoding/binary"
	"hash/fnv"
	"net/http"
	"slices"
	"time"
)

// GitHub docs, "List public gists": "you can fetch up to 3000 gists".
const maxPublic = 3_000

// feed is GitHub's list of all new public gists, in both orders that it may have.
// GitHub's documentation says "sorted by most recently updated"; all recorded lists
// are sorted by created_at.
type feed struct {
	created, updated gistList
	omitted          map[string]bool // gists that the feed leaves out
	strangers        strangers
}

func newFeed(seed uint64) feed {
	return feed{updated: gistList{by: updatedAt}, omitted: map[string]bool{}, strangers: newStrangers(seed)}
}

func (f *feed) add(p *ownedGist) {
	f.created.add(p)
	f.updated.add(p)
}

func (f *feed) remove(gone func(*ownedGist) bool) {
	f.created.remove(gone)
	f.updated.remove(gone)
}

// publicGists lists the newest gists of all users.
func (h *gitHub) publicGists(c *call) response {
	since, ok := since(c)
	if !ok {
		return badSince()
	}
	if page, perPage := paging(c.URL.Query()); page > (maxPublic+perPage-1)/perPage {
		return invalid("In order to keep the API fast for everyone, pagination is limited for this resource.")
	}
	list := &h.feed.created
	if h.o.FeedByUpdate {
		list = &h.feed.updated
	}
	return h.page(c, "/gists/public", list.newest(maxPublic, func(p *ownedGist) bool {
		return h.inFeed(p, c.now) && !p.UpdatedAt.Before(since)
	}))
}

// inFeed reports whether the feed has the gist. Each gist has a lag of its own, so a
// gist may appear after a newer one.
func (h *gitHub) inFeed(p *ownedGist, now time.Time) bool {
	if p.Secret || p.owner.suspended || h.feed.omitted[p.ID] {
		return false
	}
	if h.o.FeedOmits > 0 && h.chance("omitted", p.ID) < h.o.FeedOmits {
		return false
	}
	if h.o.FeedLagMax == 0 {
		return true
	}
	lag := h.o.FeedLagMin + time.Duration(h.chance("lag", p.ID)*float64(h.o.FeedLagMax-h.o.FeedLagMin))
	return !now.Before(p.shown.Add(lag))
}

// chance returns a number of at least 0 and less than 1 that depends only on the seed
// and the arguments.
func (h *gitHub) chance(purpose, id string) float64 {
	sum := fnv.New64a()
	_, _ = sum.Write(binary.BigEndian.AppendUint64(nil, h.o.Seed)) // never fails
	_, _ = sum.Write([]byte(purpose + id))
	return float64(mix(sum.Sum64())>>11) / (1 << 53)
}

// mix spreads the bits of a number, as SplitMix64 does.
func mix(n uint64) uint64 {
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}

// OmitFromFeed leaves a gist out of the feed, or shows it again if omit is false. The
// lists of its author do not change.
func (s *Sim) OmitFromFeed(id string, omit bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if omit {
		s.gitHub.feed.omitted[id] = true
		return
	}
	delete(s.gitHub.feed.omitted, id)
}

// MakePublic makes a secret gist public. Its created_at stays, so its place in lists
// sorted by created_at is an old one. It reports whether the gist was secret.
// Nothing says whether GitHub changes updated_at; see Options.QuietFlips.
func (s *Sim) MakePublic(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.gitHub.gistToChange(id)
	if p == nil || !p.Secret {
		return false
	}
	s.gitHub.edit(p, func(g *Gist) { g.Secret = false }, s.o.QuietFlips)
	return true
}

// edit changes a gist. Unless edit or quiet says otherwise, it sets UpdatedAt to now.
func (h *gitHub) edit(p *ownedGist, edit func(*Gist), quiet bool) {
	before := p.Gist
	before.Files = slices.Clone(before.Files)
	edit(&p.Gist)
	p.measure()
	if !slices.Equal(p.Files, before.Files) {
		p.revision++
	}
	p.ID = before.ID
	now := h.o.Now()
	if p.UpdatedAt.Equal(before.UpdatedAt) && !quiet {
		p.UpdatedAt = now
	}
	if before.Secret && !p.Secret {
		p.shown = now
		if p.generated {
			p.generated = false
			h.feed.add(p)
		}
	}
	p.owner.gists.sorted, h.feed.created.sorted, h.feed.updated.sorted = false, false, false
}

// gistList holds gists. newest sorts them, oldest first.
type gistList struct {
	items  []*ownedGist
	sorted bool
	by     func(*ownedGist) time.Time // nil is createdAt
}

func createdAt(p *ownedGist) time.Time { return p.CreatedAt }

func updatedAt(p *ownedGist) time.Time { return p.UpdatedAt }

func (s *gistList) time(p *ownedGist) time.Time {
	if s.by == nil {
		return createdAt(p)
	}
	return s.by(p)
}

// add keeps a sorted list sorted if the gist is the newest.
func (s *gistList) add(p *ownedGist) {
	if n := len(s.items); n > 0 && s.time(p).Before(s.time(s.items[n-1])) {
		s.sorted = false
	}
	s.items = append(s.items, p)
}

func (s *gistList) remove(gone func(*ownedGist) bool) { s.items = slices.DeleteFunc(s.items, gone) }

// newest returns at most limit gists for which show is true, newest first; a
// limit of 0 returns all.
func (s *gistList) newest(limit int, show func(*ownedGist) bool) []*ownedGist {
	if !s.sorted {
		slices.SortStableFunc(s.items, func(a, b *ownedGist) int { return s.time(a).Compare(s.time(b)) })
		s.sorted = true
	}
	limit = cmp.Or(limit, len(s.items))
	var list []*ownedGist
	for _, p := range slices.Backward(s.items) {
		if len(list) == limit {
			break
		}
		if show(p) {
			list = append(list, p)
		}
	}
	return list
}

// postStrangers serves the control route that posts gists of strangers.
func (s *Sim) postStrangers(r *http.Request) (any, error) {
	var body struct {
		Gists int      `json:"gists"`
		Over  duration `json:"over"`
	}
	if err := decodeBody(r, &body); err != nil {
		return nil, err
	}
	s.PostStrangers(body.Gists, time.Duration(body.Over))
	return map[string]int{"gists": body.Gists}, nil
}

// postOmitted serves the control route that leaves gists out of the feed.
func (s *Sim) postOmitted(r *http.Request) (any, error) {
	var body struct {
		IDs  []string `json:"ids"`
		Omit *bool    `json:"omit"` // default true
	}
	if err := decodeBody(r, &body); err != nil {
		return nil, err
	}
	for _, id := range body.IDs {
		s.OmitFromFeed(id, body.Omit == nil || *body.Omit)
	}
	return map[string]int{"gists": len(body.IDs)}, nil
}
