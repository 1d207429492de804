package server

import "net/http"

// HTTP returns the http.Server: tests read its timeouts and shorten some.
func (s *Server) HTTP() *http.Server { return &s.http }

// KeepAnswers sets the number of bytes of stored answers.
func (s *Server) KeepAnswers(limit int) { s.answers.limit = limit }

// Reserved returns the counted and the real number of bytes of stored answers.
func (s *Server) Reserved() (counted, real int) {
	s.answers.mu.Lock()
	defer s.answers.mu.Unlock()
	for _, a := range s.answers.byUser {
		real += len(a.text)
	}
	return s.answers.size, real
}

// LimitConnections sets the maximum number of open connections.
func (s *Server) LimitConnections(limit int) {
	s.connections.mu.Lock()
	defer s.connections.mu.Unlock()
	s.connections.limit = limit
}

// Connections returns the number of open connections.
func (s *Server) Connections() int {
	s.connections.mu.Lock()
	defer s.connections.mu.Unlock()
	return s.connections.open
}

// RememberClients sets the number of remembered clients.
func (s *Server) RememberClients(limit int) { s.clients.limit = limit }

// Clients returns the number of remembered clients.
func (s *Server) Clients() int { return len(s.clients.current) + len(s.clients.previous) }
