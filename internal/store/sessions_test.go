package store_test

import (
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

func TestALogInLastsUntilItEndsOrExpires(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		valid := func(session string, now time.Time) bool {
			t.Helper()
			token, err := s.SessionToken(t.Context(), session, now)
			if gistdeal.KindOf(err) != gistdeal.NotFound {
				testenv.Must(t, err)
			}
			return token == "token"
		}
		if exist, err := s.HasTokens(t.Context()); err != nil || exist {
			t.Errorf("a new database has tokens: %t, %v", exist, err)
		}
		testenv.Must(t, s.AddToken(t.Context(), gistdeal.Token{Name: "ci", Scope: gistdeal.ScopeRead, CreatedAt: noon}, "token"))
		if exist, err := s.HasTokens(t.Context()); err != nil || !exist {
			t.Errorf("with a token: %t, %v", exist, err)
		}
		for _, session := range []string{"one", "two"} {
			testenv.Must(t, s.AddSession(t.Context(), session, "token", noon, noon.Add(time.Hour)))
		}
		testenv.Must(t, s.EndSession(t.Context(), "one", time.Now()))
		testenv.Must(t, s.EndSession(t.Context(), "nobody's", time.Now()))
		if valid("one", noon) || !valid("two", noon.Add(59*time.Minute)) || valid("two", noon.Add(time.Hour)) {
			t.Error("log-in one has ended, log-in two lasts an hour")
		}
		// The next log-in deletes those that expired or lost their token.
		testenv.Must(t, s.AddSession(t.Context(), "three", "token", noon.Add(time.Hour), noon.Add(2*time.Hour)))
		if valid("two", noon) || !valid("three", noon) {
			t.Error("an expired log-in is stored")
		}
		testenv.Must(t, s.RevokeToken(t.Context(), "ci", time.Now()))
		testenv.Must(t, s.AddSession(t.Context(), "four", "other", noon, noon.Add(time.Hour)))
		if valid("three", noon) {
			t.Error("a log-in without its token is stored")
		}
	})
}
