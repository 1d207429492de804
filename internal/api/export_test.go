package api

import "time"

// StreamsOfClient is how many streams a client may have.
const StreamsOfClient = streamsOfClient

// Cursor returns a place in a list as clients keep it.
func Cursor(place any) string { return cursor(place) }

// ReadCursor is the inverse of Cursor.
func ReadCursor(text string, place any) error { return Part{Cursor: text}.read(place) }

// Mark is a place in a list of users.
type Mark = mark

// PingEvery shortens the time between signs of life, before anything is served.
func (a *API) PingEvery(d time.Duration) { a.ping = d }
