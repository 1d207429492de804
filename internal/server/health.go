package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"gistdeal"
)

const readyTimeout = 3 * time.Second

// livez reports that the process answers.
func (s *Server) livez(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"status": "live"})
}

// readiness is the answer of /readyz.
type readiness struct {
	Status  string `json:"status"`
	Proof   string `json:"proof,omitempty"` // that this server works on a certain database
	Details any    `json:"details,omitempty"`
}

// readyz reports whether this instance can serve requests: the database answers and
// is writable, and the process is not stopping. A pause of pushes or an outage of
// GitHub does not change that; the details report them, to identified callers only.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	ready, status := readiness{Status: "ready"}, http.StatusOK
	if err := s.store.Ping(ctx); err != nil {
		s.log.Error("not ready", "error", err)
		ready, status = readiness{Status: unready(err)}, http.StatusServiceUnavailable
	}
	if s.stopping.Load() {
		ready, status = readiness{Status: "stopping"}, http.StatusServiceUnavailable
	}
	if s.options.Details != nil {
		_, err := s.identify(r)
		if errors.Is(err, errManyWrong) {
			s.unidentified(w, r, err)
			return
		}
		if err == nil {
			ready.Details = s.options.Details(ctx)
		}
	}
	if challenge := r.Header.Get(gistdeal.HeaderChallenge); challenge != "" {
		ready.Proof = gistdeal.Proof(s.options.Identity, challenge)
	}
	writeJSON(w, status, ready)
}

// unready returns the status for err. It hides the text of internal errors.
func unready(err error) string {
	if e, ok := errors.AsType[*gistdeal.Error](err); ok {
		return e.Error()
	}
	return "the database does not answer"
}

// page serves the page and its files.
func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	if s.options.Page == nil {
		refuse(w, http.StatusNotFound, "Not found", "there is nothing at this address")
		return
	}
	s.options.Page.ServeHTTP(w, r)
}

// writeJSON answers with v as JSON.
func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // An error means that the client has disconnected.
}
