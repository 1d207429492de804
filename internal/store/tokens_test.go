package store_test

import (
	"slices"
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
	c, err := s.TokenOf(t.Context(), gistdeal.HashToken(token), noon)
	if gistdeal.KindOf(err) != gistdeal.NotFound {
		testenv.Must(t, err)
	}
	return c.Name
}

func TestATokenIsValidUntilItIsRevokedAndItsVisitsStay(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		add := func(name, token string) error {
			return s.AddToken(t.Context(), gistdeal.Token{Name: name, Scope: gistdeal.ScopeWrite, CreatedAt: noon}, gistdeal.HashToken(token))
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
		testenv.Must(t, s.AddToken(t.Context(), gistdeal.Token{Name: "ci", Scope: gistdeal.ScopeRead, CreatedAt: noon}, gistdeal.HashToken("one")))
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
		testenv.Must(t, s.AddToken(t.Context(), gistdeal.Token{Name: "ci", Scope: gistdeal.ScopeRead, CreatedAt: noon}, "hash-ci"))
		testenv.Must(t, s.AddToken(t.Context(), gistdeal.Token{Name: "bi", Scope: gistdeal.ScopeAdmin, CreatedAt: noon.Add(time.Hour)}, "hash-bi"))
		for _, use := range []struct{ at, want time.Duration }{
			{time.Second, time.Second}, {60 * time.Second, time.Second}, {61 * time.Second, 61 * time.Second}, {30 * time.Second, 61 * time.Second},
		} {
			testenv.Must(t, s.UseToken(t.Context(), "hash-ci", "192.0.2.7", noon.Add(use.at)))
			got, err := s.Tokens(t.Context(), noon)
			testenv.Must(t, err)
			want := []gistdeal.Token{
				{Name: "bi", Scope: gistdeal.ScopeAdmin, CreatedAt: noon.Add(time.Hour)},
				{Name: "ci", Scope: gistdeal.ScopeRead, CreatedAt: noon, LastUsedAt: noon.Add(use.want), LastUsedFrom: "192.0.2.7"},
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("used %v after noon: %s", use.at, diff)
			}
		}
		testenv.Must(t, s.UseToken(t.Context(), "hash of a token that was revoked meanwhile", "", noon))
	})
}

func TestAnExpiredTokenIsKnownAndMarkedAsExpired(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		want := gistdeal.Token{Name: "ci", Scope: gistdeal.ScopeRead, CreatedAt: noon, ExpiresAt: noon.Add(time.Hour), Rate: 5}
		testenv.Must(t, s.AddToken(t.Context(), want, "hash"))
		got, err := s.TokenOf(t.Context(), "hash", noon.Add(2*time.Hour))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v %s", err, diff)
		}
		if got.Expired(noon.Add(time.Hour-time.Millisecond)) || !got.Expired(noon.Add(time.Hour)) {
			t.Error("a token ends at its expiry, not before or after")
		}
		if exist, err := s.HasTokens(t.Context()); err != nil || !exist {
			t.Errorf("an expired token lets everybody in: %t, %v", exist, err)
		}
	})
}

// rotate rotates the token "ci" to the value with that hash.
func rotate(t *testing.T, s *store.Store, hash string, overlap time.Duration, expires, now time.Time) error {
	t.Helper()
	_, err := s.RotateToken(t.Context(), "ci", gistdeal.Rotation{Hash: hash, Overlap: overlap, ExpiresAt: expires}, now)
	return err
}

func TestTheOldValueOfARotatedTokenIsValidUntilTheOverlapEnds(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		valid := func(now time.Time, want ...string) {
			t.Helper()
			for _, hash := range []string{"one", "two", "three", "four"} {
				token, err := s.TokenOf(t.Context(), hash, now)
				if gistdeal.KindOf(err) != gistdeal.NotFound {
					testenv.Must(t, err)
				}
				if (token.Name == "ci") != slices.Contains(want, hash) {
					t.Errorf("%v after noon: %s is %q, want valid %v", now.Sub(noon), hash, token.Name, want)
				}
			}
		}
		if err := rotate(t, s, "two", time.Hour, time.Time{}, noon); gistdeal.KindOf(err) != gistdeal.NotFound {
			t.Errorf("a token that does not exist: %v", err)
		}
		testenv.Must(t, s.AddToken(t.Context(), gistdeal.Token{Name: "ci", Scope: gistdeal.ScopeRead, CreatedAt: noon}, "one"))
		addSession(t, s, "browser", "one", noon, noon.Add(48*time.Hour))
		testenv.Must(t, rotate(t, s, "two", 24*time.Hour, time.Time{}, noon))
		valid(noon.Add(24*time.Hour-time.Millisecond), "one", "two")
		valid(noon.Add(24*time.Hour), "two")
		addSession(t, s, "other", "two", noon.Add(time.Hour), noon.Add(48*time.Hour))
		if _, err := s.Session(t.Context(), "browser", noon.Add(time.Hour)); err != nil {
			t.Errorf("a log-in with the old value during the overlap: %v", err)
		}

		// A rotation during the overlap ends the oldest value.
		testenv.Must(t, rotate(t, s, "three", time.Hour, time.Time{}, noon.Add(time.Hour)))
		valid(noon.Add(time.Hour), "two", "three")
		testenv.Must(t, rotate(t, s, "four", 0, time.Time{}, noon.Add(time.Hour)))
		valid(noon.Add(time.Hour), "four")
	})
}

func TestARotationNeverOutlivesTheExpiryOfTheOldValue(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		testenv.Must(t, s.AddToken(t.Context(), gistdeal.Token{Name: "ci", Scope: gistdeal.ScopeRead, CreatedAt: noon, ExpiresAt: noon.Add(time.Hour)}, "one"))
		testenv.Must(t, rotate(t, s, "two", 24*time.Hour, noon.Add(48*time.Hour), noon))
		if _, err := s.TokenOf(t.Context(), "one", noon.Add(time.Hour)); gistdeal.KindOf(err) != gistdeal.NotFound {
			t.Errorf("the old value after its expiry: %v", err)
		}
		late := noon.Add(72 * time.Hour)
		if err := rotate(t, s, "three", time.Hour, time.Time{}, late); gistdeal.KindOf(err) != gistdeal.Invalid {
			t.Errorf("a rotation of an expired token without a new expiry: %v", err)
		}
		testenv.Must(t, rotate(t, s, "three", time.Hour, late.Add(time.Hour), late))
		if _, err := s.TokenOf(t.Context(), "two", late); gistdeal.KindOf(err) != gistdeal.NotFound {
			t.Errorf("a rotation made the expired value valid again: %v", err)
		}
	})
}

func TestTheUseOfAnOldValueIsRecordedApart(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		testenv.Must(t, s.AddToken(t.Context(), gistdeal.Token{Name: "ci", Scope: gistdeal.ScopeRead, CreatedAt: noon}, "one"))
		testenv.Must(t, rotate(t, s, "two", time.Hour, time.Time{}, noon))
		want := gistdeal.Token{Name: "ci", Scope: gistdeal.ScopeRead, CreatedAt: noon, OldValidUntil: noon.Add(time.Hour)}
		check := func(now time.Time) {
			t.Helper()
			got, err := s.Tokens(t.Context(), now)
			if diff := cmp.Diff([]gistdeal.Token{want}, got); diff != "" || err != nil {
				t.Errorf("%v %s", err, diff)
			}
		}
		check(noon)
		testenv.Must(t, s.UseToken(t.Context(), "two", "192.0.2.1", noon.Add(time.Second)))
		want.LastUsedAt, want.LastUsedFrom = noon.Add(time.Second), "192.0.2.1"
		check(noon)
		testenv.Must(t, s.UseToken(t.Context(), "one", "192.0.2.2", noon.Add(2*time.Second)))
		want.LastUsedAt, want.LastUsedFrom, want.OldUsedAt = noon.Add(2*time.Second), "192.0.2.2", noon.Add(2*time.Second)
		check(noon)
		testenv.Must(t, s.UseToken(t.Context(), "one", "192.0.2.3", noon.Add(3*time.Second)))
		check(noon)
		want.OldValidUntil, want.OldUsedAt = time.Time{}, time.Time{}
		check(noon.Add(time.Hour))
	})
}
