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

func TestPreviewsWaitForEachOtherUntilTheirCallerLeaves(t *testing.T) {
	t.Parallel()
	r := rulesets.New(stack.OpenAt(t, filepath.Join(t.TempDir(), "test.db")))
	testenv.Must(t, r.Enter(t.Context()))
	gone := errors.New("the caller has left")
	ctx, leave := context.WithCancelCause(t.Context())
	ended := make(chan error)
	go func() {
		_, err := r.Preview(ctx, nil, 1, 1)
		ended <- err
	}()
	select {
	case err := <-ended:
		t.Fatalf("the preview did not wait: %v", err)
	default:
	}
	leave(gone)
	if err := <-ended; !errors.Is(err, gone) {
		t.Errorf("%v, want the cause of its end", err)
	}
	r.Leave()
	if _, err := r.Preview(t.Context(), nil, 1, 1); err != nil {
		t.Error(err)
	}
}
