package gistdeal

import (
	"errors"
	"time"
)

// ErrSpent is in the chain of a Limited error that comes of a Budget: the next
// process knows it from there.
var ErrSpent = errors.New("the budget is spent")

// Budget is what is left of an allowance that a remote gives for a time, as its
// newest answer told it.
type Budget struct {
	Name      string    `json:"name"`
	Limit     int       `json:"limit"` // 0 while it is not known
	Remaining int       `json:"remaining"`
	Kept      int       `json:"kept"` // of what remains, left to people
	Reset     time.Time `json:"reset,omitzero" doc:"When it is whole again, on the remote's clock."`
	SeenAt    time.Time `json:"seen_at,omitzero" doc:"When the answer came; left out if none told."`
}
