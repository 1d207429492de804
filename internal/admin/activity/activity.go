package activity

import "gistdeal/internal/store"

// Activity reads the activity in a database.
type Activity struct{ db *store.Store }

// New returns the activity in the database.
func New(db *store.Store) *Activity { return &Activity{db} }
