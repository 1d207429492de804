package api

import "time"

// StreamsOfClient is the limit of streams per client.
const StreamsOfClient = streamsOfClient

// Cursor encodes a place in a list.
func Cursor(place any) string { return cursor(place) }

// ReadCursor is the inverse of Cursor.
func ReadCursor(text string, place any) error { return Part{Cursor: text}.read(place) }

// Mark is a place in a list of users.
type Mark = mark

// PingEvery sets the interval of heartbeats. Call it before serving.
func (a *API) PingEvery(d time.Duration) { a.ping = d }
