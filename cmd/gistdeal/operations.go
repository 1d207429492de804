package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"gistdeal"
	"gistdeal/internal/admin"
	"gistdeal/internal/format"
	"gistdeal/internal/loop"
)

type operationsCmd struct {
	List   operationsListCmd   `cmd:"" help:"List bulk operations, the newest first."`
	Show   operationsShowCmd   `cmd:"" help:"Show the progress and the results of an operation, problems first."`
	Cancel operationsCancelCmd `cmd:"" help:"Cancel the pending items of an operation. Those done stay."`
}

type operationsListCmd struct {
	printing
	Limit int `help:"Maximum number of operations." default:"50"`
}

// Run prints the operations.
func (c *operationsListCmd) Run(ctx context.Context, at serverFlags) error {
	return c.withGistdeal(ctx, at, reads, func(g backend) error {
		all, err := g.Operations(ctx, max(c.Limit, 1))
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
func (c *operationsShowCmd) Run(ctx context.Context, at serverFlags) error {
	return c.withGistdeal(ctx, at, reads, func(g backend) error { return c.show(ctx, g, c.ID) })
}

// show prints an operation and its results.
func (p printing) show(ctx context.Context, g backend, id string) error {
	op, err := g.Operation(ctx, id)
	if err != nil {
		return err
	}
	results, err := g.OperationResults(ctx, id)
	if err != nil {
		return err
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
func (c *operationsCancelCmd) Run(ctx context.Context, at serverFlags) error {
	return c.withGistdeal(ctx, at, writes, func(g backend) error {
		op, err := g.CancelOperation(ctx, c.ID)
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
func (p printing) followOperation(ctx context.Context, g backend, op gistdeal.Operation) error {
	if !p.JSON {
		notice(fmt.Sprintf("operation %s is for %s users; it goes on if this command ends: `gistdeal operations show %s`", op.ID, format.Number(op.Total), op.ID))
	}
	for reported := time.Now(); op.EndedAt.IsZero() && loop.Sleep(ctx, operationPoll); {
		leader, err := g.HasLeader(ctx)
		if err != nil {
			return err
		}
		if !leader {
			return p.show(ctx, g, op.ID)
		}
		if op, err = g.Operation(ctx, op.ID); err != nil {
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
	if err := p.show(ctx, g, op.ID); err != nil || op.Problems == 0 {
		return err
	}
	return fmt.Errorf("%s of %s could not be done", format.Number(op.Problems), format.Number(op.Total))
}
