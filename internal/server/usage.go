package server

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// usageInterval is the minimum time between two records of the use of one token.
const usageInterval = time.Minute

// usage records the last use of tokens in the background, so that no request waits
// for it.
type usage struct {
	mu    sync.Mutex
	added map[string]time.Time // by the token's hash
	queue chan use
}

type use struct {
	hash   string
	client string // its address
	at     time.Time
}

func newUsage() *usage { return &usage{added: map[string]time.Time{}, queue: make(chan use, 100)} }

// add queues a record of the use of a valid token, unless one was queued within
// usageInterval. If the queue is full it drops the record: the next request tries
// again.
func (u *usage) add(one use) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if last, ok := u.added[one.hash]; ok && one.at.Sub(last) < usageInterval {
		return
	}
	select {
	case u.queue <- one:
		u.added[one.hash] = one.at
	default:
	}
}

// run writes queued records to the database until ctx ends.
func (u *usage) run(ctx context.Context, s Store, log *slog.Logger) {
	for {
		select {
		case <-ctx.Done():
			return
		case use := <-u.queue:
			if err := s.UseToken(ctx, use.hash, use.client, use.at); err != nil && ctx.Err() == nil {
				log.Warn("last use of token not recorded", "error", err)
			}
		}
	}
}
