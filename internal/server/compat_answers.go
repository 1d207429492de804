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

// compatGist is a gist in the form that clients of /user/{login} know, which is
// why it is not the gist of the domain.
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

// answerOf returns how a gist of v's user is shown.
func answerOf(v gistdeal.View, g gistdeal.GistDeal) compatGist {
	a := compatGist{
		ID: g.ID, Username: v.Login, Description: g.Description, Files: make([]string, len(g.Files)),
		URL: gistdeal.GistURL(v.Login, g.ID), CreatedAt: g.CreatedAt,
		Deal: compatDeal{State: g.State, ID: g.DealID, URL: gistdeal.DealURL(v.DealURL, g.DealID), Reason: g.Problem},
	}
	for i, f := range g.Files {
		a.Files[i] = f.RawURL
	}
	return a
}

// answer is all gists of a user as JSON, the one created last first. It serves
// every visitor: which gists are new is decided when it is written.
type answer struct {
	version int64
	dealURL string
	last    int64   // the highest number of noticing, 0 if there are no gists
	seqs    []int64 // the gists' numbers of noticing
	ends    []int   // where each gist, with a comma behind it, ends in text
	text    []byte
}

// answer returns the answer of /user/{login} about v's user.
func (s *Server) answer(ctx context.Context, v gistdeal.View) (*answer, error) {
	if a := s.answers.get(v); a != nil {
		return a, nil
	}
	gists, err := s.store.GistsOf(ctx, v.UserID)
	if err != nil {
		return nil, err
	}
	// The gists may be newer than the version: then the next view's is higher.
	a := &answer{version: v.Version, dealURL: v.DealURL}
	for _, g := range gists {
		text, err := json.Marshal(answerOf(v, g))
		if err != nil {
			return nil, err
		}
		a.text = append(append(a.text, text...), ',')
		a.seqs, a.ends, a.last = append(a.seqs, g.Seq), append(a.ends, len(a.text)), max(a.last, g.Seq)
	}
	s.answers.put(v.UserID, a)
	return a, nil
}

// split returns the gists that the visitor has seen, up to seen, and the new ones. On
// most visits all of them are in one group.
func (a *answer) split(seen int64) (old, fresh []byte) {
	if seen >= a.last {
		return a.text, nil
	}
	if seen == 0 {
		return nil, a.text
	}
	begin := 0
	for i, end := range a.ends {
		if a.seqs[i] > seen {
			fresh = append(fresh, a.text[begin:end]...)
		} else {
			old = append(old, a.text[begin:end]...)
		}
		begin = end
	}
	return old, fresh
}

// parts returns the parts of the answer for a visitor that has seen the gists up to
// seen, in order. Its lists are never null.
func (a *answer) parts(seen int64) [][]byte {
	old, fresh := a.split(seen)
	return [][]byte{[]byte(`{"old_gists":[`), withoutComma(old), []byte(`],"new_gists":[`), withoutComma(fresh), []byte("]}\n")}
}

// oneWrite is up to how many bytes an answer is copied, so that it takes one
// system call instead of several.
const oneWrite = 64 << 10

// write answers a visitor that has seen the gists up to seen. last means that no work
// follows: then the length is sent first, which is faster. Otherwise the answer ends
// with its handler.
func (a *answer) write(w http.ResponseWriter, status int, seen int64, last bool) error {
	parts := a.parts(seen)
	length := 0
	for _, part := range parts {
		length += len(part)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	if last {
		h.Set("Content-Length", strconv.Itoa(length))
	}
	if length <= oneWrite {
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

// withoutComma returns a list without the comma behind its last element.
func withoutComma(list []byte) []byte { return list[:max(len(list)-1, 0)] }

// answers keeps answers, so that a user of thousands of gists is not read and
// written out for each request. It holds no truth: the database's version says
// whether an answer is still right.
type answers struct {
	limit int // bytes of text

	mu     sync.Mutex
	byUser map[int64]*answer
	size   int
}

// get returns the answer for v, nil if there is none or it is not right any more.
func (k *answers) get(v gistdeal.View) *answer {
	k.mu.Lock()
	defer k.mu.Unlock()
	if a := k.byUser[v.UserID]; a != nil && a.version == v.Version && a.dealURL == v.DealURL {
		return a
	}
	return nil
}

// put keeps an answer in the place of the user's earlier one, and drops
// whichever others there are too many of.
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
