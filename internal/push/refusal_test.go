package push_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"gistdeal"
	"gistdeal/internal/pipedrive"
	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

func TestASpentDayEndsWithAProbeInTheNextOne(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]sim.Options{
		"with a useless wait": {DailyTokens: 200, SpentRetryAfter: 3, BanAfter: 40},
		"without headers":     {DailyTokens: 200, NoRateHeaders: true, BanAfter: 40},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newDay(t, o, func(d *day) {
				d.start()
				d.queue(ids(30)...)
				d.until(23 * time.Hour)
				created := d.sim.Report().Deals
				d.want(map[gistdeal.DealState]int{gistdeal.DealCreated: created, gistdeal.DealQueued: 30 - created})
				if created == 0 || created == 30 {
					d.t.Errorf("%d deals were created, want some and not all", created)
				}
				d.until(25 * time.Hour)
				d.want(map[gistdeal.DealState]int{gistdeal.DealCreated: 30})
			})
		})
	}
}

func TestTheReserveIsLeftAloneWhileAnotherProgramDrainsTheQuota(t *testing.T) {
	t.Parallel()
	newDay(t, sim.Options{DailyTokens: 2000}, func(d *day) {
		d.client.QuotaReserve = 0.4
		d.sim.AddFault(sim.Fault{Match: postDeals, Kind: "drop-before", After: 20, Times: 1}) // In doubt from then on.
		d.start()
		d.queue(ids(1000)...)
		testenv.Must(d.t, d.db.RequestAudit(d.t.Context(), gistdeal.AuditRequest{ID: "one", RequestedAt: time.Now()}))
		ours := 0
		for others := 0; others < 2000; others += 10 { // Another program lists deals all the time.
			before := d.sim.Report().Tokens
			r := httptest.NewRequest(http.MethodGet, "/api/v2/deals", nil)
			r.Header.Set("x-api-token", "another key")
			d.sim.ServeHTTP(httptest.NewRecorder(), r)
			if before >= 2000-800 && ours == 0 {
				ours = before - others
			}
			d.until(time.Since(dawn) + 30*time.Second)
		}
		d.until(23 * time.Hour)
		r := d.sim.Report()
		if after := r.Tokens - 2000 - ours; ours == 0 || after > 100 {
			d.t.Errorf("after the reserve was reached, %d more tokens were spent beside %d before, want only probes: %v\n%s", after, ours, r.Requests, d.log)
		}
	})
}

func TestACatchUpStopsAtTheReserveAndGoesOnTheNextDay(t *testing.T) {
	t.Parallel()
	// Connecting costs 94 tokens, with two lists of deals, and the first list of the catch-up
	// 10. Then only the reserve of 64 is left.
	newDay(t, sim.Options{DailyTokens: 160}, func(d *day) {
		d.client.QuotaReserve = 0.4
		d.start()
		d.queue(ids(1)...)
		d.until(23 * time.Hour)
		d.want(map[gistdeal.DealState]int{gistdeal.DealQueued: 1})
		if n := d.sim.Report().Requests["GET /api/v2/deals/archived"]; n != 1 {
			d.t.Errorf("%d lists of archived deals, want 1 and none from the reserve", n)
		}
		d.until(26 * time.Hour)
		d.want(map[gistdeal.DealState]int{gistdeal.DealCreated: 1})
		if r := d.sim.Report().Requests; r["GET /api/v2/deals"] != 3 || r["GET /api/v2/dealFields"] != 1 {
			d.t.Errorf("the catch-up began again, and not only with what changed meanwhile: %v", r)
		}
	})
}

func TestAnOrderEndsTheWaitForAPerson(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		target gistdeal.Target
		order  func(*day) error
	}{
		"another stage": {
			target: gistdeal.Target{Pipeline: "Gists", Stage: "Old name"},
			order:  func(d *day) error { return d.db.Set(d.t.Context(), string(gistdeal.SettingStage), "New") },
		},
		"resume": {order: func(d *day) error {
			_, err := d.db.ResumePushes(d.t.Context(), time.Now())
			return err
		}},
		"retry": {order: func(d *day) error {
			_, err := d.db.Retry(d.t.Context(), gistdeal.DealFilter{}, time.Now())
			return err
		}},
		"audit": {order: func(d *day) error {
			return d.db.RequestAudit(d.t.Context(), gistdeal.AuditRequest{ID: "one", RequestedAt: time.Now()})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newDay(t, sim.Options{}, func(d *day) {
				d.target = tt.target
				if d.target.Stage == "" {
					d.fail("POST /api/v2/dealFields", "forbidden")
				}
				d.start()
				d.queue(ids(1)...)
				d.until(10 * time.Hour)
				d.sim.ClearFaults()
				d.until(10*time.Hour + 10*time.Minute)
				d.want(map[gistdeal.DealState]int{gistdeal.DealQueued: 1})
				testenv.Must(d.t, tt.order(d))
				d.until(10*time.Hour + 15*time.Minute)
				d.want(map[gistdeal.DealState]int{gistdeal.DealCreated: 1})
			})
		})
	}
}

func TestADealInDoubtIsSentAgainAfterThePause(t *testing.T) {
	t.Parallel()
	newDay(t, sim.Options{}, func(d *day) {
		d.sim.AddFault(sim.Fault{Match: postDeals, Kind: "drop-before", Times: 1})
		d.start()
		d.queue(ids(1)...)
		d.until(3 * time.Minute)
		_, err := d.db.PausePushes(d.t.Context(), "test", time.Now())
		testenv.Must(d.t, err)
		d.until(20 * time.Hour)
		d.want(map[gistdeal.DealState]int{gistdeal.DealSending: 1})
		_, err = d.db.ResumePushes(d.t.Context(), time.Now())
		testenv.Must(d.t, err)
		d.until(20*time.Hour + 5*time.Minute)
		d.want(map[gistdeal.DealState]int{gistdeal.DealCreated: 1})
	})
}

func TestAnAccountThatForbidsAllDealsKeepsThemQueued(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"forbidden", "cap"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			newDay(t, sim.Options{}, func(d *day) {
				d.fail(postDeals, kind)
				d.start()
				d.queue(ids(200)...)
				d.until(12 * time.Hour)
				d.want(map[gistdeal.DealState]int{gistdeal.DealQueued: 200})
				d.sim.ClearFaults()
				d.until(14 * time.Hour)
				d.want(map[gistdeal.DealState]int{gistdeal.DealCreated: 200})
			})
		})
	}
}

// forbid refuses the POSTs of deals whose body contains one of the texts.
func forbid(texts ...string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				panic(http.ErrAbortHandler)
			}
			for _, text := range texts {
				if r.Method == http.MethodPost && strings.Contains(string(body), text) {
					w.Header().Set("Content-Type", "application/json")
					w.WriteHeader(http.StatusForbidden)
					_, _ = io.WriteString(w, `{"success":false,"error":"Forbidden","code":"ERR_FORBIDDEN"}`)
					return
				}
			}
			r.Body = io.NopCloser(strings.NewReader(string(body)))
			next.ServeHTTP(w, r)
		})
	}
}

func TestADealThatAloneIsForbiddenFailsAlone(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string][]string{
		"first": {"a000000"}, "in the middle": {"a000007"}, "last": {"a000019"},
		"two in a row": {"a000003", "a000004"}, "first and last": {"a000000", "a000019"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newDay(t, sim.Options{}, func(d *day) {
				d.start()
				d.queue(ids(20)...)
				d.until(20 * time.Minute)
				d.want(map[gistdeal.DealState]int{gistdeal.DealFailed: len(bad), gistdeal.DealCreated: 20 - len(bad)})
			}, forbid(bad...))
		})
	}
}

func TestAForbiddenDealDoesNotHoldUpALaterOne(t *testing.T) {
	t.Parallel()
	newDay(t, sim.Options{}, func(d *day) {
		d.start()
		d.queue("a000000")
		d.until(5 * time.Hour)
		d.want(map[gistdeal.DealState]int{gistdeal.DealQueued: 1}) // It may be the account.
		d.queue("a000001")
		d.until(7 * time.Hour)
		d.want(map[gistdeal.DealState]int{gistdeal.DealFailed: 1, gistdeal.DealCreated: 1})
	}, forbid("a000000"))
}

func TestTheTokensAreCountedByPurpose(t *testing.T) {
	t.Parallel()
	newDay(t, sim.Options{DailyTokens: 450}, func(d *day) {
		metrics := prometheus.NewRegistry()
		d.client = pipedrive.Options{Metrics: metrics, QuotaReserve: 0.2}
		d.sim.AddFault(sim.Fault{Match: postDeals, Kind: "drop-before", Times: 1})
		d.start()
		d.queue(ids(60)...)
		d.until(40 * time.Hour)
		d.stop()
		spent := map[string]int{}
		families, err := metrics.Gather()
		testenv.Must(d.t, err)
		for _, f := range families {
			for _, m := range f.GetMetric() {
				if f.GetName() == "gistdeal_pipedrive_tokens_total" {
					spent[m.GetLabel()[0].GetValue()] = int(m.GetCounter().GetValue())
				}
			}
		}
		all := 0
		for _, purpose := range []gistdeal.Purpose{gistdeal.PurposeConnect, gistdeal.PurposeCatchUp, gistdeal.PurposePush, gistdeal.PurposeLookup, gistdeal.PurposeAudit, gistdeal.PurposeProbe} {
			if spent[string(purpose)] == 0 {
				d.t.Errorf("no tokens for %s: %v", purpose, spent)
			}
			all += spent[string(purpose)]
		}
		if want := d.sim.Report().Tokens; all != want {
			d.t.Errorf("%d tokens are counted, want %d: %v", all, want, spent)
		}
	})
}

func TestAForbiddenNewGistDoesNotHoldUpABackfill(t *testing.T) {
	t.Parallel()
	newDay(t, sim.Options{}, func(d *day) {
		d.start()
		d.queue("a000000")
		d.queueBackfill("b000000", "b000001", "b000002")
		d.until(20 * time.Minute)
		d.want(map[gistdeal.DealState]int{gistdeal.DealFailed: 1, gistdeal.DealCreated: 3})
	}, forbid("a000000"))
}

func TestADealOnAWaitingListIsNeitherSentAgainNorLost(t *testing.T) {
	t.Parallel()
	for _, retried := range []bool{true, false} {
		t.Run(fmt.Sprintf("retried: %t", retried), func(t *testing.T) {
			t.Parallel()
			newDay(t, sim.Options{Waitlist: true}, func(d *day) {
				d.start()
				d.queue(ids(2)...)
				d.until(30 * time.Minute)
				d.want(map[gistdeal.DealState]int{gistdeal.DealFailed: 2})
				d.stop() // Nothing is forgotten with the process.
				d.start()
				if retried {
					_, err := d.db.Retry(d.t.Context(), gistdeal.DealFilter{}, time.Now())
					testenv.Must(d.t, err)
				}
				d.until(35 * time.Minute)
				d.sim.ReleaseWaitlist()
				d.until(2 * time.Hour)
				d.want(map[gistdeal.DealState]int{gistdeal.DealCreated: 2})
				if posts := d.sim.Report().Requests[postDeals]; posts != 2 {
					d.t.Errorf("%d POSTs, want 2", posts)
				}
			})
		})
	}
}
