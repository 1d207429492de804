package api

import "time"

// StreamsPerClient is the limit of streams per client.
const StreamsPerClient = streamsPerClient

// Cursor encodes a place in a list.
func Cursor(place any) string { return cursor(place) }

// ReadCursor is the inverse of Cursor.
func ReadCursor(text string, place any) error { return Page{Cursor: text}.read(place) }

// Mark is a place in a list of users.
type Mark = mark

// SetPingInterval sets the interval of heartbeats. Call it before serving.
func (a *API) SetPingInterval(d time.Duration) { a.pingInterval = d }
