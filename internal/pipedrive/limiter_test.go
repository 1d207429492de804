package pipedrive_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gistdeal"
	"gistdeal/internal/pipedrive"
)

// account simulates the burst limit in virtual time: it counts requests in any two
// seconds and refuses those beyond its limit.
type account struct {
	mu      sync.Mutex
	limit   int
	silent  bool // the answers have no headers
	others  int  // requests of other clients in each window
	window  []time.Time
	taken   int
	refused int
}

// take counts a request unless it exceeds the limit, and answers with the headers
// of the account.
func (a *account) take() (h http.Header, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	for len(a.window) > 0 && now.Sub(a.window[0]) >= 2*time.Second {
		a.window = a.window[1:]
	}
	if ok = len(a.window)+a.others < a.limit; ok {
		a.window = append(a.window, now)
		a.taken++
	} else {
		a.refused++
	}
	h = http.Header{}
	if a.silent {
		return h, ok
	}
	h.Set("x-ratelimit-limit", strconv.Itoa(a.limit))
	h.Set("x-ratelimit-remaining", strconv.Itoa(max(0, a.limit-a.others-len(a.window))))
	return h, ok
}

func (a *account) set(change func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change()
}

func (a *account) counts() (taken, refused int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.taken, a.refused
}

// network is the way to the account and back.
type network struct {
	jitter  time.Duration // a request arrives up to this time after it was sent
	latency time.Duration // from the arrival to the answer
	seed    uint64
}

// quiet returns a network without much jitter.
func quiet(latency time.Duration) network {
	return network{jitter: 15 * time.Millisecond, latency: latency, seed: 1}
}

// work sends requests for a time, as the engine does. Each one waits for its turn,
// is claimed, is sent, and is answered after the latency; many are under way. A
// refused request stops all for two seconds.
func work(t *testing.T, l pipedrive.Limiter, a *account, n network, d time.Duration) {
	t.Helper()
	chance := rand.New(rand.NewPCG(n.seed, 1))
	upTo := func(d time.Duration) time.Duration { return time.Duration(chance.Int64N(int64(d) + 1)) }
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	var requests sync.WaitGroup
	defer requests.Wait()
	for ctx.Err() == nil {
		if err := l.Wait(ctx); err != nil {
			time.Sleep(gistdeal.RetryAfter(err))
			continue
		}
		commit, transit := upTo(60*time.Millisecond), upTo(n.jitter)
		requests.Go(func() {
			time.Sleep(commit)
			r, err := l.Enter(context.WithoutCancel(ctx))
			if err != nil {
				return
			}
			time.Sleep(transit)
			h, ok := a.take()
			time.Sleep(n.latency)
			l.Record(r, !ok, h)
			if ok {
				l.Accepted()
			} else {
				l.Block(2*time.Second, errors.New("over the limit"))
			}
		})
	}
}

func TestTheAllowedRateIsReachedAndNeverExceeded(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		rate    float64
		limit   int
		latency time.Duration
		want    int // requests a second
	}{
		"fast answers":                   {0, 20, 5 * time.Millisecond, 10},
		"slow answers":                   {0, 20, 600 * time.Millisecond, 10},
		"very slow answers":              {0, 20, 5 * time.Second, 10},
		"a larger plan":                  {0, 100, 300 * time.Millisecond, 50},
		"a smaller limit than we assume": {0, 10, 50 * time.Millisecond, 5},
		"less than is allowed":           {4, 20, 150 * time.Millisecond, 4},
		"more than is allowed":           {50, 20, 150 * time.Millisecond, 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l, a := pipedrive.NewLimiter(tt.rate), &account{limit: tt.limit}
				work(t, l, a, quiet(tt.latency), 10*time.Second) // The first answers contain the limit.
				begin, refusedBefore := a.counts()
				work(t, l, a, quiet(tt.latency), 100*time.Second)
				end, refused := a.counts()
				if refused > refusedBefore || refused > 0 && tt.limit >= 20 && tt.rate <= 10 {
					t.Errorf("%d requests refused, %d of them at the beginning", refused, refusedBefore)
				}
				if got := end - begin; got*100 < 98*100*tt.want || got > 101*tt.want {
					t.Errorf("%d requests in 100 s, want at least 98 %% of %d", got, 100*tt.want)
				}
			})
		})
	}
}

func TestAStartAssumesRequestsSentJustBefore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := &account{limit: 20}
		for range 10 { // Restarts during the work.
			work(t, pipedrive.NewLimiter(0), a, quiet(10*time.Millisecond), 1300*time.Millisecond)
		}
		if _, refused := a.counts(); refused > 0 {
			t.Errorf("%d requests refused", refused)
		}
	})
}

func TestIdleTimeAllowsNoBurst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := pipedrive.NewLimiter(0)
		for range 3 {
			time.Sleep(time.Hour)
			begun := time.Now()
			for range 11 {
				if err := l.Wait(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if took := time.Since(begun); took < time.Second {
				t.Errorf("11 requests after an idle hour took %v", took)
			}
		}
	})
}

func TestNothingIsSentDuringALimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := pipedrive.NewLimiter(0)
		if err := l.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		l.Block(15*time.Minute, errors.New("banned"))
		l.Block(time.Second, errors.New("a shorter one"))
		time.Sleep(time.Minute)
		_, entering := l.Enter(t.Context())
		for _, err := range []error{entering, l.Wait(t.Context())} {
			wantKind(t, err, gistdeal.Limited, "banned")
			if left := gistdeal.RetryAfter(err); left != 14*time.Minute {
				t.Errorf("%v left, want 14 minutes", left)
			}
		}
		time.Sleep(14 * time.Minute)
		if err := l.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		if _, err := l.Enter(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestAWaitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := pipedrive.NewLimiter(1)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		for range 2 {
			if _, err := l.Enter(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := l.Enter(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a third request within two seconds: %v", err)
		}
		begun := time.Now()
		for range 100 {
			if err := l.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("error %v", err)
			}
		}
		if err := l.Wait(t.Context()); err != nil || time.Since(begun) > 2*time.Second {
			t.Errorf("waited %v after requests that took no turn: %v", time.Since(begun), err)
		}
	})
}
