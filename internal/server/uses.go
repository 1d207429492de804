package server

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// useWritten is how often the use of a token is written down at the most.
const useWritten = time.Minute

// usage writes down when tokens are used, beside the requests: none waits for it.
type usage struct {
	mu    sync.Mutex
	noted map[string]time.Time // by the token's hash
	queue chan use
}

type use struct {
	hash string
	at   time.Time
}

func newUsage() *usage { return &usage{noted: map[string]time.Time{}, queue: make(chan use, 100)} }

// note has the use of a token that is known written down, unless that was done
// not long ago. If there is much to write it is left to the next request.
func (u *usage) note(hash string, now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if last, ok := u.noted[hash]; ok && now.Sub(last) < useWritten {
		return
	}
	select {
	case u.queue <- use{hash, now}:
		u.noted[hash] = now
	default:
	}
}

// write writes the recorded uses until ctx ends.
func (u *usage) write(ctx context.Context, s Store, log *slog.Logger) {
	for {
		select {
		case <-ctx.Done():
			return
		case use := <-u.queue:
			if err := s.UseToken(ctx, use.hash, use.at); err != nil && ctx.Err() == nil {
				log.Warn("last use of a token not written", "error", err)
			}
		}
	}
}
