package problem_test

import (
	"io"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/problem"
)

func TestRetryAfterIsRoundedUp(t *testing.T) {
	t.Parallel()
	for wait, want := range map[time.Duration]string{
		0: "5", -time.Second: "5", 1: "1", time.Second: "1", time.Second + 1: "2", 90 * time.Minute: "5400",
	} {
		if got := problem.RetryAfter(&gistdeal.Error{Kind: gistdeal.Limited, RetryAfter: wait, Err: io.EOF}); got != want {
			t.Errorf("%v: Retry-After is %s, want %s", wait, got, want)
		}
	}
	if got := problem.RetryAfter(gistdeal.Errorf(gistdeal.NotFound, "no such user")); got != "" {
		t.Errorf("without a retry time: %q, want none", got)
	}
}
