package rulesets_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"gistdeal/internal/admin/rulesets"
	"gistdeal/internal/testing/stack"
	"gistdeal/internal/testing/testenv"
)

func TestPreviewsAndCountsWaitForEachOtherUntilTheirCallerLeaves(t *testing.T) {
	t.Parallel()
	r := rulesets.New(stack.OpenAt(t, filepath.Join(t.TempDir(), "test.db")))
	for name, ask := range map[string]func(context.Context) error{
		"preview": func(ctx context.Context) error { _, err := r.Preview(ctx, nil, 1, 1); return err },
		"changes": func(ctx context.Context) error { _, _, err := r.Changes(ctx); return err },
	} {
		waits(t, name, r, ask)
	}
}

// waits checks that a request waits for its turn, and ends when its caller leaves.
func waits(t *testing.T, name string, r *rulesets.RuleSets, ask func(context.Context) error) {
	t.Helper()
	testenv.Must(t, r.Enter(t.Context()))
	gone := errors.New("the caller has left")
	ctx, leave := context.WithCancelCause(t.Context())
	ended := make(chan error)
	go func() { ended <- ask(ctx) }()
	select {
	case err := <-ended:
		t.Fatalf("%s did not wait: %v", name, err)
	default:
	}
	leave(gone)
	if err := <-ended; !errors.Is(err, gone) {
		t.Errorf("%s: %v, want the cause of its end", name, err)
	}
	r.Leave()
	if err := ask(t.Context()); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}
