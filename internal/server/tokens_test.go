package server_test

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gistdeal"
	"gistdeal/internal/server"
	"gistdeal/internal/testing/stack"
	"gistdeal/internal/testing/testenv"
)

// limited is a keyring with one token that has a rate or an expiry.
type limited struct {
	keyring
	token gistdeal.Token
}

func (k limited) TokenOf(context.Context, string, time.Time) (gistdeal.Token, error) {
	return k.token, nil
}

func TestATokenWithARateIsLimitedWhereverItIsUsed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db := limited{token: gistdeal.Token{Name: "bot", Scope: gistdeal.ScopeRead, Rate: 3}}
		h := server.New(db, answering{errNobody}, server.Options{}).Handler()
		ask := func(peer string) reply { return from(h, peer, "/trackedusers", right) }
		peers := []string{"192.0.2.7:1", "192.0.2.8:1", "127.0.0.1:1"}
		for i := range 12 {
			if got := ask(peers[i%len(peers)]); got.status != 200 {
				t.Fatalf("request %d: %d", i+1, got.status)
			}
		}
		for _, peer := range peers {
			got := ask(peer)
			problem(t, got, 429)
			if got.header.Get("Retry-After") != "1" || got.header.Get("Set-Cookie") != "" {
				t.Errorf("%v", got.header)
			}
		}
		time.Sleep(time.Second)
		for i := range 3 {
			if got := ask(peers[0]); got.status != 200 {
				t.Fatalf("a second later, request %d: %d", i+1, got.status)
			}
		}
		problem(t, ask(peers[0]), 429)
	})
}

func TestAnExpiredTokenIsRefusedAsSuchAndLoggedOnceAnHour(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := &testenv.Log{}
		db := limited{token: gistdeal.Token{Name: "bot", Scope: gistdeal.ScopeRead, ExpiresAt: time.Now().Add(time.Hour)}}
		h := server.New(db, answering{errNobody}, server.Options{Log: log.Logger()}).Handler()
		for range 3 {
			if got := from(h, "192.0.2.7:1", "/trackedusers", right); got.status != 200 {
				t.Fatalf("before the expiry: %d", got.status)
			}
		}
		if n := strings.Count(log.String(), "token expires soon"); n != 1 {
			t.Errorf("%d warnings before the expiry, want one a day", n)
		}
		time.Sleep(time.Hour)
		for range 20 { // More than wrong tokens may be sent.
			got := from(h, "192.0.2.7:1", "/trackedusers", right)
			problem(t, got, 401)
			if !strings.Contains(got.body, "the token has expired") {
				t.Fatalf("the answer is %s", got.body)
			}
		}
		problem(t, sent(h, "POST", "192.0.2.7:1", "/login", `{"token":"`+ciToken+`"}`), 401)
		time.Sleep(time.Hour)
		from(h, "192.0.2.7:1", "/trackedusers", right)
		if n := strings.Count(log.String(), "expired token refused"); n != 2 || !strings.Contains(log.String(), "192.0.2.7") {
			t.Errorf("%d events in two hours, want 2:\n%s", n, log)
		}
	})
}

func TestTheAddressOfTheLastUseIsTheClientsNotTheProxys(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		trusted string
		want    string
	}{
		"a trusted proxy":   {"127.0.0.0/8", "192.0.2.9"},
		"any other program": {"10.0.0.0/8", "127.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := stack.Open(t)
			token(t, db)
			w := newWorldOver(t, db, answering{errNobody}, server.Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix(tt.trusted)}}, nil)
			w.ask(http.MethodGet, "/trackedusers", right, "X-Forwarded-For: 192.0.2.9")
			testenv.Eventually(t, "the last use is written", func() bool {
				tokens, err := db.Tokens(t.Context(), time.Now())
				testenv.Must(t, err)
				return tokens[0].LastUsedFrom == tt.want
			})
		})
	}
}

func TestALogInWithAnOldValueEndsWithTheOverlap(t *testing.T) {
	t.Parallel()
	db := stack.Open(t)
	token(t, db)
	b := &browser{t: t, handler: server.New(db, answering{errNobody}, server.Options{}).Handler()}
	b.logIn(ciToken)
	rotate := func(value string, overlap time.Duration) {
		t.Helper()
		_, err := db.RotateToken(t.Context(), "ci", gistdeal.Rotation{Hash: gistdeal.HashToken(value), Overlap: overlap}, time.Now())
		testenv.Must(t, err)
	}
	rotate("second", time.Hour)
	if got := b.send("GET", "/trackedusers", ""); got.status != 200 {
		t.Errorf("during the overlap: %d", got.status)
	}
	rotate("third", time.Hour)
	problem(t, b.send("GET", "/trackedusers", ""), 401)
}
