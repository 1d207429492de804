package operation

import (
	"context"
	"errors"
	"time"

	"gistdeal"
	"gistdeal/internal/admin"
	"gistdeal/internal/loop"
	"gistdeal/internal/rules"
	"gistdeal/internal/testing/failpoint"
)

const (
	perTurn     = 50  // items of an operation that are changed at a time
	inFlight    = 200 // scan requests of an operation that are pending at a time: two queries of the leader
	poll        = 250 * time.Millisecond
	deleteEvery = time.Hour
)

// Run works off the operations until ctx ends. Decisions ask hub for facts that rules need.
// Only the leader may run it, but two do no
// harm: see [store.Store.WorkOperation].
func (o *Operations) Run(ctx context.Context, hub rules.GitHub) error {
	var deleted time.Time
	for delay := poll; ; {
		worked, err := o.turn(ctx, hub)
		if err == nil && time.Since(deleted) > deleteEvery {
			deleted = time.Now()
			err = errors.Join(o.db.DeleteOperations(ctx, deleted), o.db.DeleteKeys(ctx, deleted))
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && gistdeal.KindOf(err) != gistdeal.Limited: // Too many requests are pending.
			o.log.Error("operations not worked off", "error", err)
			delay = min(2*delay, loop.MaxDelay)
		case worked:
			delay = poll
			continue
		default:
			delay = poll
		}
		loop.SleepOrWake(ctx, delay, o.wake)
	}
}

// turn does a small part of each operation, and reports whether there may be more to do at
// once.
func (o *Operations) turn(ctx context.Context, hub rules.GitHub) (worked bool, err error) {
	pending, err := o.db.PendingOperations(ctx)
	if err != nil {
		return false, err
	}
	var errs error
	for _, op := range pending {
		part := o.change
		switch op.Kind {
		case gistdeal.OperationAddUsers:
			part = o.add
		case gistdeal.OperationDecideDeals:
			part = func(ctx context.Context, op gistdeal.Operation) (int, error) { return o.decide(ctx, hub, op) }
		}
		n, err := part(gistdeal.WithCaller(ctx, gistdeal.Caller{Name: op.Caller, Source: op.Source, Address: op.Address}), op)
		worked = worked || n > 0
		errs = errors.Join(errs, err)
	}
	return worked && errs == nil, errs
}

// change changes some users or deals of an operation.
func (o *Operations) change(ctx context.Context, op gistdeal.Operation) (int, error) {
	return o.work(ctx, op, func(ctx context.Context, inputs []string) ([]admin.Result, error) { return o.apply(ctx, op, inputs) })
}

// decide decides again about some deals of an operation. It asks GitHub before the transaction.
func (o *Operations) decide(ctx context.Context, hub rules.GitHub, op gistdeal.Operation) (int, error) {
	gistIDs, err := o.db.PendingKeys(ctx, op.ID, perTurn)
	if err != nil {
		return 0, err
	}
	unanswered, err := o.rules.Ask(ctx, hub, gistIDs)
	if err != nil {
		return 0, err
	}
	return o.work(ctx, op, func(ctx context.Context, inputs []string) (results []admin.Result, err error) {
		for _, id := range inputs {
			r := admin.Result{Input: id}
			if r.Result, r.Reason, err = o.rules.ApplyAgain(ctx, id, unanswered[id]); err != nil {
				return results, err
			}
			results = append(results, r)
		}
		return results, nil
	})
}

// work sets the results of some items of an operation to those that apply returns.
func (o *Operations) work(ctx context.Context, op gistdeal.Operation, apply func(context.Context, []string) ([]admin.Result, error)) (int, error) {
	return o.db.WorkOperation(ctx, op.ID, false, perTurn, time.Now(), func(ctx context.Context, items []gistdeal.OperationItem) error {
		inputs := make([]string, len(items))
		for i, item := range items {
			inputs[i] = item.Key
		}
		results, err := apply(ctx, inputs)
		for i, r := range results {
			set(&items[i], r)
		}
		return err
	})
}

// apply makes the change of an operation, and returns a result for each input.
func (o *Operations) apply(ctx context.Context, op gistdeal.Operation, inputs []string) ([]admin.Result, error) {
	if op.Kind == gistdeal.OperationChangeUsers {
		return o.admin.ChangeUsers(ctx, inputs, admin.Changes[op.Change])
	}
	s := admin.DealSelection{Gists: inputs}
	for _, state := range op.States {
		s.States = append(s.States, string(state))
	}
	deals, err := admin.DealResults{}, error(nil)
	if op.Kind == gistdeal.OperationRetryDeals {
		deals, err = o.admin.Retry(ctx, s)
	} else {
		deals, err = o.admin.Skip(ctx, s, op.Note)
	}
	return deals.Results, err
}

// set sets the result of an item.
func set(i *gistdeal.OperationItem, r admin.Result) {
	i.Result, i.Reason, i.Problem = r.Result, r.Reason, !r.Done()
	if i.Key == "" {
		i.Result, i.Reason, i.Problem = "canceled", "the person was erased", false
	}
}

// add stores the results of an operation's scan requests, and requests that more users be
// tracked if few requests are pending. It returns the number of both.
func (o *Operations) add(ctx context.Context, op gistdeal.Operation) (int, error) {
	requested, err := o.db.RequestedItems(ctx, op.ID)
	if err != nil {
		return 0, err
	}
	results, err := o.db.RequestResults(ctx, requestsOf(op, requested)...)
	done := 0
	for _, i := range requested {
		if _, ok := results[i.Key]; ok || i.Key == "" {
			done++
		}
	}
	if err == nil && done > 0 {
		_, err = o.db.WorkOperation(ctx, op.ID, true, inFlight, time.Now(), func(ctx context.Context, items []gistdeal.OperationItem) error {
			return o.collect(ctx, items, results)
		})
	}
	free := inFlight - len(requested) + done
	if err != nil || free == 0 {
		return done, err
	}
	n, err := o.db.WorkOperation(ctx, op.ID, false, free, time.Now(), func(ctx context.Context, items []gistdeal.OperationItem) error {
		return o.request(ctx, op, items)
	})
	failpoint.Hit(failpoint.UsersRequested)
	return done + n, err
}

// collect sets the results of the items whose scan request has one.
func (o *Operations) collect(ctx context.Context, items []gistdeal.OperationItem, results map[string]gistdeal.RequestResult) error {
	added, err := o.admin.AddedAll(ctx, results)
	if err != nil {
		return err
	}
	for i := range items {
		item := &items[i]
		if result, ok := added[item.Key]; ok || item.Key == "" {
			set(item, result)
		}
	}
	return nil
}

// request requests that the users of items be tracked.
func (o *Operations) request(ctx context.Context, op gistdeal.Operation, items []gistdeal.OperationItem) error {
	requests, err := o.db.RequestScan(ctx, time.Now(), requestsOf(op, items)...)
	if err != nil {
		return err
	}
	numbers := map[string]int64{}
	for _, r := range requests {
		numbers[gistdeal.LoginKey(r.Login)] = r.Number
	}
	for i := range items {
		items[i].Request = numbers[items[i].Key]
		if items[i].Key == "" {
			set(&items[i], admin.Result{})
		}
	}
	return nil
}

// requestsOf returns the scan request of each item. A login in lower case is as good as any:
// GitHub tells its spelling.
func requestsOf(op gistdeal.Operation, items []gistdeal.OperationItem) (requests []gistdeal.ScanRequest) {
	for _, i := range items {
		if i.Key != "" {
			requests = append(requests, gistdeal.ScanRequest{Login: i.Key, Backfill: op.Backfill, Tags: i.Tags, Number: i.Request})
		}
	}
	return requests
}
