package engine_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"gistdeal/internal/sim"
)

// TestALifeMissesNothingOfGitHubsOwnList has something happen every few minutes: what users do,
// what other people post, what breaks, and restarts. It ends when everything has happened, or
// with -million after a day.
func TestALifeMissesNothingOfGitHubsOwnList(t *testing.T) {
	t.Parallel()
	least := time.Duration(0)
	if *million {
		least = 24 * time.Hour
	}
	const users = 300
	inVirtualTime(t, sim.Options{Seed: 11, EmptySynthetic: true, FeedOmits: 0.1, FeedLagMin: 6 * time.Second, FeedLagMax: 33 * time.Second}, func(v *virtual) {
		random := rand.New(rand.NewPCG(11, 0))
		v.options.ScanInterval = time.Hour
		v.fill(users, time.Now())
		logins := make([]string, users)
		for i := range logins {
			logins[i] = sim.SyntheticUser(i).Login
		}
		someone := func() string { return logins[random.IntN(users)] }
		var public, secret []string
		post := func(n int) {
			for range n {
				public = append(public, v.sim.AddGist(someone(), sim.Gist{}))
			}
		}
		take := func(list *[]string) string { // some element of the list, which loses it
			at := random.IntN(len(*list))
			id := (*list)[at]
			*list = append((*list)[:at], (*list)[at+1:]...)
			return id
		}
		fail := func(match, kind string, share float64) {
			v.sim.AddFault(sim.Fault{Match: match, Kind: kind, Share: share})
			post(3)
			v.pass(time.Duration(random.Int64N(int64(10 * time.Minute))))
			v.sim.ClearFaults()
		}
		post(1)
		for range 40 {
			secret = append(secret, v.sim.AddGist(someone(), sim.Gist{Secret: true}))
		}
		happenings := []struct {
			times int // of 100
			do    func()
		}{
			{40, func() { post(1 + random.IntN(3)) }},
			{10, func() { v.sim.PostStrangers(100, 5*time.Minute) }},
			{2, func() { v.sim.PostStrangers(3100, time.Minute); post(2) }}, // more than the feed holds
			{10, func() { v.sim.EditGist(public[random.IntN(len(public))], func(g *sim.Gist) { g.Description += "!" }) }},
			{8, func() {
				if len(public) > 1 {
					v.sim.DeleteGist(take(&public)) // perhaps before it is noticed
				}
			}},
			{8, func() {
				if len(secret) > 0 {
					id := take(&secret)
					v.sim.MakePublic(id)
					public = append(public, id)
				}
			}},
			{6, func() {
				i := random.IntN(users)
				name := fmt.Sprintf("renamed-%d-%d", i, random.IntN(1e6))
				v.sim.RenameUser(logins[i], name)
				logins[i] = name
			}},
			{3, func() { fail("GET /gists/public", "error-before", 0) }},
			{2, func() { fail("POST /graphql", "error-after", 0.7) }},
			{3, func() { fail("GET /user", "error-before", 0.5) }},
			{4, func() { fail("POST /api/v2/deals", "error-after", 0.5) }},
			{2, func() { fail("GET /api/v2/deals", "error-before", 0.7) }},
			{2, func() {
				v.stop()
				post(3)
				v.pass(time.Duration(random.Int64N(int64(20 * time.Minute))))
				v.start()
			}},
		}
		var all []func()
		for _, h := range happenings {
			all = append(all, slices.Repeat([]func(){h.do}, h.times)...)
		}
		random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		v.start()
		begin := time.Now()
		for n := 0; n < len(all) || time.Since(begin) < least; n++ {
			all[n%len(all)]()
			v.pass(time.Duration(random.Int64N(int64(2 * time.Minute))))
		}
		v.pass(2 * v.options.ScanInterval)
		r := v.sim.Report()
		if r.Gists != len(public) || len(r.WithoutDeal) > 0 || len(r.Duplicated) > 0 {
			v.t.Errorf("GitHub lists %d of %d gists, without a deal: %v, with more than one: %v\n%s", r.Gists, len(public), r.WithoutDeal, r.Duplicated, v.log)
		}
		for i, login := range logins {
			if u, err := v.db.UserByLogin(v.t.Context(), login); err != nil || u.ID != sim.SyntheticUser(i).ID {
				v.t.Errorf("%s is known as %+v, %v", login, u, err)
			}
		}
		t.Attr("measured", fmt.Sprintf("%d gists, %d without a deal, %d with more than one, %.0f virtual-hours", r.Gists, len(r.WithoutDeal), len(r.Duplicated), time.Since(begin).Hours()))
	})
}
