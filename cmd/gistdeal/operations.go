package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"gistdeal"
	"gistdeal/internal/admin"
	"gistdeal/internal/format"
	"gistdeal/internal/loop"
	"gistdeal/internal/operation"
	"gistdeal/internal/store"
)

type operationsCmd struct {
	List   operationsListCmd   `cmd:"" help:"List bulk operations, the newest first."`
	Show   operationsShowCmd   `cmd:"" help:"Show the progress and the results of an operation, problems first."`
	Cancel operationsCancelCmd `cmd:"" help:"Cancel what is pending of an operation. What was done stays."`
}

type operationsListCmd struct {
	printing
	Limit int `help:"Maximum number of operations." default:"50"`
}

// Run prints the operations.
func (c *operationsListCmd) Run(ctx context.Context) error {
	return c.withStore(ctx, reads, func(db *store.Store) error {
		all, err := operation.New(db, nil).List(ctx, gistdeal.Operation{}, false, max(c.Limit, 1))
		if err != nil {
			return err
		}
		return c.print(struct {
			Operations []gistdeal.Operation `json:"operations"`
		}{all}, func(t *table) {
			t.row("ID", "KIND", "STATE", "DONE", "TOTAL", "PROBLEMS", "BEGUN", "BY")
			for _, op := range all {
				t.row(op.ID, kindOf(op), string(op.State), format.Number(op.Done), format.Number(op.Total), format.Number(op.Problems), ago(op.CreatedAt), op.Caller)
			}
		})
	})
}

// kindOf returns the kind of an operation, for people.
func kindOf(op gistdeal.Operation) string {
	if op.Change != "" {
		return op.Change + " users"
	}
	return spaced(string(op.Kind))
}

type operationsShowCmd struct {
	printing
	ID string `arg:"" name:"id" help:"The id of an operation."`
}

// Run prints the operation and its results.
func (c *operationsShowCmd) Run(ctx context.Context) error {
	return c.withStore(ctx, reads, func(db *store.Store) error { return c.show(ctx, operation.New(db, nil), c.ID) })
}

// show prints an operation and its results.
func (p printing) show(ctx context.Context, operations *operation.Operations, id string) error {
	op, err := operations.Get(ctx, id)
	if err != nil {
		return err
	}
	items, err := operations.AllItems(ctx, id)
	if err != nil {
		return err
	}
	results := make([]admin.Result, len(items))
	for i, item := range items {
		results[i] = admin.Result{Input: item.Input, Result: cmp.Or(item.Result, "pending"), Reason: item.Reason}
	}
	return p.print(struct {
		gistdeal.Operation
		Items []admin.Result `json:"items"`
	}{op, results}, func(t *table) {
		for _, r := range results {
			t.row(r.Input, spaced(r.Result), r.Reason)
		}
		t.end()
		t.row()
		t.row(summary(op))
	})
}

// summary returns the progress of an operation in a line.
func summary(op gistdeal.Operation) string {
	var counts []string
	for result, n := range op.Results {
		counts = append(counts, format.Number(n)+" "+spaced(result))
	}
	slices.Sort(counts)
	text := fmt.Sprintf("%s, %s: %s of %s done", kindOf(op), op.State, format.Number(op.Done), format.Number(op.Total))
	if len(counts) > 0 {
		text += ": " + strings.Join(counts, ", ")
	}
	return text
}

type operationsCancelCmd struct {
	printing
	ID string `arg:"" name:"id" help:"The id of an operation."`
}

// Run cancels the operation.
func (c *operationsCancelCmd) Run(ctx context.Context) error {
	return c.withStore(ctx, writes, func(db *store.Store) error {
		op, err := operation.New(db, nil).Cancel(ctx, c.ID)
		if err != nil {
			return err
		}
		return c.print(op, func(t *table) { t.row(summary(op)) })
	})
}

const (
	operationPoll  = 250 * time.Millisecond
	operationEvery = 5 * time.Second
)

// followOperation reports the progress of an operation until it ends, and then its results.
// The operation goes on if the command ends before.
func (p printing) followOperation(ctx context.Context, db *store.Store, op gistdeal.Operation) error {
	operations := operation.New(db, nil)
	if !p.JSON {
		notice(fmt.Sprintf("operation %s is for %s users; it goes on if this command ends: `gistdeal operations show %s`", op.ID, format.Number(op.Total), op.ID))
	}
	for reported := time.Now(); op.EndedAt.IsZero() && loop.Sleep(ctx, operationPoll); {
		leader, err := db.HasLeader(ctx)
		if err != nil {
			return err
		}
		if !leader {
			return p.show(ctx, operations, op.ID)
		}
		if op, err = operations.Get(ctx, op.ID); err != nil {
			return err
		}
		if !p.JSON && time.Since(reported) > operationEvery {
			reported = time.Now()
			notice(summary(op))
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := p.show(ctx, operations, op.ID); err != nil || op.Problems == 0 {
		return err
	}
	return fmt.Errorf("%s of %s could not be done", format.Number(op.Problems), format.Number(op.Total))
}
