package desk

import (
	"context"
	"time"
)

// Pushes says whether a person holds all pushes back.
type Pushes struct {
	Paused  bool       `json:"paused"`
	Changed bool       `json:"changed"` // by this command
	Since   *time.Time `json:"since"`
	Why     string     `json:"why"`
}

// PausePushes holds all pushes back until ResumePushes, over restarts. Users
// are scanned all the same.
func (d *Desk) PausePushes(ctx context.Context, why string) (Pushes, error) {
	changed, err := d.db.PausePushes(ctx, why, time.Now())
	if err != nil {
		return Pushes{}, err
	}
	p, err := d.db.PushPause(ctx)
	return Pushes{Paused: p.On(), Changed: changed, Since: when(p.Since), Why: p.Why}, err
}

// ResumePushes lets pushes go on.
func (d *Desk) ResumePushes(ctx context.Context) (Pushes, error) {
	changed, err := d.db.ResumePushes(ctx)
	return Pushes{Changed: changed}, err
}
