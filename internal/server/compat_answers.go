package server

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"gistdeal"
)

// compatGist is a gist as the clients of /user/{login} expect it. This form never
// changes, unlike the gist of the domain.
type compatGist struct {
	ID          string     `json:"id"`
	Username    string     `json:"username"`
	Description string     `json:"description"`
	Files       []string   `json:"files"`
	URL         string     `json:"url"`
	CreatedAt   time.Time  `json:"created_at"`
	Deal        compatDeal `json:"deal"`
}

// compatDeal is the deal of a compatGist.
type compatDeal struct {
	State  gistdeal.DealState `json:"state"`
	ID     int64              `json:"id,omitempty"`
	URL    string             `json:"url,omitempty"`
	Reason string             `json:"reason,omitempty"`
}

// compatGistOf returns the compatGist of a gist of v's user.
func compatGistOf(v gistdeal.View, g gistdeal.GistDeal) compatGist {
	c := compatGist{
		ID: g.ID, Username: v.Login, Description: g.Description, Files: make([]string, len(g.Files)),
		URL: gistdeal.GistURL(v.Login, g.ID), CreatedAt: g.CreatedAt,
		Deal: compatDeal{State: g.State, ID: g.DealID, URL: gistdeal.DealURL(v.DealURL, g.DealID), Reason: g.Problem},
	}
	for i, f := range g.Files {
		c.Files[i] = f.RawURL
	}
	return c
}

// answer is all gists of a user as JSON, most recently created first. It serves
// every visitor: write separates the new gists from the old ones.
type answer struct {
	version int64
	dealURL string
	last    int64   // the highest seq, 0 if there are no gists
	seqs    []int64 // the seq of each gist
	ends    []int   // the end of each gist in text, including its comma
	text    []byte
}

// answer returns the answer of /user/{login} for v's user, cached or new.
func (s *Server) answer(ctx context.Context, v gistdeal.View) (*answer, error) {
	if a := s.answers.get(v); a != nil {
		return a, nil
	}
	gists, err := s.store.GistsOf(ctx, v.UserID)
	if err != nil {
		return nil, err
	}
	// The gists may be newer than v. Then the next view has a higher version, which
	// invalidates this answer.
	a := &answer{version: v.Version, dealURL: v.DealURL}
	for _, g := range gists {
		text, err := json.Marshal(compatGistOf(v, g))
		if err != nil {
			return nil, err
		}
		a.text = append(append(a.text, text...), ',')
		a.seqs, a.ends, a.last = append(a.seqs, g.Seq), append(a.ends, len(a.text)), max(a.last, g.Seq)
	}
	s.answers.put(v.UserID, a)
	return a, nil
}

// split returns the old and the new gists of a visitor that was shown those up to
// seen. On most visits one of the two is empty.
func (a *answer) split(seen int64) (oldGists, newGists []byte) {
	if seen >= a.last {
		return a.text, nil
	}
	if seen == 0 {
		return nil, a.text
	}
	begin := 0
	for i, end := range a.ends {
		if a.seqs[i] > seen {
			newGists = append(newGists, a.text[begin:end]...)
		} else {
			oldGists = append(oldGists, a.text[begin:end]...)
		}
		begin = end
	}
	return oldGists, newGists
}

// parts returns the consecutive parts of the answer for a visitor that was shown
// the gists up to seen. Its lists are never null.
func (a *answer) parts(seen int64) [][]byte {
	oldGists, newGists := a.split(seen)
	return [][]byte{[]byte(`{"old_gists":[`), withoutComma(oldGists), []byte(`],"new_gists":[`), withoutComma(newGists), []byte("]}\n")}
}

// maxJoined is the size in bytes up to which an answer is joined, so that it takes
// one system call instead of several.
const maxJoined = 64 << 10

// write answers a visitor that was shown the gists up to seen before. If the
// handler does nothing afterwards, final sets Content-Length, which is faster.
// Otherwise the answer ends only when the handler returns.
func (a *answer) write(w http.ResponseWriter, status int, seen int64, final bool) error {
	parts := a.parts(seen)
	length := 0
	for _, part := range parts {
		length += len(part)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	if final {
		h.Set("Content-Length", strconv.Itoa(length))
	}
	if length <= maxJoined {
		parts = [][]byte{slices.Concat(parts...)}
	}
	w.WriteHeader(status)
	for _, part := range parts {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return nil
}

// withoutComma returns a list without the comma after its last element.
func withoutComma(list []byte) []byte { return list[:max(len(list)-1, 0)] }

// answers caches answers, so that a user with thousands of gists is not read and
// encoded for each request. The version in the database decides whether a cached
// answer is valid.
type answers struct {
	limit int // bytes of text

	mu     sync.Mutex
	byUser map[int64]*answer
	size   int
}

// get returns the cached answer for v, nil if there is no valid one.
func (k *answers) get(v gistdeal.View) *answer {
	k.mu.Lock()
	defer k.mu.Unlock()
	if a := k.byUser[v.UserID]; a != nil && a.version == v.Version && a.dealURL == v.DealURL {
		return a
	}
	return nil
}

// put caches an answer instead of the user's previous one, and drops arbitrary
// others until it fits. It does not cache an answer over the limit.
func (k *answers) put(userID int64, a *answer) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if old := k.byUser[userID]; old != nil {
		k.drop(userID, old)
	}
	if len(a.text) > k.limit {
		return
	}
	for id, other := range k.byUser {
		if k.size+len(a.text) <= k.limit {
			break
		}
		k.drop(id, other)
	}
	if k.byUser == nil {
		k.byUser = map[int64]*answer{}
	}
	k.byUser[userID] = a
	k.size += len(a.text)
}

func (k *answers) drop(userID int64, a *answer) {
	delete(k.byUser, userID)
	k.size -= len(a.text)
}
