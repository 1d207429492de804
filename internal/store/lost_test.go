package store_test

import (
	"errors"
	"testing"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

func TestADatabaseThatHasLostCommitsIsAcceptedOnlyByACatchUpThatKnowsIt(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "octocat", 1)
		save(t, s, 1, gists("a", 2))
		claim(t, s, "me")
		s.Exec(t, `UPDATE counters SET value = value - 1 WHERE name = 'push_seq'`) // As if the claim had been lost.
		_, _, claimErr := s.Claim(t.Context(), "me", noon, noon)
		_, adoptErr := s.Adopt(t.Context(), map[string]int64{"a0001": 1}, nil, noon)
		_, againErr := s.BeginCatchUp(t.Context(), false)
		_, firstErr := s.BeginCatchUp(t.Context(), true)
		for what, err := range map[string]error{"claim": claimErr, "adopt": adoptErr, "another catch-up": againErr, "catch-up": firstErr} {
			if !errors.Is(err, gistdeal.ErrCommitsLost) {
				t.Errorf("%s: %v, want the lost commits as the reason", what, err)
			}
		}
		_, err := s.BeginCatchUp(t.Context(), true)
		testenv.Must(t, err)
		testenv.Must(t, s.EndCatchUp(t.Context(), noon))
		claim(t, s, "me")
	})
}
