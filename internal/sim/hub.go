package sim

import (
	"encoding/base64"
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
	ID    int64  // 0 = assigned
	Type  string // "User" (default) or "Organization"
	Gists []Gist
}

// Gist is a gist as its author left it.
type Gist struct {
	ID               string
	Description      string
	NullDescription  bool // GitHub says null for an empty Description
	EmptyDescription bool // an empty Description is meant, not one to be filled in
	Files            []File
	NoFiles          bool // no files are meant, not some to be filled in
	Secret           bool
	NoOwner          bool // the answer has no owner
	CreatedAt        time.Time
	UpdatedAt        time.Time
	Comments         int
}

// File is one file of a gist.
type File struct {
	Name     string
	Language string // "" for a type that GitHub does not know
	Size     int
}

// hub is GitHub: its accounts and gists.
type hub struct {
	o        *Options
	rng      *rand.Rand
	accounts map[int64]*account
	logins   map[string]*account // by lower-case login
	posts    map[string]*post    // by gist id
	feed     shelf
	quotas   map[string]*quota // by Authorization header
	lastID   int64
	refused  int
}

// account is a user and what it has posted.
type account struct {
	id      int64
	login   string
	kind    string
	created time.Time
	shelf   shelf

	suspended bool
}

// post is a gist in its place.
type post struct {
	Gist
	by *account
}

// shelf holds posts in the order of their making, oldest first.
type shelf struct {
	posts  []*post
	sorted bool
}

func (s *shelf) add(p *post) { s.posts, s.sorted = append(s.posts, p), false }

func (s *shelf) remove(p *post) {
	s.posts = slices.DeleteFunc(s.posts, func(q *post) bool { return q == p })
}

// newest returns at most limit posts that show is true for, newest first; limit 0 = all.
// Every recording of GitHub's lists is sorted by created_at, whatever its documents say.
func (s *shelf) newest(limit int, show func(*post) bool) []*post {
	if !s.sorted {
		slices.SortStableFunc(s.posts, func(a, b *post) int { return a.CreatedAt.Compare(b.CreatedAt) })
		s.sorted = true
	}
	var list []*post
	for _, p := range slices.Backward(s.posts) {
		if limit > 0 && len(list) == limit {
			break
		}
		if show(p) {
			list = append(list, p)
		}
	}
	return list
}

func newHub(o *Options) *hub {
	return &hub{
		o: o, rng: rand.New(rand.NewPCG(o.Seed, 1)), lastID: 1_000,
		accounts: map[int64]*account{}, logins: map[string]*account{},
		posts: map[string]*post{}, quotas: map[string]*quota{},
	}
}

// AddUser makes an account, or adds the gists to the one with that login, and
// returns its id.
func (s *Sim) AddUser(u User) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.hub.account(u)
	for _, g := range u.Gists {
		s.hub.post(a, g)
	}
	return a.id
}

// AddGist posts a gist of a user, made if it does not exist, and returns the
// gist's id. Zero fields are filled in; it is new unless it says when it was
// made, and takes the place of one with its id.
func (s *Sim) AddGist(login string, g Gist) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hub.post(s.hub.account(User{Login: login}), g).ID
}

// EditGist changes a gist as its author would; an edit that does not say when
// it was made is made now. It does nothing to a gist that does not exist. edit
// must not call the simulator.
func (s *Sim) EditGist(id string, edit func(*Gist)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.hub.posts[id]
	if p == nil {
		return
	}
	before := p.UpdatedAt
	edit(&p.Gist)
	p.ID = id
	if p.UpdatedAt.Equal(before) {
		p.UpdatedAt = s.o.Now()
	}
	p.by.shelf.sorted, s.hub.feed.sorted = false, false
}

// DeleteGist deletes a gist, if it exists.
func (s *Sim) DeleteGist(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.hub.posts[id]; p != nil {
		s.hub.unpost(p)
	}
}

// RenameUser gives a user another login; the old one is then unknown. It does
// nothing to a user that does not exist.
func (s *Sim) RenameUser(login, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.hub.logins[strings.ToLower(login)]
	if a == nil {
		return
	}
	delete(s.hub.logins, strings.ToLower(login))
	a.login = name
	s.hub.logins[strings.ToLower(name)] = a
}

// DeleteUser deletes a user and its gists, if it exists.
func (s *Sim) DeleteUser(login string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.hub.logins[strings.ToLower(login)]
	if a == nil {
		return
	}
	for _, p := range slices.Clone(a.shelf.posts) {
		s.hub.unpost(p)
	}
	delete(s.hub.accounts, a.id)
	delete(s.hub.logins, strings.ToLower(login))
}

// SuspendUser hides a user and its gists, or lets them be seen again; it does
// nothing to a user that does not exist.
func (s *Sim) SuspendUser(login string, suspended bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.hub.logins[strings.ToLower(login)]; a != nil {
		a.suspended = suspended
	}
}

// ConvertUser turns a user into an organisation, if it exists. GitHub docs,
// "Converting a user into an organization": nobody can make or change its gists
// from then on. Whether they stay listed is not said; here they do not.
func (s *Sim) ConvertUser(login string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.hub.logins[strings.ToLower(login)]; a != nil {
		a.kind = "Organization"
	}
}

// account returns the account of that login, made if it does not exist.
func (h *hub) account(u User) *account {
	if a := h.logins[strings.ToLower(u.Login)]; a != nil {
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
	h.accounts[a.id], h.logins[strings.ToLower(a.login)] = a, a
	return a
}

// post puts a gist on its author's shelf and into the feed.
func (h *hub) post(a *account, g Gist) *post {
	g.Files = slices.Clone(g.Files)
	h.fill(&g)
	if old := h.posts[g.ID]; old != nil {
		h.unpost(old)
	}
	p := &post{Gist: g, by: a}
	h.posts[p.ID] = p
	a.shelf.add(p)
	h.feed.add(p)
	return p
}

func (h *hub) unpost(p *post) {
	delete(h.posts, p.ID)
	p.by.shelf.remove(p)
	h.feed.remove(p)
}

func (h *hub) hex(digits int) string {
	const figures = "0123456789abcdef"
	var b strings.Builder
	for range digits {
		b.WriteByte(figures[h.rng.IntN(len(figures))])
	}
	return b.String()
}

// rawURL is where the text of a file is.
func (p *post) rawURL(f File) string {
	return fmt.Sprintf("https://gist.githubusercontent.com/%s/%s/raw/%040x/%s", p.by.login, p.ID, p.UpdatedAt.Unix(), url.PathEscape(f.Name))
}

// nodeID is an id in the older of GitHub's two forms, as in recorded answers.
func nodeID(kind string, id any) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%03d:%s%v", len(kind), kind, id))
}
