package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

// callerOf returns the name of the valid token, "" if there is none.
func callerOf(t *testing.T, s *store.Store, token string) string {
	t.Helper()
	c, err := s.Caller(t.Context(), gistdeal.HashToken(token))
	if gistdeal.KindOf(err) != gistdeal.NotFound {
		testenv.Must(t, err)
	}
	return c.Name
}

func TestATokenIsValidUntilItIsRevokedAndItsVisitsStay(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		add := func(name, token string) error {
			return s.AddToken(t.Context(), name, gistdeal.HashToken(token), gistdeal.ScopeWrite, noon)
		}
		testenv.Must(t, add("ci", "one"))
		if err := add("ci", "two"); gistdeal.KindOf(err) != gistdeal.Conflict {
			t.Errorf("a second token of that name: %v", err)
		}
		if callerOf(t, s, "one") != "ci" || callerOf(t, s, "two") != "" {
			t.Error("the first token of a name is not valid")
		}
		track(t, s, "alice", 1)
		testenv.Must(t, s.RecordVisit(t.Context(), gistdeal.Visit{Visitor: "ci", UserID: 1, Seq: 7}, noon))

		testenv.Must(t, s.RevokeToken(t.Context(), "ci", time.Now()))
		if callerOf(t, s, "one") != "" {
			t.Error("a revoked token is valid")
		}
		if err := s.RevokeToken(t.Context(), "ci", time.Now()); gistdeal.KindOf(err) != gistdeal.NotFound {
			t.Errorf("a second revocation: %v", err)
		}
		if v, err := s.View(t.Context(), "ci", "alice"); err != nil || v.Seen != 7 {
			t.Errorf("seen %d, %v; want 7", v.Seen, err)
		}
		testenv.Must(t, add("ci", "two"))
	})
}

func TestTheConfiguredTokenReplacesNoOther(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		testenv.Must(t, s.AddToken(t.Context(), "ci", gistdeal.HashToken("one"), gistdeal.ScopeRead, noon))
		set := func(token string) error {
			return s.SetToken(t.Context(), gistdeal.AdminToken, gistdeal.HashToken(token), gistdeal.ScopeAdmin, noon)
		}
		if err := set("one"); gistdeal.KindOf(err) != gistdeal.Invalid {
			t.Errorf("the value of another token: %v", err)
		}
		testenv.Must(t, set("two"))
		testenv.Must(t, set("two"))
		testenv.Must(t, set("three"))
		if callerOf(t, s, "one") != "ci" || callerOf(t, s, "two") != "" || callerOf(t, s, "three") != "admin" {
			t.Error("the tokens do not have the values set last")
		}
	})
}

func TestTheLastUseOfATokenIsWrittenOncePerMinute(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		testenv.Must(t, s.AddToken(t.Context(), "ci", "hash-ci", gistdeal.ScopeRead, noon))
		testenv.Must(t, s.AddToken(t.Context(), "bi", "hash-bi", gistdeal.ScopeAdmin, noon.Add(time.Hour)))
		for _, use := range []struct{ at, want time.Duration }{
			{time.Second, time.Second}, {60 * time.Second, time.Second}, {61 * time.Second, 61 * time.Second}, {30 * time.Second, 61 * time.Second},
		} {
			testenv.Must(t, s.UseToken(t.Context(), "hash-ci", noon.Add(use.at)))
			got, err := s.Tokens(t.Context())
			testenv.Must(t, err)
			want := []gistdeal.Token{
				{Name: "bi", Scope: gistdeal.ScopeAdmin, CreatedAt: noon.Add(time.Hour)},
				{Name: "ci", Scope: gistdeal.ScopeRead, CreatedAt: noon, LastUsedAt: noon.Add(use.want)},
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("used %v after noon: %s", use.at, diff)
			}
		}
		testenv.Must(t, s.UseToken(t.Context(), "hash of a token that was revoked meanwhile", noon))
	})
}
