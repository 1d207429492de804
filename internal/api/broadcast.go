package api

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"gistdeal"
	"gistdeal/internal/admin/activity"
)

const (
	// eventPoll is the interval at which events are read from the database while
	// there are listeners. Any instance may have recorded them.
	eventPoll = time.Second
	// listenerBuffer is the number of batches that wait for a slow listener. A
	// listener that falls further behind is disconnected.
	listenerBuffer = 8
)

// broadcaster sends events to listeners. One query of the database serves all of
// them.
type broadcaster struct {
	activity *activity.Activity
	log      *slog.Logger

	mu        sync.Mutex
	listeners map[chan []gistdeal.Event]bool
	stop      context.CancelFunc // ends poll; nil while there are no listeners
	closed    bool
}

func newBroadcaster(a *activity.Activity, log *slog.Logger) *broadcaster {
	return &broadcaster{activity: a, log: log, listeners: map[chan []gistdeal.Event]bool{}}
}

// listen returns a channel that receives the events from now on. It returns nil
// after close, or if the database does not answer. The channel is closed if its
// listener is too slow, and by close.
func (b *broadcaster) listen(ctx context.Context) chan []gistdeal.Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil
	}
	if b.stop == nil {
		last, err := b.activity.LastEvent(ctx)
		if err != nil {
			b.log.Error("events not read", "error", err)
			return nil
		}
		polling, stop := context.WithCancel(context.Background())
		b.stop = stop
		go b.poll(polling, last)
	}
	l := make(chan []gistdeal.Event, listenerBuffer)
	b.listeners[l] = true
	return l
}

// leave removes a listener. The last one to leave ends poll.
func (b *broadcaster) leave(l chan []gistdeal.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.drop(l)
	if len(b.listeners) == 0 && b.stop != nil {
		b.stop()
		b.stop = nil
	}
}

// drop removes a listener and closes its channel. The caller holds b.mu.
func (b *broadcaster) drop(l chan []gistdeal.Event) {
	if b.listeners[l] {
		delete(b.listeners, l)
		close(l)
	}
}

// close removes all listeners and refuses new ones.
func (b *broadcaster) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	for l := range b.listeners {
		b.drop(l)
	}
	if b.stop != nil {
		b.stop()
		b.stop = nil
	}
}

// poll reads the events after last and sends them to the listeners until ctx ends.
func (b *broadcaster) poll(ctx context.Context, last int64) {
	ticker := time.NewTicker(eventPoll)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		var err error
		if last, err = b.next(ctx, last); err != nil && ctx.Err() == nil {
			b.log.Error("events not read", "error", err)
		}
	}
}

// next sends the events after last, and returns the last one.
func (b *broadcaster) next(ctx context.Context, last int64) (int64, error) {
	for {
		events, err := b.activity.Events(ctx, gistdeal.EventQuery{After: last, Limit: eventsAtOnce})
		if errors.Is(err, gistdeal.ErrEventsDeleted) { // This process could not read for so long.
			b.dropAll()
			return b.activity.LastEvent(ctx)
		}
		if err != nil || len(events) == 0 {
			return last, err
		}
		b.send(events)
		if last = events[len(events)-1].ID; len(events) < eventsAtOnce {
			return last, nil
		}
	}
}

// dropAll removes all listeners, which reconnect and learn what they have missed.
func (b *broadcaster) dropAll() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for l := range b.listeners {
		b.drop(l)
	}
}

// send sends events to all listeners and drops those with a full buffer.
func (b *broadcaster) send(events []gistdeal.Event) {
	if len(events) == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for l := range b.listeners {
		select {
		case l <- events:
		default:
			b.drop(l)
		}
	}
}
