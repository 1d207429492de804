package pipedrive_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gistdeal"
	"gistdeal/internal/pipedrive"
	"gistdeal/internal/sim"
)

func headers(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}

func TestTheRemainingDailyQuotaDecidesWhetherToContinue(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		reserve float64
		headers http.Header
		words   string // part of the reason, "" to continue
	}{
		"nothing is told":                {0.4, headers(), ""},
		"enough":                         {0.4, headers("x-daily-ratelimit-token-limit", "30000", "x-daily-ratelimit-token-remaining", "12001"), ""},
		"the rest is for people":         {0.4, headers("x-daily-ratelimit-token-limit", "30000", "x-daily-ratelimit-token-remaining", "12000"), "12000 of 30000 tokens"},
		"nothing is for people":          {0, headers("x-daily-ratelimit-token-limit", "30000", "x-daily-ratelimit-token-remaining", "1"), ""},
		"nothing is left":                {0, headers("x-daily-ratelimit-token-limit", "30000", "x-daily-ratelimit-token-remaining", "0"), "quota of Pipedrive requests is spent"},
		"tokens without the day's limit": {0.4, headers("x-daily-ratelimit-token-remaining", "5"), ""},
		"no POSTs are left":              {0.4, headers("x-daily-requests-left", "0"), "no more POSTs"},
		"few POSTs are left":             {0.4, headers("x-daily-requests-left", "1"), ""},
		"nonsense":                       {0.4, headers("x-daily-ratelimit-token-limit", "many", "x-daily-ratelimit-token-remaining", "-1", "x-daily-requests-left", ""), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := pipedrive.NewDay(tt.reserve)
			d.Record(tt.headers, time.Now())
			_, err := d.Check()
			if tt.words == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantKind(t, err, gistdeal.Limited, tt.words)
		})
	}
}

func TestASpentDailyQuotaIsCheckedEachHourAndAfterMidnight(t *testing.T) {
	t.Parallel()
	spent := headers("x-daily-ratelimit-token-limit", "100", "x-daily-ratelimit-token-remaining", "0")
	for clock, want := range map[string]time.Duration{
		"2026-11-25T12:00:00Z": time.Hour,
		"2026-11-25T23:50:00Z": 10*time.Minute + time.Second,
		"2026-11-25T00:00:00Z": time.Hour,
	} {
		t.Run(clock, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				now, err := time.Parse(time.RFC3339, clock) // Pipedrive's clock, which differs from the local one.
				if err != nil {
					t.Fatal(err)
				}
				d := pipedrive.NewDay(0.4)
				d.Record(spent, now)
				again, err := d.Check()
				if gistdeal.RetryAfter(err) != want || again {
					t.Errorf("retry after %v, want %v; check again: %t", gistdeal.RetryAfter(err), want, again)
				}
				time.Sleep(want)
				if again, _ = d.Check(); !again {
					t.Error("the quota is not checked again in time")
				}
			})
		})
	}
}

func TestQuotasSurviveARestart(t *testing.T) {
	t.Parallel()
	w := begin(t, sim.Options{}, pipedrive.Options{})
	w.Set(func(o *sim.Options) { o.DailyTokens = 1000 })
	w.prepare(t, nil)
	known := w.client.Quotas()
	if b := known[0]; b.Name != pipedrive.QuotaDay || b.Limit != 1000 || b.Remaining >= 1000 || b.Remaining < 900 || b.SeenAt.IsZero() {
		t.Fatalf("the daily quota: %+v", b)
	}
	next := client(t, w.url, pipedrive.Options{})
	next.Restore(known)
	if got := next.Quotas()[0]; got != known[0] {
		t.Errorf("restored: %+v, want %+v", got, known[0])
	}
}

func TestTheAccountIsCheckedBeforeTheDailyQuotaEnds(t *testing.T) {
	t.Parallel()
	w := prepared(t, sim.Options{}, pipedrive.Options{QuotaReserve: 0.4})
	const me = "GET /v1/users/me"
	before := w.requests(me) // by Prepare
	gone := gistdeal.Quota{Name: pipedrive.QuotaDay, Limit: 100, Remaining: 0, Reserved: 40, SeenAt: time.Now().Add(-2 * time.Hour)}
	w.client.Restore([]gistdeal.Quota{gone})
	if err := w.client.Reserve(t.Context()); err != nil {
		t.Errorf("the account answered, so the quota is not spent: %v", err)
	}
	w.Set(func(o *sim.Options) { o.DailyTokens = 10 })
	next := client(t, w.url, pipedrive.Options{QuotaReserve: 0.4})
	next.Restore([]gistdeal.Quota{gone})
	err := next.Reserve(t.Context())
	wantKind(t, err, gistdeal.Limited)
	if asked := w.requests(me) - before; asked != 2 {
		t.Errorf("%d checks, want one for each client", asked)
	}
	if err := next.Reserve(t.Context()); gistdeal.KindOf(err) != gistdeal.Limited || !strings.Contains(err.Error(), "spent") {
		t.Errorf("a moment later: %v", err)
	}
	if asked := w.requests(me) - before; asked != 2 {
		t.Errorf("%d checks, want no more until the retry time", asked)
	}
}
