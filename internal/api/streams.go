package api

import "sync"

// streamsPerClient is the maximum number of streams per client. An office behind
// one address may have many pages open, and each page needs one stream.
const streamsPerClient = 100

// streams counts the open streams of each client.
type streams struct {
	mu       sync.Mutex
	byClient map[string]int
}

// enter counts a new stream. It reports false if the client has the maximum.
func (s *streams) enter(client string) bool {
	if client == "" {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byClient == nil {
		s.byClient = map[string]int{}
	}
	if s.byClient[client] >= streamsPerClient {
		return false
	}
	s.byClient[client]++
	return true
}

func (s *streams) leave(client string) {
	if client == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byClient[client]--; s.byClient[client] == 0 {
		delete(s.byClient, client)
	}
}
