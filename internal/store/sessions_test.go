package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

// addSession stores a log-in by a token.
func addSession(t *testing.T, s *store.Store, hash, token string, now, expires time.Time) {
	t.Helper()
	testenv.Must(t, s.AddSession(t.Context(), hash, gistdeal.Session{TokenHash: token, ExpiresAt: expires}, now))
}

func TestALogInLastsUntilItEndsOrExpires(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		valid := func(session string, now time.Time) bool {
			t.Helper()
			one, err := s.Session(t.Context(), session, now)
			if gistdeal.KindOf(err) != gistdeal.NotFound {
				testenv.Must(t, err)
			}
			return one.TokenHash == "token"
		}
		if exist, err := s.HasTokens(t.Context()); err != nil || exist {
			t.Errorf("a new database has tokens: %t, %v", exist, err)
		}
		testenv.Must(t, s.AddToken(t.Context(), gistdeal.Token{Name: "ci", Scope: gistdeal.ScopeRead, CreatedAt: noon}, "token"))
		if exist, err := s.HasTokens(t.Context()); err != nil || !exist {
			t.Errorf("with a token: %t, %v", exist, err)
		}
		for _, session := range []string{"one", "two"} {
			addSession(t, s, session, "token", noon, noon.Add(time.Hour))
		}
		testenv.Must(t, s.EndSession(t.Context(), "one", time.Now()))
		testenv.Must(t, s.EndSession(t.Context(), "nobody's", time.Now()))
		if valid("one", noon) || !valid("two", noon.Add(59*time.Minute)) || valid("two", noon.Add(time.Hour)) {
			t.Error("log-in one has ended, log-in two lasts an hour")
		}
		// The next log-in deletes those that expired or lost their token.
		addSession(t, s, "three", "token", noon.Add(time.Hour), noon.Add(2*time.Hour))
		if valid("two", noon) || !valid("three", noon) {
			t.Error("an expired log-in is stored")
		}
		testenv.Must(t, s.RevokeToken(t.Context(), "ci", time.Now()))
		addSession(t, s, "four", "other", noon, noon.Add(time.Hour))
		if valid("three", noon) {
			t.Error("a log-in without its token is stored")
		}
	})
}

func TestAPersonKeepsTheNameOfTheFirstSignIn(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		signIn := func(hash, issuer, subject, name string, scope gistdeal.Scope, want string) {
			t.Helper()
			p := gistdeal.Person{Issuer: issuer, Subject: subject, Name: name, Scope: scope}
			one, err := s.SignedIn(t.Context(), p, noon)
			testenv.Must(t, err)
			testenv.Must(t, s.AddSession(t.Context(), hash, gistdeal.Session{Person: one, ExpiresAt: noon.Add(time.Hour)}, noon))
			stored, err := s.Session(t.Context(), hash, noon)
			p.Name = want
			if err != nil || one != p || stored.Person != p || !stored.ExpiresAt.Equal(noon.Add(time.Hour)) {
				t.Errorf("%s: %+v, stored %+v, %v; want %s", hash, one, stored, err, want)
			}
		}
		const a, b = "https://a.example", "https://b.example"
		signIn("1", a, "7", "ann@example.com", "read", "ann@example.com")
		signIn("2", a, "7", "ann.new@example.com", "read", "ann@example.com")
		signIn("3", b, "7", "ann@example.com", "admin", "ann@example.com#2")
		signIn("4", a, "8", "ann@example.com", "read", "ann@example.com#3")
		if _, err := s.Session(t.Context(), "1", noon); err != nil {
			t.Errorf("an earlier log-in with the same scope: %v", err)
		}
		signIn("5", a, "7", "ann@example.com", "write", "ann@example.com")
		for _, ended := range []string{"1", "2"} {
			if _, err := s.Session(t.Context(), ended, noon); gistdeal.KindOf(err) != gistdeal.NotFound {
				t.Errorf("an earlier log-in with another scope: %v", err)
			}
		}
		testenv.Must(t, s.EndSessionsOf(t.Context(), gistdeal.Person{Issuer: a, Subject: "7"}))
		for hash, want := range map[string]bool{"3": true, "4": true, "5": false} {
			if _, err := s.Session(t.Context(), hash, noon); (err == nil) != want {
				t.Errorf("after the end of one person's log-ins, %s: %v", hash, err)
			}
		}
	})
}

func TestAPersonIsSignedOutAndForgotten(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		p := gistdeal.Person{Issuer: "https://a.example", Subject: "7", Name: "ann@example.com", Scope: "write"}
		signIn := func(hash string) {
			t.Helper()
			_, err := s.SignedIn(t.Context(), p, noon)
			testenv.Must(t, err)
			testenv.Must(t, s.AddSession(t.Context(), hash, gistdeal.Session{Person: p, ExpiresAt: noon.Add(time.Hour)}, noon))
		}
		want := []gistdeal.KnownPerson{{Name: p.Name, Issuer: p.Issuer, Subject: p.Subject, Scope: "write", LogIns: 2, SignedInAt: noon}}
		check := func() {
			t.Helper()
			got, err := s.People(t.Context(), noon)
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" || err != nil {
				t.Errorf("%v %s", err, diff)
			}
		}
		signIn("1")
		signIn("2")
		check()
		testenv.Must(t, s.SignOut(t.Context(), p.Name, noon))
		want[0].Scope, want[0].LogIns = "", 0
		check()
		if _, err := s.Session(t.Context(), "1", noon); gistdeal.KindOf(err) != gistdeal.NotFound {
			t.Errorf("a log-in after the sign-out: %v", err)
		}

		signIn("3")
		track(t, s, "alice", 1)
		for _, visitor := range []string{p.Name, "ci"} {
			testenv.Must(t, s.RecordVisit(t.Context(), gistdeal.Visit{Visitor: visitor, UserID: 1, Seq: 7}, noon))
		}
		testenv.Must(t, s.AddOperation(t.Context(), gistdeal.Operation{ID: "1", Kind: gistdeal.OperationAddUsers, Caller: p.Name, Address: "192.0.2.7", CreatedAt: noon}, nil))
		k := gistdeal.IdempotencyKey{Caller: p.Name, Key: "1", Request: "?"}
		claim, _, err := s.ClaimKey(t.Context(), k, "first", noon)
		testenv.Must(t, errors.Join(err, s.EndKey(t.Context(), k, claim, gistdeal.IdempotentAnswer{Status: 200, Body: "{}"})))
		testenv.Must(t, s.ForgetPerson(t.Context(), p.Name, noon))
		want = nil
		check()
		if o, err := s.Operation(t.Context(), "1"); err != nil || o.Caller != "" || o.Address != "" {
			t.Errorf("the operation of a forgotten person: %+v, %v", o, err)
		}
		if claim, _, err := s.ClaimKey(t.Context(), k, "second", noon); err != nil || claim != "second" {
			t.Errorf("an idempotency key of a forgotten person: %q, %v", claim, err)
		}
		for visitor, seen := range map[string]int64{p.Name: 0, "ci": 7} {
			if v, err := s.View(t.Context(), visitor, "alice"); err != nil || v.Seen != seen {
				t.Errorf("%s has seen %d, %v; want %d", visitor, v.Seen, err, seen)
			}
		}
		for _, again := range []error{s.SignOut(t.Context(), p.Name, noon), s.ForgetPerson(t.Context(), p.Name, noon)} {
			if gistdeal.KindOf(again) != gistdeal.NotFound {
				t.Errorf("somebody who is not known: %v", again)
			}
		}
	})
}

func TestARestoreEndsTheLogInsOfTheBackup(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		testenv.Must(t, s.AddToken(t.Context(), gistdeal.Token{Name: "ci", Scope: gistdeal.ScopeRead, CreatedAt: noon}, "token"))
		addSession(t, s, "one", "token", noon, noon.Add(time.Hour))
		testenv.Must(t, s.RecordRestore(t.Context(), "copy.db", noon))
		if _, err := s.Session(t.Context(), "one", noon); gistdeal.KindOf(err) != gistdeal.NotFound {
			t.Errorf("a log-in of the backup, which may have ended since: %v", err)
		}
	})
}
