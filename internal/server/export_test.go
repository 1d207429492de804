package server

import "net/http"

// HTTP returns the server beneath: tests look at its limits, and shorten those
// that they would have to wait for.
func (s *Server) HTTP() *http.Server { return &s.http }

// KeepAnswers sets how many bytes of answers are kept.
func (s *Server) KeepAnswers(limit int) { s.answers.limit = limit }

// Kept returns how many bytes of answers are kept, as counted and as they are.
func (s *Server) Kept() (counted, real int) {
	s.answers.mu.Lock()
	defer s.answers.mu.Unlock()
	for _, a := range s.answers.byUser {
		real += len(a.text)
	}
	return s.answers.size, real
}

// RememberClients sets of how many clients something is remembered.
func (s *Server) RememberClients(limit int) { s.clients.limit = limit }

// Clients returns how many clients are remembered.
func (s *Server) Clients() int { return len(s.clients.last) + len(s.clients.before) }
