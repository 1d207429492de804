package activity

import (
	"context"
	"time"

	"gistdeal"
)

// Pushes says whether an operator has paused all pushes.
type Pushes struct {
	gistdeal.Pause
	Paused  bool `json:"paused"`
	Changed bool `json:"changed" doc:"Whether this request changed it."`
}

// PausePushes stops all pushes until ResumePushes, over restarts. With scans, background
// scans stop too; otherwise users are scanned all the same.
func (a *Activity) PausePushes(ctx context.Context, reason string, scans bool) (Pushes, error) {
	pause := a.db.PausePushes
	if scans {
		pause = a.db.PauseAll
	}
	changed, err := pause(ctx, reason, time.Now())
	if err != nil {
		return Pushes{}, err
	}
	p, err := a.db.PushPause(ctx)
	return Pushes{Pause: p, Paused: p.On(), Changed: changed}, err
}

// ResumePushes resumes creating deals.
func (a *Activity) ResumePushes(ctx context.Context) (Pushes, error) {
	changed, err := a.db.ResumePushes(ctx, time.Now())
	return Pushes{Changed: changed}, err
}
