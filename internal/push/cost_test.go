package push_test

import (
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/pipedrive"
	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

// Costs of useful work in tokens. Nothing else is useful in these tests.
const (
	offers  = 30 // list pipelines, stages and owners for the settings page
	connect = 64 // read the account, list fields, look for deals of an earlier database, create fields
	catchUp = 30 // also again every six hours while deals are due
	audit   = 30
)

func TestEachErrorStateSpendsAtMostOnePercentOfTheDay(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		sim    sim.Options
		client pipedrive.Options
		target gistdeal.Target
		begin  func(*day)
		useful int
	}{
		"nothing to do": {
			begin: func(d *day) { d.start() }, useful: offers + connect + catchUp + audit,
		},
		"a field may not be created": {
			begin:  func(d *day) { d.fail("POST /api/v2/dealFields", "forbidden"); d.start(); d.queue(ids(3)...) },
			useful: offers,
		},
		"a stage was renamed": {
			target: gistdeal.Target{Pipeline: "Gists", Stage: "Old name"},
			begin:  func(d *day) { d.start(); d.queue(ids(3)...) }, useful: offers + connect,
		},
		"the owner has left": {
			target: gistdeal.Target{Pipeline: "Gists", Owner: "Leo Left"},
			begin:  func(d *day) { d.start(); d.queue(ids(3)...) }, useful: offers + connect,
		},
		"the key is wrong": {
			sim: sim.Options{Token: "another"}, begin: func(d *day) { d.start(); d.queue(ids(3)...) },
		},
		"the account is not open": {
			begin: func(d *day) { d.fail("", "payment"); d.start(); d.queue(ids(3)...) },
		},
		"the account forbids all deals": {
			begin:  func(d *day) { d.fail(postDeals, "forbidden"); d.start(); d.queue(ids(200)...) },
			useful: offers + connect + 4*catchUp + audit,
		},
		"the plan is full": {
			begin:  func(d *day) { d.fail(postDeals, "cap"); d.start(); d.queue(ids(200)...) },
			useful: offers + connect + 4*catchUp + audit,
		},
		"all deals go to a waiting list": {
			sim:    sim.Options{Waitlist: true},
			begin:  func(d *day) { d.start(); d.queue(ids(200)...) },
			useful: offers + connect + 4*catchUp + audit,
		},
		"the only deal is forbidden": {
			begin:  func(d *day) { d.fail(postDeals, "forbidden"); d.start(); d.queue(ids(1)...) },
			useful: offers + connect + 4*catchUp + audit,
		},
		"in doubt while paused": {
			begin: func(d *day) {
				d.fail(postDeals, "drop-before")
				d.start()
				d.queue(ids(1)...)
				d.until(3 * time.Minute)
				_, err := d.db.PausePushes(d.t.Context(), "test", time.Now())
				testenv.Must(d.t, err)
			},
			useful: offers + connect + catchUp + audit,
		},
		"a spent day with a useless wait": {
			sim:   sim.Options{DailyTokens: 1, SpentRetryAfter: 3, BanAfter: 40},
			begin: func(d *day) { d.start(); d.queue(ids(3)...) },
		},
		"a spent day without headers": {
			sim:   sim.Options{DailyTokens: 1, NoRateHeaders: true, BanAfter: 40},
			begin: func(d *day) { d.start(); d.queue(ids(3)...) },
		},
		"a ban": {
			begin: func(d *day) { d.fail("", "html403"); d.start(); d.queue(ids(3)...) },
		},
		"POSTs without a quota": {
			begin: func(d *day) {
				d.sim.AddFault(sim.Fault{Match: postDeals, Kind: "answer", Status: 429})
				d.start()
				d.queue(ids(3)...)
			},
			useful: offers + connect + 4*catchUp + audit,
		},
		"the reserve is reached": {
			sim: sim.Options{DailyTokens: 100}, client: pipedrive.Options{QuotaReserve: 0.9},
			begin: func(d *day) { d.start(); d.queue(ids(200)...) },
		},
		"Pipedrive is down": {
			begin: func(d *day) { d.fail("", "error-before"); d.start(); d.queue(ids(3)...) },
		},
		"the lists of the catch-up fail": {
			begin:  func(d *day) { d.fail("GET /api/v2/deals/archived", "error-before"); d.start(); d.queue(ids(3)...) },
			useful: offers + connect,
		},
		"the lists fail for a deal in doubt": {
			begin: func(d *day) {
				d.sim.AddFault(sim.Fault{Match: postDeals, Kind: "drop-before", Times: 1})
				d.start()
				d.until(10 * time.Minute)
				d.fail("GET /api/v2/deals", "error-before")
				d.queue(ids(1)...)
			},
			useful: offers + connect + catchUp,
		},
		"the lists of the audit fail": {
			begin: func(d *day) {
				d.start()
				d.until(time.Hour)
				d.fail("GET /api/v2/deals", "error-before")
			},
			useful: offers + connect + catchUp,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newDay(t, tt.sim, func(d *day) {
				d.target, d.client = tt.target, tt.client
				tt.begin(d)
				d.until(dayLength)
				d.stop()
				r := d.sim.Report()
				beyond := r.Tokens - tt.useful - r.Deals*pipedrive.DealTokens
				t.Logf("%d tokens in %v, %d of them beyond useful work: %v", r.Tokens, dayLength, beyond, r.Requests)
				if beyond > 300 {
					t.Errorf("want at most 300 beyond useful work\n%s", d.log)
				}
			})
		})
	}
}
