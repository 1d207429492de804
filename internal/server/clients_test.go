package server_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gistdeal"
	"gistdeal/internal/server"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/stack"
	"gistdeal/internal/testing/testenv"
)

// keyring is a database without users and with only one token, ciToken. It needs
// no files, so it works in a bubble of synctest.
type keyring struct{ server.Store }

func (keyring) TokenOf(_ context.Context, hash string, _ time.Time) (gistdeal.Token, error) {
	if hash != gistdeal.HashToken(ciToken) {
		return gistdeal.Token{}, gistdeal.Errorf(gistdeal.NotFound, "no such token")
	}
	return gistdeal.Token{Name: "ci", Scope: gistdeal.ScopeAdmin}, nil
}

func (keyring) Logins(context.Context) ([]string, error)                   { return []string{}, nil }
func (keyring) Ping(context.Context) error                                 { return nil }
func (keyring) UseToken(context.Context, string, string, time.Time) error  { return nil }
func (keyring) HasTokens(context.Context) (bool, error)                    { return true, nil }
func (keyring) RecordFailedLogIn(context.Context, string, time.Time) error { return nil }
func (keyring) AddSession(context.Context, string, gistdeal.Session, time.Time) error {
	return nil
}

func (keyring) Session(context.Context, string, time.Time) (gistdeal.Session, error) {
	return gistdeal.Session{}, gistdeal.Errorf(gistdeal.NotFound, "no such log-in")
}

func newKeyring() *server.Server {
	return server.New(keyring{}, answering{errNobody}, server.Options{TrustedProxies: []netip.Prefix{
		netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8:1::/48"),
	}})
}

func from(h http.Handler, peer, path string, headers ...string) reply {
	return sent(h, "GET", peer, path, "", headers...)
}

// sent sends a request of a peer to the handler; headers are "Name: value".
func sent(h http.Handler, method, peer, path, body string, headers ...string) reply {
	r := httptest.NewRequestWithContext(context.Background(), method, path, strings.NewReader(body))
	r.RemoteAddr, r.Host = peer, "gistdeal.example"
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	return call(h, r)
}

const (
	right = "Authorization: Bearer " + ciToken
	wrong = "Authorization: Bearer wrong"
)

func TestManyWrongTokensAreRefusedAndLockNobodyOut(t *testing.T) {
	t.Parallel()
	ways := map[string]func(http.Handler) reply{
		"as a bearer": func(h http.Handler) reply { return from(h, "192.0.2.7:1", "/trackedusers", wrong) },
		"as a cookie": func(h http.Handler) reply { return from(h, "192.0.2.7:1", "/trackedusers", "Cookie: gistdeal=d3Jvbmc") },
		"at a log-in": func(h http.Handler) reply { return sent(h, "POST", "192.0.2.7:1", "/login", `{"token":"wrong"}`) },
		"to /readyz":  func(h http.Handler) reply { return from(h, "192.0.2.7:1", "/readyz", wrong) },
	}
	for name, guess := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := server.New(keyring{}, answering{errNobody}, server.Options{Details: func(context.Context) any { return nil }})
				h := s.Handler()
				for i := range 10 {
					if got := guess(h); got.status == 429 {
						t.Fatalf("guess %d: 429", i+1)
					}
				}
				refused := guess(h)
				problem(t, refused, 429)
				if got := from(h, "192.0.2.7:2", "/trackedusers", right); got.status != 200 {
					t.Errorf("the right token of the same client: %d", got.status)
				}
				if got := sent(h, "POST", "192.0.2.7:2", "/login", `{"token":"`+ciToken+`"}`); got.status != 200 {
					t.Errorf("a log-in of the same client: %d", got.status)
				}
				if got := from(h, "192.0.2.7:2", "/livez"); got.status != 200 {
					t.Errorf("without a token: %d", got.status)
				}
				problem(t, from(h, "192.0.2.8:1", "/trackedusers", wrong), 401) // another client
				seconds, err := strconv.Atoi(refused.header.Get("Retry-After"))
				testenv.Must(t, err)
				time.Sleep(time.Duration(seconds) * time.Second)
				if got := guess(h); got.status == 429 || seconds > 60 {
					t.Errorf("after Retry-After of %d s: %d", seconds, got.status)
				}
				problem(t, guess(h), 429)
				time.Sleep(time.Minute)
				for i := range 10 {
					if got := guess(h); got.status == 429 {
						t.Fatalf("a minute later, guess %d: 429", i+1)
					}
				}
			})
		})
	}
}

func TestTheNumberOfRequestsPerClientIsLimited(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, peer, header string
		bounded            bool
	}{
		{"another machine", "192.0.2.7:1", "Accept: */*", true},
		{"another machine with a token", "192.0.2.7:1", right, true},
		{"this machine", "127.0.0.1:1", "Accept: */*", false},
		{"this machine by IPv6", "[::1]:1", "Accept: */*", false},
		{"a forged address", "192.0.2.7:1", "X-Forwarded-For: 127.0.0.1", true},
		{"a proxy on this machine", "127.0.0.1:1", "X-Forwarded-For: 192.0.2.9", true},
		{"a proxy that does not say for whom", "127.0.0.1:1", "Via: 1.1 proxy", true},
		{"a peer without an address", "@", "Accept: */*", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := newKeyring().Handler()
				for i := range 200 {
					if got := from(h, tt.peer, "/livez", tt.header); got.status != 200 {
						t.Fatalf("request %d: %d", i+1, got.status)
					}
				}
				if got := from(h, tt.peer, "/livez", tt.header); (got.status == 429) != tt.bounded || (got.header.Get("Retry-After") == "1") != tt.bounded {
					t.Errorf("request 201: %d, want 429: %t", got.status, tt.bounded)
				}
				time.Sleep(time.Second)
				for i := range 50 {
					if got := from(h, tt.peer, "/livez", tt.header); got.status != 200 {
						t.Fatalf("a second later, request %d: %d", i+1, got.status)
					}
				}
			})
		})
	}
}

func TestClientsAreDistinguishedByTheirAddress(t *testing.T) {
	t.Parallel()
	const proxy = "127.0.0.1:1"
	tests := []struct {
		name, peerA, forA, peerB, forB string
		same                           bool
	}{
		{"two connections", "192.0.2.7:1", "", "192.0.2.7:2", "", true},
		{"two addresses", "192.0.2.7:1", "", "192.0.2.8:1", "", false},
		{"IPv4 in IPv6", "192.0.2.7:1", "", "[::ffff:192.0.2.7]:1", "", true},
		{"one customer's IPv6", "[2001:db8::1]:1", "", "[2001:db8::ffff:0:0:1]:1", "", true},
		{"two customers' IPv6", "[2001:db8::1]:1", "", "[2001:db8:0:1::1]:1", "", false},
		{"a header from another machine", "192.0.2.7:1", "192.0.2.8", "192.0.2.7:1", "192.0.2.9", true},
		{"two behind a proxy", proxy, "192.0.2.7", proxy, "192.0.2.8", false},
		{"one behind a proxy that invents others before it", proxy, "192.0.2.1, 192.0.2.7", proxy, "192.0.2.2,192.0.2.7", true},
		{"IPv4 in IPv6 behind a proxy", proxy, "192.0.2.7", proxy, "::ffff:192.0.2.7", true},
		{"a proxy that adds a header of its own", proxy, "192.0.2.1\n192.0.2.7", proxy, "192.0.2.2\n192.0.2.7", true},
		{"behind a proxy and not", proxy, "192.0.2.7", "192.0.2.7:1", "", true},
		{"words that are no address", proxy, "unknown", proxy, "nobody", true},
		{"a proxy that adds ports", proxy, "192.0.2.7:1", proxy, "192.0.2.7:2", true},
		{"a proxy that adds ports to IPv6", proxy, "[2001:db8::1]:1", proxy, "2001:db8::2", true},
		{"two behind two proxies", proxy, "192.0.2.7, 10.0.0.1", proxy, "192.0.2.8, 10.0.0.2:443", false},
		{"one behind two proxies that invents others before it", proxy, "192.0.2.1, 192.0.2.7, 10.0.0.1", proxy, "192.0.2.2, 192.0.2.7, 10.0.0.2", true},
		{"one that invents a proxy", proxy, "192.0.2.1, 10.0.0.9, 192.0.2.7", proxy, "192.0.2.2, 10.0.0.9, 192.0.2.7", true},
		{"one that invents words before a proxy", proxy, "192.0.2.1, x, 10.0.0.1", proxy, "192.0.2.2, x, 10.0.0.1", true},
		{"two proxies that ask for themselves", proxy, "10.0.0.1", proxy, "10.0.0.2", false},
		{"two behind an IPv6 proxy", "[2001:db8:1::1]:1", "192.0.2.7", "[2001:db8:1::1]:1", "192.0.2.8", false},
		{"a program on this machine that no one trusts", "127.0.0.2:1", "192.0.2.7", "127.0.0.2:1", "192.0.2.8", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { // No time passes, so no limit is reset.
				h := newKeyring().Handler()
				ask := func(peer, forwarded, token string) int {
					headers := []string{token}
					for line := range strings.SplitSeq(forwarded, "\n") {
						headers = append(headers, "X-Forwarded-For: "+line)
					}
					return from(h, peer, "/trackedusers", headers...).status
				}
				for range 10 {
					ask(tt.peerA, tt.forA, wrong)
				}
				if got := ask(tt.peerB, tt.forB, wrong); (got == 429) != tt.same {
					t.Errorf("got %d, want one client: %t", got, tt.same)
				}
			})
		})
	}
}

func TestTheNumberOfRememberedClientsIsLimited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const limit = 20
		s := newKeyring()
		s.RememberClients(limit)
		h := s.Handler()
		for i := range 10 * limit {
			from(h, fmt.Sprintf("192.0.2.%d:1", i), "/livez")
			if i%(limit/2) == 0 { // A frequent client is remembered.
				from(h, "198.51.100.7:1", "/trackedusers", wrong)
			}
		}
		if got := s.Clients(); got > 2*limit {
			t.Errorf("%d clients are remembered", got)
		}
		problem(t, from(h, "198.51.100.7:1", "/trackedusers", wrong), 429)
	})
}

// stuck is a database that blocks the writing of token uses until the test ends.
type stuck struct {
	*store.Store
	asked chan struct{}
}

func (s stuck) UseToken(ctx context.Context, _, _ string, _ time.Time) error {
	s.asked <- struct{}{}
	<-ctx.Done()
	return ctx.Err()
}

func TestNoRequestWaitsForTheUseOfItsTokenToBeWritten(t *testing.T) {
	t.Parallel()
	db := stack.Open(t)
	token(t, db)
	s := stuck{db, make(chan struct{}, 1)}
	w := newWorldOver(t, s, answering{errNobody}, server.Options{}, nil)
	for range 3 {
		if r := w.ask("GET", "/trackedusers", right); r.status != 200 {
			t.Errorf("got %d", r.status)
		}
	}
	testenv.Eventually(t, "the last use is being written", func() bool { return len(s.asked) > 0 })
}

func TestTheLastUseOfATokenIsRecorded(t *testing.T) {
	t.Parallel()
	db := stack.Open(t)
	token(t, db)
	w := newWorldOver(t, db, answering{errNobody}, server.Options{}, nil)
	begin := time.Now().Truncate(time.Millisecond)
	w.ask("GET", "/trackedusers", right)
	testenv.Eventually(t, "the last use is written", func() bool {
		tokens, err := db.Tokens(t.Context(), time.Now())
		testenv.Must(t, err)
		return !tokens[0].LastUsedAt.Before(begin)
	})
}

// noting is a database that publishes the token uses written to it.
type noting struct {
	*store.Store
	written chan string
}

func (c noting) UseToken(_ context.Context, hash, _ string, _ time.Time) error {
	c.written <- hash
	return nil
}

func TestTheLastUseOfATokenIsNotWrittenForEachRequest(t *testing.T) {
	t.Parallel()
	db := stack.Open(t)
	token(t, db)
	testenv.Must(t, db.AddToken(t.Context(), gistdeal.Token{Name: "other", Scope: gistdeal.ScopeRead, CreatedAt: time.Now()}, gistdeal.HashToken("other")))
	c := noting{db, make(chan string, 10)}
	w := newWorldOver(t, c, answering{errNobody}, server.Options{}, nil)
	for _, header := range []string{right, right, right, "Authorization: Bearer other"} {
		w.ask("GET", "/trackedusers", header)
	}
	testenv.Eventually(t, "two uses are written", func() bool { return len(c.written) >= 2 })
	if first, second := <-c.written, <-c.written; first != gistdeal.HashToken(ciToken) || second != gistdeal.HashToken("other") {
		t.Errorf("written: %s, %s", first, second)
	}
}

func TestEachLimitedAnswerTellsTheRateLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newKeyring().Handler()
		limits := func(r reply) string { return r.header.Get("RateLimit-Policy") + " " + r.header.Get("RateLimit") }
		for path, want := range map[string]string{
			"/livez": `"requests";q=200;w=4 "requests";r=199;t=1`, "/trackedusers": `"requests";q=200;w=4 "requests";r=199;t=1`,
		} {
			if got := limits(from(h, "192.0.2.7:1", path)); got != want {
				t.Errorf("%s: %s, want %s", path, got, want)
			}
			time.Sleep(time.Second)
		}
		for range 200 {
			from(h, "192.0.2.7:1", "/livez")
		}
		r := from(h, "192.0.2.7:1", "/livez")
		if got, want := limits(r), `"requests";q=200;w=4 "requests";r=0;t=4`; r.status != 429 || got != want {
			t.Errorf("without a request left: %d %s, want 429 %s", r.status, got, want)
		}
		time.Sleep(2 * time.Second)
		if got, want := limits(from(h, "192.0.2.7:1", "/livez")), `"requests";q=200;w=4 "requests";r=99;t=3`; got != want {
			t.Errorf("after two seconds: %s, want %s", got, want)
		}
		if got := limits(from(h, "127.0.0.1:1", "/livez")); got != " " {
			t.Errorf("a program on this machine has no limit, and the answer tells %s", got)
		}
	})
}

func TestAClientThatAcceptsOnlyJSONGetsProblemsAsJSON(t *testing.T) {
	t.Parallel()
	h := newKeyring().Handler()
	for accept, want := range map[string]string{
		"application/json": "application/json", "text/html, application/json;q=0.9": "application/json",
		"": "application/problem+json", "*/*": "application/problem+json", "application/json, */*;q=0.1": "application/problem+json",
		"application/json, application/problem+json": "application/problem+json", "text/html": "application/problem+json",
	} {
		r := from(h, "192.0.2.7:1", "/nowhere", "Accept: "+accept)
		if got := r.header.Get("Content-Type"); got != want || r.status != 404 || !strings.Contains(r.body, `"title":"Not found"`) {
			t.Errorf("Accept %q: %d %s %s, want %s", accept, r.status, got, r.body, want)
		}
	}
}
