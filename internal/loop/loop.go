package loop

import (
	"context"
	"time"
)

// Sleep waits for d and returns true, or false as soon as ctx ends.
func Sleep(ctx context.Context, d time.Duration) bool {
	return SleepOrWake(ctx, d, nil)
}

// SleepOrWake waits for d or until wake delivers a value, and returns true; it
// returns false as soon as ctx ends.
func SleepOrWake(ctx context.Context, d time.Duration, wake <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-wake:
	case <-timer.C:
	}
	return ctx.Err() == nil
}

// Signal wakes one loop that sleeps on it, or the next one that will. Setting it
// twice before a loop wakes counts once.
type Signal chan struct{}

// NewSignal returns a signal that is not set.
func NewSignal() Signal { return make(Signal, 1) }

// Set sets the signal. It never blocks.
func (s Signal) Set() {
	select {
	case s <- struct{}{}:
	default:
	}
}
