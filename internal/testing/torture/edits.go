package torture

import (
	"context"
	"math/rand/v2"
	"time"
)

// editByHand archives, deletes and duplicates new deals, as people do, until ctx ends.
// The seed of the plan selects the deals.
func (w *world) editByHand(ctx context.Context) {
	rng := rand.New(rand.NewPCG(w.plan.seed, 1))
	for id := int64(0); ; {
		id += 1 + rng.Int64N(8)
		change := w.sim.ArchiveDeal
		switch rng.IntN(8) {
		case 0, 1:
			change = w.sim.DeleteDeal
		case 2:
			change = w.duplicate
		case 3:
			change = func(id int64) bool { return w.duplicate(id) && w.sim.DeleteDeal(id) }
		}
		for !change(id) {
			if wait(ctx, 10*time.Millisecond) != nil {
				return
			}
		}
	}
}

// duplicate duplicates a deal as a person does. Such copies are no mistakes.
func (w *world) duplicate(id int64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	duplicate := w.sim.DuplicateDeal(id)
	if duplicate == 0 {
		return false
	}
	w.byHand[duplicate] = true
	w.tally.count("deals duplicated by hand")
	return true
}

// disconnect cuts all connections to the database from time to time, until ctx ends.
func (w *world) disconnect(ctx context.Context) {
	rng := rand.New(rand.NewPCG(w.plan.seed, 2))
	for wait(ctx, time.Second+time.Duration(rng.Int64N(int64(4*time.Second)))) == nil {
		if w.schema.cut(ctx) == nil {
			w.tally.count("connections cut")
		}
	}
}

// rewind lets the database lose its last commits from time to time, until ctx ends, most
// often the record of a deal. Like strike, it waits until the lists show all deals: a
// process that starts now has no other way to learn of them.
func (w *world) rewind(ctx context.Context) {
	rng := rand.New(rand.NewPCG(w.plan.seed, 3))
	for wait(ctx, time.Second+time.Duration(rng.Int64N(int64(6*time.Second)))) == nil {
		more := time.Duration(rng.Int64N(int64(300 * time.Millisecond)))
		behind := func(ctx context.Context) {
			recorded := w.recorded.Load()
			for until := time.Now().Add(time.Second); w.recorded.Load() == recorded && time.Now().Before(until); {
				if wait(ctx, 10*time.Millisecond) != nil {
					return
				}
			}
			_ = wait(ctx, more)
		}
		if w.schema.rewind(ctx, behind, w.listsComplete()) == nil {
			w.tally.count("databases rewound")
		}
	}
}
