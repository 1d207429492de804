package loop

import (
	"context"
	"log/slog"
	"time"

	"gistdeal"
)

// pausePoll is how often a pause is read again.
const pausePoll = time.Second

// Pauses is the part of the database with the pause of an operator.
type Pauses interface {
	PushPause(ctx context.Context) (gistdeal.Pause, error)
}

// WaitForPerson waits while an operator has paused scans. It returns false when ctx ends. A
// pause that cannot be read is none: the work after it needs the same database.
func WaitForPerson(ctx context.Context, db Pauses, log *slog.Logger, work string) bool {
	for logged := false; ; logged = true {
		p, err := db.PushPause(ctx)
		if ctx.Err() != nil {
			return false
		}
		if err != nil || !p.Scans {
			return true
		}
		if !logged {
			log.Info("paused by an operator", "work", work, "since", p.Since, "reason", p.Reason, "by", p.By)
		}
		if !Sleep(ctx, pausePoll) {
			return false
		}
	}
}
