package pipedrive_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"gistdeal/internal/pipedrive"
)

// rateOn works for a time, and returns the number of accepted requests a second and the
// number of refused ones.
func rateOn(t *testing.T, l pipedrive.Limiter, a *account, n network, d time.Duration) (rate float64, refused int) {
	t.Helper()
	begin, before := a.counts()
	work(t, l, a, n, d)
	end, after := a.counts()
	return float64(end-begin) / d.Seconds(), after - before
}

// certain is the rate at which each window has room for certain: after 2 seconds and the
// jitter a request has left it.
func certain(share int, jitter time.Duration) float64 {
	return float64(share) / (2*time.Second + jitter).Seconds()
}

const ms = time.Millisecond

func TestJitterCausesNoRefusalAndCostsLittle(t *testing.T) {
	t.Parallel()
	for _, jitter := range []time.Duration{0, 50 * ms, 100 * ms, 200 * ms, 300 * ms} {
		for seed, latency := range []time.Duration{10 * ms, 150 * ms, 600 * ms, 150 * ms} {
			t.Run(fmt.Sprintf("up to %v, answers after %v, seed %d", jitter, latency, seed), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					l, a := pipedrive.NewLimiter(0), &account{limit: 20}
					n := network{jitter: jitter, latency: latency, seed: uint64(seed)}
					_, atFirst := rateOn(t, l, a, n, 10*time.Second)
					rate, refused := rateOn(t, l, a, n, 100*time.Second)
					if atFirst+refused > 0 {
						t.Errorf("%d requests refused at the beginning, %d later", atFirst, refused)
					}
					if want := certain(20, jitter); rate < 0.98*want {
						t.Errorf("%.2f requests a second, want at least 98 %% of %.2f", rate, want)
					}
				})
			})
		}
	}
}

func TestABacklogOfTwentyThousandDealsIsPushedAtTheAllowedRate(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{20, 100} { // Those of the plans Lite and Premium.
		t.Run(fmt.Sprintf("%d requests in two seconds", limit), func(t *testing.T) {
			t.Parallel()
			rate, refused := 0.0, 0
			synctest.Test(t, func(t *testing.T) {
				l, a := pipedrive.NewLimiter(0), &account{limit: limit}
				_, first := rateOn(t, l, a, quiet(150*ms), 10*time.Second) // The answers tell the limit.
				rate, refused = rateOn(t, l, a, quiet(150*ms), 20_000/time.Duration(limit)*2*time.Second)
				refused += first
			})
			share := rate / (float64(limit) / 2)
			if share < 0.98 || refused > 0 {
				t.Errorf("%.3f of the allowed rate, %d requests refused; want at least 0.98 and none", share, refused)
			}
			t.Attr("measured", fmt.Sprintf("%.3f of the allowed rate, %d refused", share, refused))
		})
	}
}

func TestAChangeOfTheNetworkCausesNoRefusal(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		synctest.Test(t, func(t *testing.T) {
			l, a := pipedrive.NewLimiter(0), &account{limit: 20}
			for _, n := range []network{
				{0, 10 * ms, seed}, {300 * ms, 10 * ms, seed}, {50 * ms, 600 * ms, seed}, {200 * ms, 150 * ms, seed}, {0, 600 * ms, seed},
			} {
				_, atFirst := rateOn(t, l, a, n, 20*time.Second)
				rate, refused := rateOn(t, l, a, n, 20*time.Second)
				if want := certain(20, n.jitter); atFirst+refused > 0 || rate < 0.97*want {
					t.Errorf("%+v: %d and %d requests refused; %.2f a second, want at least 97 %% of %.2f", n, atFirst, refused, rate, want)
				}
			}
		})
	}
}

func TestTheRateAdaptsToOtherClientsOfTheAccount(t *testing.T) {
	t.Parallel()
	for _, jitter := range []time.Duration{0, 100 * ms, 300 * ms} {
		t.Run(jitter.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l, a := pipedrive.NewLimiter(0), &account{limit: 20}
				n := network{jitter: jitter, latency: 150 * ms}
				work(t, l, a, n, 20*time.Second)
				a.set(func() { a.others = 10 })
				if _, detected := rateOn(t, l, a, n, 4*time.Second); detected > 20 {
					t.Errorf("%d requests were refused before the other client was detected", detected)
				}
				// One request in a window stays free.
				rate, refused := rateOn(t, l, a, n, time.Minute)
				if want := certain(9, jitter); refused > 0 || rate < 0.96*want || rate > 5 {
					t.Errorf("%.2f requests a second with another client at half the limit, want %.2f; %d refused", rate, want, refused)
				}
				a.set(func() { a.others = 0 })
				work(t, l, a, n, 20*time.Second)
				if rate, _ = rateOn(t, l, a, n, time.Minute); rate < 0.98*certain(20, jitter) {
					t.Errorf("%.2f requests a second after the other client stopped, want %.2f", rate, certain(20, jitter))
				}
			})
		})
	}
}

func TestRefusalsLowerTheRateWithoutHeaders(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, a := pipedrive.NewLimiter(0), &account{limit: 20, silent: true, others: 10}
		rate, refused := rateOn(t, l, a, quiet(150*ms), 5*time.Minute)
		if refused > 30 || rate < 2.5 {
			t.Errorf("%.2f requests a second, %d refused; want half of the possible 5, and few", rate, refused)
		}
	})
}
