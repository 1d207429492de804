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

// livez says that the process answers.
func (s *Server) livez(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"status": "live"})
}

// readiness is the answer of /readyz.
type readiness struct {
	Status  string `json:"status"`
	Details any    `json:"details,omitempty"`
}

// readyz reports readiness: the database answers and can be written, and the process is
// not about to stop. It stays ready during pauses and backoffs; the details, for
// callers with access, report those.
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
		if _, err := s.identify(r); err == nil {
			ready.Details = s.options.Details(ctx)
		}
	}
	writeJSON(w, status, ready)
}

// unready returns the message for err; an internal error is only logged.
func unready(err error) string {
	if e, ok := errors.AsType[*gistdeal.Error](err); ok {
		return e.Error()
	}
	return "the database does not answer"
}

// page hands over to the page, which knows only its own files.
func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	if s.options.Page == nil {
		refuse(w, http.StatusNotFound, "Not found", "there is nothing at this address")
		return
	}
	s.options.Page.ServeHTTP(w, r)
}

// writeJSON answers with v.
func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // If it cannot be written the client has gone.
}
