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

// linkWait is how long an answer waits for raw URLs of files.
const linkWait = 5 * time.Second

// compatRoutes returns the routes of the system before gistdeal. Their paths, fields
// and meaning never change, because its clients depend on them. New features
// belong to the API.
func (s *Server) compatRoutes() []route {
	return []route{
		{"/user/{login}", []string{"GET", "HEAD", "POST"}, false, s.user},
		{"/user/{$}", []string{"GET", "HEAD", "POST"}, false, s.user}, // the empty login
		{"/trackedusers", []string{"GET", "HEAD"}, false, forAnyCaller(s.trackedUsers)},
	}
}

// user tracks a login if it is new, waits for its first scan, and answers with its
// gists: those that the visitor was shown before, and new ones.
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
		s.noGists(w, r, login, err)
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

// record records a visit. It runs after the last write and before the answer ends,
// so that a client that has read the complete answer finds its visit recorded.
func (s *Server) record(r *http.Request, v gistdeal.Visit) {
	if r.Context().Err() != nil {
		return // The client has disconnected.
	}
	if err := s.store.RecordVisit(context.WithoutCancel(r.Context()), v, time.Now()); err != nil {
		s.log.Error("visit not recorded", "user", v.UserID, "error", err)
	}
}

// readBody discards the body. net/http detects that a client has disconnected only
// after the end of the body. If reading fails it answers and reports false.
func readBody(w http.ResponseWriter, r *http.Request) bool {
	_, err := io.Copy(io.Discard, r.Body)
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		refuseBody(w, maxBody)
	} else if err != nil {
		refuse(w, http.StatusBadRequest, "Body incomplete", "the request body is incomplete or came too slowly")
	}
	return err == nil
}

// checkPeek returns an error for an invalid value of peek. As false, it would track
// a user although the client only asked for a peek.
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

// onlyPeeks reports whether the request may neither record a visit nor track a
// user: a peek, a HEAD, a prefetch, a request caused by a page of another site, or
// a GET of a browser that our page did not cause.
func (s *Server) onlyPeeks(r *http.Request) bool {
	peek, _ := strconv.ParseBool(r.URL.Query().Get("peek"))
	purpose := r.Header.Get("Sec-Purpose") + r.Header.Get("Purpose") + r.Header.Get("X-Moz") + r.Header.Get("X-Purpose")
	return peek || r.Method == http.MethodHead || strings.Contains(purpose, "prefetch") || strings.Contains(purpose, "preview") || s.crossSite(r) || s.unproven(r)
}

// tracked returns the view of a user with a complete first scan. It tracks the user
// first if needed and allowed.
func (s *Server) tracked(r *http.Request, c gistdeal.Caller, login string) (gistdeal.View, error) {
	v, err := s.store.View(r.Context(), c.Name, login)
	if err == nil && v.Scanned {
		return s.linked(r, c, v), nil
	}
	if err != nil && gistdeal.KindOf(err) != gistdeal.NotFound {
		return v, err
	}
	if s.onlyPeeks(r) && err == nil {
		return v, context.DeadlineExceeded // The first scan is in progress.
	}
	if s.crossSite(r) {
		return v, errCrossSite
	}
	if s.unproven(r) && navigates(r) {
		return v, errUnconfirmed
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

// linked returns the view of a scanned user after a scan has read the raw URLs of its files, if
// one is needed, allowed and soon done. Otherwise v remains: its files have URLs of their newest
// content.
func (s *Server) linked(r *http.Request, c gistdeal.Caller, v gistdeal.View) gistdeal.View {
	if v.Linked || s.onlyPeeks(r) || !c.Scope.Allows(gistdeal.ScopeWrite) {
		return v
	}
	ctx, cancel := context.WithTimeout(r.Context(), min(linkWait, s.options.RequestWait))
	defer cancel()
	if err := s.engine.Track(ctx, v.Login); err != nil {
		return v
	}
	if linked, err := s.store.View(r.Context(), c.Name, v.Login); err == nil {
		return linked
	}
	return v
}

var (
	// errCrossSite means that a page of another site cannot track users.
	errCrossSite = errors.New("cross-site")
	// errUnconfirmed means that a person followed a link to a user that is not tracked.
	errUnconfirmed = errors.New("unconfirmed")
	// errReadOnly means that a token with the scope read cannot track users.
	errReadOnly = errors.New("read only")
)

// noGists answers a request that has no gists to show: with 202 if the user is
// tracked and its first scan has not ended, otherwise with the problem of err.
func (s *Server) noGists(w http.ResponseWriter, r *http.Request, login string, err error) {
	if errors.Is(err, errCrossSite) {
		refuse(w, http.StatusForbidden, "Cross-site request", "pages of other sites cannot track users")
		return
	}
	if errors.Is(err, errUnconfirmed) {
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, "/#/users/"+login, http.StatusSeeOther) // The page asks before it tracks.
		return
	}
	if errors.Is(err, errReadOnly) {
		refuse(w, http.StatusForbidden, "Scope too small", "this user is not tracked, and tracking a user needs a token with the scope write")
		return
	}
	kind := gistdeal.KindOf(err)
	if errors.Is(err, context.DeadlineExceeded) || kind == gistdeal.Temporary || kind == gistdeal.Limited {
		if _, viewErr := s.store.View(r.Context(), gistdeal.Anonymous, login); viewErr == nil {
			w.Header().Set("Retry-After", cmp.Or(problem.RetryAfter(err), "5"))
			_ = new(answer).write(w, http.StatusAccepted, 0, true) // An error means that the client has disconnected.
			return
		}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = gistdeal.Errorf(gistdeal.Temporary, "GitHub has not confirmed yet that %q exists: try again", login)
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
