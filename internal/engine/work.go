package engine

import (
	"context"
	"time"

	"gistdeal/internal/loop"
)

const (
	// noteWorkEvery is how often the leader records that it works.
	noteWorkEvery = 15 * time.Second
	// longestGap is how long no leader may work before people are told of it: a restart is shorter.
	longestGap = time.Minute
)

// noteWork records now and then that this process works, until ctx ends.
func (e *Engine) noteWork(ctx context.Context) error {
	for {
		e.noteWorkNow(ctx)
		if !loop.Sleep(ctx, noteWorkEvery) {
			return nil
		}
	}
}

// noteLastWork records when all work has ended, so that a planned restart has its full minute.
func (e *Engine) noteLastWork(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), loop.RecordTimeout)
	defer cancel()
	e.noteWorkNow(ctx)
}

func (e *Engine) noteWorkNow(ctx context.Context) {
	since, err := e.store.NoteWork(ctx, e.options.Now(), longestGap)
	if err != nil && ctx.Err() == nil {
		e.log.Error("work not noted", "error", err)
	}
	if !since.IsZero() {
		e.log.Warn("no leader for a while", "since", since)
	}
}
