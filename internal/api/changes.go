package api

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"gistdeal/internal/admin/activity"
)

const (
	// changePoll is how often events are read from the database while a client listens:
	// any process may have written them.
	changePoll = time.Second
	// listenerBuffer is how many changes wait for a slow listener before it is
	// told to read everything anew.
	listenerBuffer = 8
)

// changes sends events to its listeners, with one query for all of them.
type changes struct {
	activity *activity.Activity
	log      *slog.Logger

	mu        sync.Mutex
	listeners map[chan []activity.Event]bool
	stop      context.CancelFunc // ends the questions; nil while nobody listens
	closed    bool
}

func newChanges(d *activity.Activity, log *slog.Logger) *changes {
	return &changes{activity: d, log: log, listeners: map[chan []activity.Event]bool{}}
}

// listen returns a channel of events from now on, nil after close or if the database
// does not answer. The channel is closed if its listener is too slow, and by close.
func (c *changes) listen(ctx context.Context) chan []activity.Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	if c.stop == nil {
		tail, err := c.activity.Tail(ctx)
		if err != nil {
			c.log.Error("changes not read", "error", err)
			return nil
		}
		following, stop := context.WithCancel(context.Background())
		c.stop = stop
		go c.follow(following, tail)
	}
	l := make(chan []activity.Event, listenerBuffer)
	c.listeners[l] = true
	return l
}

// leave ends a subscription of listen.
func (c *changes) leave(l chan []activity.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(l)
	if len(c.listeners) == 0 && c.stop != nil {
		c.stop()
		c.stop = nil
	}
}

// drop ends a listener; c.mu is held.
func (c *changes) drop(l chan []activity.Event) {
	if c.listeners[l] {
		delete(c.listeners, l)
		close(l)
	}
}

// close ends all listeners, and those that come.
func (c *changes) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for l := range c.listeners {
		c.drop(l)
	}
	if c.stop != nil {
		c.stop()
		c.stop = nil
	}
}

// follow sends events until ctx ends.
func (c *changes) follow(ctx context.Context, tail *activity.Tail) {
	tick := time.NewTicker(changePoll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		events, err := tail.Next(ctx)
		c.tell(events)
		if err != nil && ctx.Err() == nil {
			c.log.Error("changes not read", "error", err)
		}
	}
}

func (c *changes) tell(events []activity.Event) {
	if len(events) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for l := range c.listeners {
		select {
		case l <- events:
		default:
			c.drop(l)
		}
	}
}
