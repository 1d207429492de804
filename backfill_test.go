package gistdeal_test

import (
	"testing"
	"time"

	"gistdeal"
)

func TestABackfillPolicyIsAllNoneOrADate(t *testing.T) {
	t.Parallel()
	tracked := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for policy, want := range map[gistdeal.Backfill]time.Time{
		"all":        {},
		"none":       tracked,
		"2026-01-31": time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC),
		"2026-03-02": tracked, // A gist that is created after tracking began gets a deal.
	} {
		if err := policy.Check(); err != nil {
			t.Error(err)
		}
		if got := policy.Cutoff(tracked); !got.Equal(want) {
			t.Errorf("%s: the cut-off is %v, want %v", policy, got, want)
		}
	}
	for _, policy := range []gistdeal.Backfill{"", "new", "ALL", "2026-02-30", "2026-1-31", "2026-01-31T00:00:00Z"} {
		if gistdeal.KindOf(policy.Check()) != gistdeal.Invalid {
			t.Errorf("%q is a policy", policy)
		}
	}
}
