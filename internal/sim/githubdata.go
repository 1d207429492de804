package sim

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"time"
)

// User is a GitHub account.
type User struct {
	Login string
	ID    int64  // 0 assigns one
	Type  string // "User" (default) or "Organization"
	Gists []Gist
}

// Gist is a gist as written by its author.
type Gist struct {
	ID               string
	Description      string
	NullDescription  bool // an empty Description is null in responses
	EmptyDescription bool // an empty Description stays empty, and none is generated
	Files            []File
	NoFiles          bool // the gist has no files, and none are generated
	Secret           bool
	NoOwner          bool // the response has no owner
	Fork             bool // it is a fork of another gist; lists do not say so
	CreatedAt        time.Time
	UpdatedAt        time.Time
	Comments         int
}

// File is one file of a gist.
type File struct {
	Name     string
	Language string // "" if GitHub does not know the file type
	Size     int    // that of Text, if there is one
	Text     string // "" for one of this size
	Binary   bool   // it is no text
}

// gitHub has the accounts and gists of GitHub.
type gitHub struct {
	o         *Options
	rng       *rand.Rand
	accounts  map[int64]*account
	logins    map[string]*account   // by lower-case login
	former    map[string]bool       // lower-case logins that a user had before a rename
	gists     map[string]*ownedGist // by gist id
	feed      feed
	synthetic synthetic
	quotas    map[string]*quota // by Authorization header
	lastID    int64
	refused   int
	graphQL   *graphQL
}

// account is a user or organization with its gists.
type account struct {
	id      int64
	login   string
	kind    string
	created time.Time
	gists   gistList

	stranger    bool // its gists are not in the report
	suspended   bool
	mostPerPage int // gists on a page of its lists; 0 means GitHub's limit
}

// ownedGist is a gist with its owner.
type ownedGist struct {
	Gist
	owner     *account
	revision  int64     // raised by each change of a file
	generated bool      // of a synthetic user, before any change: not in the feed, nor in the report
	shown     time.Time // when others could first see it: its creation, or when it was made public
}

func newGitHub(o *Options) *gitHub {
	h := &gitHub{
		o: o, rng: rand.New(rand.NewPCG(o.Seed, 1)), lastID: 1_000,
		accounts: map[int64]*account{}, logins: map[string]*account{}, former: map[string]bool{},
		gists: map[string]*ownedGist{}, quotas: map[string]*quota{}, feed: newFeed(o.Seed), synthetic: synthetic{gone: map[int64]bool{}},
	}
	h.graphQL = &graphQL{h: h, quotas: map[string]*quota{}}
	return h
}

// AddUser adds an account and returns its id. If the login exists, AddUser adds
// the gists to that account.
func (s *Sim) AddUser(u User) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.gitHub.account(u)
	for _, g := range u.Gists {
		s.gitHub.addGist(a, g)
	}
	return a.id
}

// AddGist adds a gist of a user and returns the gist's id. It adds the user if
// it does not exist, generates values for zero fields, and replaces an existing
// gist with the same id. The default of CreatedAt is now.
func (s *Sim) AddGist(login string, g Gist) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gitHub.addGist(s.gitHub.account(User{Login: login}), g).ID
}

// EditGist changes a gist as its author would. It sets UpdatedAt to now unless
// edit changes it. It does nothing if the gist does not exist. edit must not
// call the simulator.
func (s *Sim) EditGist(id string, edit func(*Gist)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.gitHub.gistToChange(id); p != nil {
		s.gitHub.edit(p, edit, false)
	}
}

// DeleteGist deletes a gist. It reports whether the gist existed.
func (s *Sim) DeleteGist(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.gitHub.gistToChange(id)
	if p == nil {
		return false
	}
	s.gitHub.removeGist(p)
	return true
}

// RenameUser changes a user's login. The old login is unknown afterwards. It does
// nothing if the user does not exist.
func (s *Sim) RenameUser(login, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.gitHub.toChange(login)
	if a == nil {
		return
	}
	delete(s.gitHub.logins, strings.ToLower(login))
	s.gitHub.former[strings.ToLower(login)] = true
	a.login = name
	s.gitHub.logins[strings.ToLower(name)] = a
}

// DeleteUser deletes a user and its gists. It does nothing if the user does not
// exist.
func (s *Sim) DeleteUser(login string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.gitHub.toChange(login)
	if a == nil {
		return
	}
	for _, p := range slices.Clone(a.gists.items) {
		s.gitHub.removeGist(p)
	}
	s.gitHub.forget(a)
}

// SuspendUser hides a user and its gists, or shows them again if suspended is
// false. It does nothing if the user does not exist.
func (s *Sim) SuspendUser(login string, suspended bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.gitHub.toChange(login); a != nil {
		a.suspended = suspended
	}
}

// ConvertUser turns a user into an organization. It does nothing if the user does
// not exist. GitHub docs, "Converting a user into an organization": nobody can
// create or change its gists afterwards. The documentation does not say whether
// GitHub still lists them; the simulator does not.
func (s *Sim) ConvertUser(login string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.gitHub.toChange(login); a != nil {
		a.kind = "Organization"
	}
}

// account returns the account with the login of u. It adds the account if it does
// not exist.
func (h *gitHub) account(u User) *account {
	if a := h.toChange(u.Login); a != nil {
		return a
	}
	if u.Type == "" {
		u.Type = "User"
	}
	if u.ID == 0 {
		u.ID = h.lastID + 1 + h.rng.Int64N(100)
	}
	h.lastID = max(h.lastID, u.ID)
	a := &account{id: u.ID, login: u.Login, kind: u.Type, created: h.o.Now().AddDate(-15, 0, 0)}
	h.register(a)
	return a
}

func (h *gitHub) register(a *account) {
	h.accounts[a.id], h.logins[strings.ToLower(a.login)] = a, a
}

func (h *gitHub) forget(a *account) {
	delete(h.accounts, a.id)
	delete(h.logins, strings.ToLower(a.login))
	if k := a.id - firstSynthetic; k >= 0 && k < h.synthetic.count {
		h.synthetic.gone[a.id] = true
	}
}

// addGist adds a gist to its author's list and to the feed. It replaces an
// existing gist with the same id.
func (h *gitHub) addGist(a *account, g Gist) *ownedGist {
	g.Files = slices.Clone(g.Files)
	h.fill(&g)
	if old := h.gists[g.ID]; old != nil {
		h.removeGist(old)
	}
	p := &ownedGist{Gist: g, owner: a, shown: g.CreatedAt}
	h.gists[p.ID] = p
	a.gists.add(p)
	h.feed.add(p)
	return p
}

func (h *gitHub) removeGist(p *ownedGist) {
	delete(h.gists, p.ID)
	same := func(q *ownedGist) bool { return q == p }
	p.owner.gists.remove(same)
	h.feed.remove(same)
}

func (h *gitHub) hex(digits int) string {
	const characters = "0123456789abcdef"
	var b strings.Builder
	for range digits {
		b.WriteByte(characters[h.rng.IntN(len(characters))])
	}
	return b.String()
}

// rawURL returns the address of a file's content, which changes with the files alone.
func (p *ownedGist) rawURL(f File) string {
	return fmt.Sprintf("https://gist.githubusercontent.com/%s/%s/raw/%040x/%s", p.owner.login, p.ID, p.CreatedAt.Unix()+p.revision, url.PathEscape(f.Name))
}
