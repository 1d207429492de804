package sim

import (
	"errors"
	"fmt"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

// synthetic are users that are generated from their numbers whenever they are
// needed, so that a million of them take no memory. A change turns one into an
// ordinary account. Their generated gists are too old for the feed.
type synthetic struct {
	count int64
	now   time.Time      // when they were added
	gone  map[int64]bool // ids of deleted ones
}

const (
	firstSynthetic  = 100_000_000 // the id of synthetic user 0
	syntheticLogins = "Syn-"      // a number follows
)

// AddSyntheticUsers adds n users with between zero and a hundred gists, some of them
// secret, that are generated from the seed and the number of the user.
func (s *Sim) AddSyntheticUsers(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := &s.gitHub.synthetic
	if all.count == 0 {
		all.now = seconds(s.o.Now())
	}
	all.count += int64(n)
}

// SyntheticUser returns the first id and login of a synthetic user, counted from 0.
func SyntheticUser(n int) User {
	return User{ID: firstSynthetic + int64(n), Login: syntheticLogins + strconv.Itoa(n), Type: "User"}
}

// Publish posts a gist of the user with the id and returns the gist's id, "" if
// there is no such user.
func (s *Sim) Publish(userID int64) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.gitHub.byID(userID)
	if a == nil || a.suspended || a.kind != "User" {
		return ""
	}
	return s.gitHub.post(a).ID
}

// PublishRandom posts n gists, each of a random synthetic user, and returns their
// ids. There are fewer if random users were deleted, suspended or converted.
func (s *Sim) PublishRandom(n int) []string {
	ids := []string{}
	for range n {
		if id := s.Publish(s.randomSynthetic()); id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// randomSynthetic returns the id of a random synthetic user, 0 if there are none.
func (s *Sim) randomSynthetic() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gitHub.synthetic.count == 0 {
		return 0
	}
	return firstSynthetic + s.gitHub.rng.Int64N(s.gitHub.synthetic.count)
}

// post adds a realistic gist.
func (h *gitHub) post(a *account) *ownedGist {
	var g Gist
	descriptions[h.rng.IntN(len(descriptions))](h.rng, &g)
	return h.addGist(h.touch(a), g)
}

// byLogin returns the account with the login, or nil.
func (h *gitHub) byLogin(login string) *account {
	if a := h.logins[strings.ToLower(login)]; a != nil {
		return a
	}
	n := len(syntheticLogins)
	if len(login) <= n || !strings.EqualFold(login[:n], syntheticLogins) {
		return nil
	}
	k, err := strconv.ParseInt(login[n:], 10, 64)
	if err != nil || strconv.FormatInt(k, 10) != login[n:] {
		return nil
	}
	return h.generate(k)
}

// byID returns the account with the id, or nil.
func (h *gitHub) byID(id int64) *account {
	if a := h.accounts[id]; a != nil {
		return a
	}
	return h.generate(id - firstSynthetic)
}

// gistByID returns the gist with the id, or nil.
func (h *gitHub) gistByID(id string) *ownedGist {
	if p := h.gists[id]; p != nil || len(id) != 32 {
		return p
	}
	k, err := strconv.ParseInt(id[:8], 16, 64)
	if err != nil {
		return nil
	}
	if a := h.generate(k); a != nil {
		for _, p := range a.gists.items {
			if p.ID == id {
				return p
			}
		}
	}
	return nil
}

// touch turns a generated user into an ordinary account.
func (h *gitHub) touch(a *account) *account {
	if h.accounts[a.id] != nil {
		return a
	}
	h.register(a)
	for _, p := range a.gists.items {
		h.gists[p.ID] = p
	}
	return a
}

// toChange returns the account with the login for a change, or nil.
func (h *gitHub) toChange(login string) *account {
	a := h.byLogin(login)
	if a == nil {
		return nil
	}
	return h.touch(a)
}

// gistToChange returns the gist with the id for a change, or nil.
func (h *gitHub) gistToChange(id string) *ownedGist {
	p := h.gistByID(id)
	if p != nil {
		h.touch(p.owner)
	}
	return p
}

// generate returns synthetic user k, or nil if there is none or it is an ordinary
// account now.
func (h *gitHub) generate(k int64) *account {
	id := firstSynthetic + k
	if k < 0 || k >= h.synthetic.count || h.accounts[id] != nil || h.synthetic.gone[id] {
		return nil
	}
	a := &account{id: id, login: syntheticLogins + strconv.FormatInt(k, 10), kind: "User", created: h.synthetic.now.AddDate(-15, 0, 0)}
	n := gistCount(h.random(k, -1))
	if h.o.EmptySynthetic {
		n = 0
	}
	a.gists = gistList{items: make([]*ownedGist, n), sorted: true}
	for i := range n {
		a.gists.items[i] = h.generateGist(a, k, i, n)
	}
	return a
}

// gistCount returns the number of gists of a user: mostly none or a few, rarely up to
// a hundred.
func gistCount(random uint64) int {
	share, n := random%100, random>>32
	switch {
	case share < 40:
		return 0
	case share < 90:
		return int(1 + n%3)
	case share < 99:
		return int(4 + n%20)
	default:
		return int(24 + n%76)
	}
}

// generateGist returns the i-th of the n gists of synthetic user k, counted from the
// oldest. The user's number is in its id.
func (h *gitHub) generateGist(a *account, k int64, i, n int) *ownedGist {
	const years = 10 * 365 * 24 * time.Hour
	r := h.random(k, i)
	name := fileNames[r>>8%uint64(len(fileNames))]
	g := Gist{
		ID:          fmt.Sprintf("%08x%016x%08x", k, r, i),
		Description: topics[r>>16%uint64(len(topics))],
		Files:       []File{{Name: name, Size: int(1 + r>>24%20_000), Language: languages[path.Ext(name)]}},
		Secret:      r>>40%20 == 0,
		CreatedAt:   h.synthetic.now.Add(-years / time.Duration(n+1) * time.Duration(n-i)).Add(-time.Duration(r%86_400) * time.Second),
	}
	g.UpdatedAt = g.CreatedAt
	return &ownedGist{Gist: g, owner: a, shown: g.CreatedAt, generated: true}
}

// random returns a number that depends only on the seed and the arguments.
func (h *gitHub) random(k int64, i int) uint64 {
	return mix(mix(h.o.Seed+0x9e3779b97f4a7c15*uint64(k+1)) + uint64(i+1))
}

// postSynthetic serves the control route that adds synthetic users.
func (s *Sim) postSynthetic(r *http.Request) (any, error) {
	var body struct {
		Users int `json:"users"`
	}
	if err := decodeBody(r, &body); err != nil {
		return nil, err
	}
	if body.Users < 1 {
		return nil, errors.New("users is not positive")
	}
	s.AddSyntheticUsers(body.Users)
	return map[string]any{"users": body.Users, "first_id": SyntheticUser(0).ID, "first_login": SyntheticUser(0).Login}, nil
}

// postPublish serves the control route that posts gists of users by their ids, and of
// random synthetic users.
func (s *Sim) postPublish(r *http.Request) (any, error) {
	var body struct {
		Users  []int64 `json:"users"`
		Random int     `json:"random"`
	}
	if err := decodeBody(r, &body); err != nil {
		return nil, err
	}
	ids := []string{}
	for _, user := range body.Users {
		id := s.Publish(user)
		if id == "" {
			return nil, fmt.Errorf("user %d: %w", user, errNotFound)
		}
		ids = append(ids, id)
	}
	return map[string][]string{"gists": append(ids, s.PublishRandom(body.Random)...)}, nil
}
