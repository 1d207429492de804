package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"gistdeal"
)

// gistAnswer is a gist as the seed's clients know it, and more.
type gistAnswer struct {
	ID          string     `json:"id"`
	Username    string     `json:"username"`
	Description string     `json:"description"`
	Files       []string   `json:"files"`
	URL         string     `json:"url"`
	CreatedAt   time.Time  `json:"created_at"`
	Deal        dealAnswer `json:"deal"`
}

// dealAnswer is where a gist's deal stands.
type dealAnswer struct {
	State  gistdeal.DealState `json:"state"`
	ID     int64              `json:"id,omitempty"`
	URL    string             `json:"url,omitempty"`
	Reason string             `json:"reason,omitempty"`
}

// userAnswer is the answer of /user/{login}; its lists are never null.
type userAnswer struct {
	Old []gistAnswer `json:"old_gists"`
	New []gistAnswer `json:"new_gists"`
}

// user tracks a login if it is new, waits for its first scan, and shows its
// gists: those that the visitor was shown before and those that are new.
func (s *Server) user(w http.ResponseWriter, r *http.Request) {
	login := r.PathValue("login")
	if err := gistdeal.CheckLogin(login); err != nil {
		s.fail(w, r, err)
		return
	}
	visitor, err := s.visitor(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	u, err := s.tracked(r, login)
	if err != nil {
		s.notYet(w, r, login, err)
		return
	}
	answer, seen, last, err := s.gists(r.Context(), u, visitor)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if writeErr := writeAnswer(w, answer); writeErr != nil || onlyPeeks(r) || last <= seen {
		return
	}
	// The answer ends when this function returns: whoever has read it whole
	// and asks again finds the visit recorded.
	err = s.store.RecordVisit(context.WithoutCancel(r.Context()), gistdeal.Visit{Visitor: visitor, UserID: u.ID, Seq: last}, time.Now())
	if err != nil {
		s.log.Error("visit not recorded", "login", login, "error", err)
	}
}

// onlyPeeks reports whether the request shows gists to nobody, or to nobody
// who asked for them: it records no visit and tracks no user.
func onlyPeeks(r *http.Request) bool {
	peek, _ := strconv.ParseBool(r.URL.Query().Get("peek"))
	purpose := r.Header.Get("Sec-Purpose") + r.Header.Get("Purpose") + r.Header.Get("X-Moz") + r.Header.Get("X-Purpose")
	return peek || r.Method == http.MethodHead || strings.Contains(purpose, "prefetch") || strings.Contains(purpose, "preview") || crossSite(r)
}

// tracked returns the tracked user, scanned at least once, after tracking it
// if the request may do that.
func (s *Server) tracked(r *http.Request, login string) (gistdeal.User, error) {
	u, err := s.store.UserByLogin(r.Context(), login)
	if err == nil && !u.LastScanAt.IsZero() {
		return u, nil
	}
	if err != nil && gistdeal.KindOf(err) != gistdeal.NotFound {
		return u, err
	}
	if crossSite(r) {
		return u, errCrossSite
	}
	if onlyPeeks(r) {
		if err == nil {
			return u, context.DeadlineExceeded // Its first scan goes on.
		}
		return u, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.options.AnswerWait)
	defer cancel()
	if err := s.engine.Track(ctx, login); err != nil {
		return u, err
	}
	return s.store.UserByLogin(r.Context(), login)
}

// errCrossSite refuses to track users for a page of another site.
var errCrossSite = errors.New("cross-site")

// notYet answers when there are no gists to show: 202 if the user is tracked
// and its first scan is still to end, otherwise the problem that err is.
func (s *Server) notYet(w http.ResponseWriter, r *http.Request, login string, err error) {
	if errors.Is(err, errCrossSite) {
		refuse(w, http.StatusForbidden, "Cross-site request", "a page of another site cannot make gistdeal track a user")
		return
	}
	kind := gistdeal.KindOf(err)
	if errors.Is(err, context.DeadlineExceeded) || kind == gistdeal.Temporary || kind == gistdeal.Limited {
		if u, findErr := s.store.UserByLogin(r.Context(), login); findErr == nil && u.LastScanAt.IsZero() {
			w.Header().Set("Retry-After", retryAfter(err))
			writeJSON(w, http.StatusAccepted, userAnswer{Old: []gistAnswer{}, New: []gistAnswer{}})
			return
		}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = gistdeal.Errorf(gistdeal.Temporary, "GitHub has not said yet who %q is; ask again", login)
	}
	s.fail(w, r, err)
}

// gists returns what a visitor is shown of u's gists, the number of noticing up
// to which the visitor had been shown them, and the one up to which this shows them.
func (s *Server) gists(ctx context.Context, u gistdeal.User, visitor string) (a userAnswer, seen, last int64, err error) {
	if seen, err = s.store.Seen(ctx, visitor, u.ID); err != nil {
		return a, 0, 0, err
	}
	dealURL, err := s.store.DealURL(ctx)
	if err != nil {
		return a, 0, 0, err
	}
	gists, err := s.store.GistsOf(ctx, u.ID)
	if err != nil {
		return a, 0, 0, err
	}
	a.Old, a.New = []gistAnswer{}, []gistAnswer{}
	for _, g := range gists {
		last = max(last, g.Seq)
		if g.Seq > seen {
			a.New = append(a.New, answerOf(u, g, dealURL))
		} else {
			a.Old = append(a.Old, answerOf(u, g, dealURL))
		}
	}
	return a, seen, last, nil
}

// answerOf returns how a gist of u is shown.
func answerOf(u gistdeal.User, g gistdeal.GistDeal, dealURL string) gistAnswer {
	a := gistAnswer{
		ID: g.ID, Username: u.Login, Description: g.Description, Files: make([]string, len(g.Files)),
		URL: gistdeal.GistURL(u.Login, g.ID), CreatedAt: g.CreatedAt,
		Deal: dealAnswer{State: g.Deal.State, ID: g.Deal.DealID, Reason: g.Deal.Problem},
	}
	for i, f := range g.Files {
		a.Files[i] = f.RawURL
	}
	if g.Deal.DealID != 0 && dealURL != "" {
		a.Deal.URL = dealURL + strconv.FormatInt(g.Deal.DealID, 10)
	}
	return a
}

// writeAnswer answers with a.
func writeAnswer(w http.ResponseWriter, a userAnswer) error {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	return json.NewEncoder(w).Encode(a)
}

// trackedUsers lists the logins of the tracked users.
func (s *Server) trackedUsers(w http.ResponseWriter, r *http.Request) {
	logins, err := s.store.Logins(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, logins)
}
