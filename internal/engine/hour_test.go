package engine_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

// million has tests with a million users or of a whole day too, which take minutes.
var million = flag.Bool("million", false, "test with a million users and for a day too")

// sizes are the numbers of users of a test.
func sizes() []int {
	if *million {
		return []int{10, 10_000, 1_000_000}
	}
	return []int{10, 10_000}
}

// hour is what an hour with a number of users takes.
type hour struct {
	requests, points int // to GitHub
	p50, p95         time.Duration
}

// anHour returns the numbers of an hour in which the users, who need no sweep, publish a gist
// every 30 seconds, and others 10.
func anHour(t *testing.T, users int) (h hour) {
	t.Helper()
	inVirtualTime(t, sim.Options{Seed: 1, FeedLagMin: 6 * time.Second, FeedLagMax: 33 * time.Second}, func(v *virtual) {
		v.options.ScanInterval = 48 * time.Hour
		v.fill(users, time.Now().Add(24*time.Hour))
		v.start()
		v.pass(10 * time.Minute) // The feed was read, and Pipedrive's fields are there.
		before := v.sim.Report()
		random := rand.New(rand.NewPCG(1, 1))
		for range 120 {
			wait := time.Duration(random.Int64N(int64(30 * time.Second)))
			v.pass(wait)
			v.sim.PublishRandom(1)
			v.pass(30*time.Second - wait)
			v.sim.PostStrangers(10, 30*time.Second)
		}
		after := v.sim.Report()
		for route, n := range after.Requests {
			if strings.HasPrefix(route, "GET /gists") || strings.HasPrefix(route, "GET /user") || route == graphQL {
				h.requests += n - before.Requests[route]
			}
		}
		h.points = after.Points - before.Points
		v.pass(2 * time.Minute)
		if missing := v.sim.Report().WithoutDeal; len(missing) > 0 {
			v.t.Errorf("%d gists have no deal\n%s", len(missing), v.log)
		}
		h.p50, h.p95 = v.delays()
	})
	return h
}

// delays returns the times from publications to deals within which half of the deals were
// created, and 95 % of them.
func (v *virtual) delays() (p50, p95 time.Duration) {
	v.t.Helper()
	db := v.open()
	defer db.Close()
	rows, err := db.QueryContext(v.t.Context(), `SELECT a.ended_at - g.created_at FROM attempts a JOIN gists g ON g.id = a.gist_id WHERE a.outcome = 'created' ORDER BY 1`)
	testenv.Must(v.t, err)
	defer rows.Close()
	var all []time.Duration
	for rows.Next() {
		var ms int64
		testenv.Must(v.t, rows.Scan(&ms))
		all = append(all, time.Duration(ms)*time.Millisecond)
	}
	testenv.Must(v.t, rows.Err())
	if len(all) == 0 {
		v.t.Fatalf("no deal was created\n%s", v.log)
	}
	slices.Sort(all)
	return all[len(all)/2], all[len(all)*95/100]
}

// TestAnHourCostsAndTakesTheSameForAnyNumberOfUsers reports its numbers as attributes, which
// scripts/bench.sh writes into docs/performance.md.
func TestAnHourCostsAndTakesTheSameForAnyNumberOfUsers(t *testing.T) {
	t.Parallel()
	var ten hour
	for i, users := range sizes() {
		t.Run(strconv.Itoa(users), func(t *testing.T) {
			h := anHour(t, users)
			if i == 0 {
				ten = h
			}
			if least := ten.requests; h.requests > least+least/20 {
				t.Errorf("%d requests, want at most 5 %% more than %d", h.requests, least)
			}
			if h.points > 0 {
				t.Errorf("%d points, want none without a sweep", h.points)
			}
			if h.p95 >= 90*time.Second {
				t.Errorf("95 %% of the deals were created within %s, want less than 90 s", h.p95)
			}
			t.Attr("measured", fmt.Sprintf("%d requests, %d points, %.0f p50-virtual-seconds, %.0f p95-virtual-seconds", h.requests, h.points, h.p50.Seconds(), h.p95.Seconds()))
		})
	}
}

func TestASweepOfUnchangedUsersTakesAQueryForAHundred(t *testing.T) {
	t.Parallel()
	for _, users := range sizes()[1:] {
		t.Run(strconv.Itoa(users), func(t *testing.T) {
			inVirtualTime(t, sim.Options{Seed: 1, EmptySynthetic: true}, func(v *virtual) {
				v.options.FeedInterval, v.options.ScanInterval = 0, 24*time.Hour
				v.fill(users, time.Now().Add(time.Minute))
				v.start()
				begin := time.Now()
				for due := users; due > 0; v.pass(time.Minute) {
					var err error
					due, err = v.db.DueCount(v.t.Context(), begin.Add(time.Hour), begin.AddDate(1, 0, 0))
					testenv.Must(v.t, err)
					if time.Since(begin) > 12*time.Hour {
						v.t.Fatalf("%d users are due after 12 hours\n%s", due, v.log)
					}
				}
				took := time.Since(begin)
				r := v.sim.Report()
				if most := users/100 + users/100/100 + 1; r.Requests[graphQL] > most || r.Points > most || r.Limited > 0 {
					v.t.Errorf("%d queries for %d points, want at most %d; %d refused", r.Requests[graphQL], r.Points, most, r.Limited)
				}
				if n := r.Requests[listGists] + r.Requests[byNumber] + r.Requests[lookUp]; n > 0 {
					v.t.Errorf("%d requests, want none\n%s", n, v.log)
				}
				t.Attr("measured", fmt.Sprintf("%d queries, %d points, %.1f virtual-hours", r.Requests[graphQL], r.Points, took.Hours()))
			})
		})
	}
}
