package server

import (
	"net"
	"net/http"
	"sync"
)

// maxConnections is the maximum number of open connections.
const maxConnections = 4096

// connections limits the open connections. Over the limit it closes one without a
// request under way, so that idle connections cannot keep others out.
type connections struct {
	limit int

	mu   sync.Mutex
	open int
	idle map[net.Conn]bool // without a request under way
}

// changed is called with each new state of a connection.
func (k *connections) changed(c net.Conn, state http.ConnState) {
	if extra := k.count(c, state); extra != nil {
		_ = extra.Close() // The server then notices its end.
	}
}

// count counts the connection, and returns one to close, nil if there is room.
func (k *connections) count(c net.Conn, state http.ConnState) (extra net.Conn) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.idle, c)
	switch state {
	case http.StateNew:
		k.open++
		if k.open > k.limit {
			extra = k.anyIdle(c)
		}
		if extra != c {
			k.idle[c] = true
		}
	case http.StateIdle:
		k.idle[c] = true
	case http.StateClosed, http.StateHijacked:
		k.open--
	}
	return extra
}

// anyIdle returns an idle connection, which it forgets, or else c.
func (k *connections) anyIdle(c net.Conn) net.Conn {
	for idle := range k.idle {
		delete(k.idle, idle)
		return idle
	}
	return c
}
