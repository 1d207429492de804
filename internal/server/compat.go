package server

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"gistdeal"
	"gistdeal/internal/problem"
)

// compatRoutes are the two routes of the system that gistdeal replaces. They are a
// promise to its clients: paths, fields and meaning stay as they are. New features
// belong in the API.
func (s *Server) compatRoutes() []route {
	return []route{
		{"/user/{login}", []string{"GET", "HEAD", "POST"}, false, s.user},
		{"/user/{$}", []string{"GET", "HEAD", "POST"}, false, s.user}, // the empty login
		{"/trackedusers", []string{"GET", "HEAD"}, false, toAll(s.trackedUsers)},
	}
}

// user tracks a login if it is new, waits for its first scan, and shows its
// gists: those that the visitor was shown before and those that are new.
func (s *Server) user(w http.ResponseWriter, r *http.Request, c gistdeal.Caller) {
	login := r.PathValue("login")
	err := gistdeal.CheckLogin(login)
	if err == nil {
		err = checkPeek(r)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if !readBody(w, r) {
		return
	}
	v, err := s.tracked(r, c, login)
	if err != nil {
		s.notYet(w, r, login, err)
		return
	}
	a, err := s.answer(r.Context(), v)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	nothingNew := v.Seen >= a.last || s.onlyPeeks(r)
	if err := a.write(w, http.StatusOK, v.Seen, nothingNew); err == nil && !nothingNew {
		s.record(r, gistdeal.Visit{Visitor: c.Name, UserID: v.UserID, Seq: a.last})
	}
}

// record records a visit. It runs after the last write and before the end of the
// answer, so that a client that has read the complete answer finds the visit recorded.
func (s *Server) record(r *http.Request, v gistdeal.Visit) {
	if r.Context().Err() != nil {
		return // The client has gone.
	}
	if err := s.store.RecordVisit(context.WithoutCancel(r.Context()), v, time.Now()); err != nil {
		s.log.Error("visit not recorded", "user", v.UserID, "error", err)
	}
}

// readBody reads the body, which says nothing, to its end: only from then on
// is it noticed if the client leaves. If it cannot, it answers and reports false.
func readBody(w http.ResponseWriter, r *http.Request) bool {
	_, err := io.Copy(io.Discard, r.Body)
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		refuseBody(w, maxBody)
	} else if err != nil {
		refuse(w, http.StatusBadRequest, "Body incomplete", "the request's body did not come whole or in time")
	}
	return err == nil
}

// checkPeek returns an error for an unreadable peek: read as false, it would track a
// user for a client that only wanted to look.
func checkPeek(r *http.Request) error {
	peek := r.URL.Query()["peek"]
	if len(peek) == 0 {
		return nil
	}
	if _, err := strconv.ParseBool(peek[0]); err != nil {
		return gistdeal.Errorf(gistdeal.Invalid, "peek is %q, want true or false", peek[0])
	}
	return nil
}

// onlyPeeks reports whether the request only looks: it records no visit and tracks no
// user.
func (s *Server) onlyPeeks(r *http.Request) bool {
	peek, _ := strconv.ParseBool(r.URL.Query().Get("peek"))
	purpose := r.Header.Get("Sec-Purpose") + r.Header.Get("Purpose") + r.Header.Get("X-Moz") + r.Header.Get("X-Purpose")
	return peek || r.Method == http.MethodHead || strings.Contains(purpose, "prefetch") || strings.Contains(purpose, "preview") || s.foreign(r)
}

// tracked returns the view of a tracked user, scanned at least once, after
// tracking it if the request may do that.
func (s *Server) tracked(r *http.Request, c gistdeal.Caller, login string) (gistdeal.View, error) {
	v, err := s.store.View(r.Context(), c.Name, login)
	if err == nil && v.Scanned {
		return v, nil
	}
	if err != nil && gistdeal.KindOf(err) != gistdeal.NotFound {
		return v, err
	}
	if s.onlyPeeks(r) && err == nil {
		return v, context.DeadlineExceeded // Its first scan goes on.
	}
	if s.foreign(r) {
		return v, errCrossSite
	}
	if s.onlyPeeks(r) {
		return v, err
	}
	if !c.Scope.Allows(gistdeal.ScopeWrite) {
		return v, errReadOnly
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.options.RequestWait)
	defer cancel()
	if err := s.engine.Track(ctx, login); err != nil {
		return v, err
	}
	return s.store.View(r.Context(), c.Name, login)
}

var (
	// errCrossSite refuses to track users for a page of another site.
	errCrossSite = errors.New("cross-site")
	// errReadOnly refuses to track users for a token of the scope read.
	errReadOnly = errors.New("read only")
)

// notYet answers when there are no gists to show: 202 if the user is tracked
// and its first scan is still to end, otherwise the problem that err is.
func (s *Server) notYet(w http.ResponseWriter, r *http.Request, login string, err error) {
	if errors.Is(err, errCrossSite) {
		refuse(w, http.StatusForbidden, "Cross-site request", "a page of another site cannot make gistdeal track a user")
		return
	}
	if errors.Is(err, errReadOnly) {
		refuse(w, http.StatusForbidden, "Scope too small", "this user is not tracked yet, and tracking needs a token of the scope write")
		return
	}
	kind := gistdeal.KindOf(err)
	if errors.Is(err, context.DeadlineExceeded) || kind == gistdeal.Temporary || kind == gistdeal.Limited {
		if _, findErr := s.store.View(r.Context(), gistdeal.Anonymous, login); findErr == nil {
			w.Header().Set("Retry-After", cmp.Or(problem.RetryAfter(err), "5"))
			_ = new(answer).write(w, http.StatusAccepted, 0, true) // If it cannot be written the client has gone.
			return
		}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = gistdeal.Errorf(gistdeal.Temporary, "GitHub has not said yet who %q is; ask again", login)
	}
	s.fail(w, r, err)
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
