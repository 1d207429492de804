package push

import (
	"context"

	"gistdeal"
	"gistdeal/internal/loop"
)

// orders is what operators want of the pushes.
type orders struct {
	count  int64 // of requests for work
	target gistdeal.Target
}

// readOrders returns the orders so far, or the known ones if they cannot be read.
func (p *Pusher) readOrders(ctx context.Context, known orders) orders {
	n, err := p.store.Orders(ctx)
	if err != nil {
		return known
	}
	target, err := p.chosenTarget(ctx)
	if err != nil {
		return known
	}
	return orders{count: n, target: target}
}

// awaitTry waits until the next try is due, or until an operator gives another order than
// the known ones. It returns false when ctx ends.
func (p *Pusher) awaitTry(ctx context.Context, known orders) bool {
	for {
		left := max(p.Backoff.Left(), p.Faults.Left())
		if left <= 0 {
			return ctx.Err() == nil
		}
		if !loop.Sleep(ctx, min(left, targetPoll)) {
			return false
		}
		if now := p.readOrders(ctx, known); now != known {
			known = now
			p.Backoff.TryNow()
			p.Faults.TryNow()
		}
	}
}
