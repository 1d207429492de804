package engine_test

import (
	"errors"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/engine"
	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

func TestEachGistHasOneDealWhateverTheAnswersAre(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"drop-after", "drop-before", "error-after", "error-before", "truncate", "hang-after", "hang-before"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sim.Options{Seed: 7, ListDelay: 100 * time.Millisecond})
			w.sim.MakeGists("alice", 12)
			w.sim.AddFault(sim.Fault{Match: postDeal, Kind: kind, Share: 0.4, Times: 8})
			r := w.start()
			if err := w.track(r, "alice"); err != nil {
				t.Fatal(err)
			}
			w.settled(r, "alice")
			if !strings.Contains(w.log.String(), "outcome unknown") {
				t.Error("no outcome was unknown: the fault hit nothing")
			}
		})
	}
}

func TestALostRequestIsSentAgainOnlyAfterEnoughLookups(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 1)})
	w.sim.AddFault(sim.Fault{Match: postDeal, Kind: "drop-before", Times: 1})
	r := w.startTracking("alice")
	w.settled(r, "alice")
	var posts []time.Time
	looks := 0
	for _, seen := range w.sim.Report().RequestLog {
		switch {
		case seen.Method == http.MethodPost && seen.Path == "/api/v2/deals":
			posts = append(posts, seen.At)
		case len(posts) == 1 && strings.HasPrefix(seen.Path, "/api/v2/deals/archived"):
			looks++
		}
	}
	if len(posts) != 2 || looks < 3 || posts[1].Sub(posts[0]) < w.options.Absence {
		t.Errorf("%d POSTs with %d looks between, %v apart; want 2 with at least 3, at least %v apart",
			len(posts), looks, posts[len(posts)-1].Sub(posts[0]), w.options.Absence)
	}
}

func TestALookupWithAFailedPageDoesNotCount(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 1)})
	w.sim.AddFault(sim.Fault{Match: postDeal, Kind: "drop-after", Times: 1})
	r := w.start()
	// The catch-up passes; then each list of archived deals fails, and the deal
	// is archived, so that the other list does not have it.
	w.eventually("the catch-up", func() bool { return w.count("GET /api/v2/deals/archived") == 1 })
	w.sim.AddFault(sim.Fault{Match: "GET /api/v2/deals/archived", Kind: "error-before", Times: 3})
	if err := w.track(r, "alice"); err != nil {
		t.Fatal(err)
	}
	w.eventually("the deal exists", func() bool { return w.sim.Report().Deals == 1 })
	w.sim.ArchiveDeal(1)
	w.settled(r, "alice")
	if got := w.count(postDeal); got != 1 {
		t.Errorf("%d POSTs, want 1: the deal is there, archived", got)
	}
}

func TestADealWithoutTheGistIDFieldIsIdentifiedByItsURL(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 1)})
	w.sim.AddFault(sim.Fault{Match: postDeal, Kind: "drop-after", Times: 1})
	r := w.start()
	w.eventually("the catch-up", func() bool { return w.count("GET /api/v2/deals/archived") == 1 })
	w.sim.AddFault(sim.Fault{Match: "GET /api/v2/deals", Kind: "error-before"})
	if err := w.track(r, "alice"); err != nil {
		t.Fatal(err)
	}
	w.eventually("the deal exists", func() bool { return w.sim.Report().Deals == 1 })
	code, _ := w.sim.Field("Gist ID")
	w.sim.DeleteField(code)
	w.sim.ClearFaults()
	w.settled(r, "alice")
	if got := w.count(postDeal); got != 1 {
		t.Errorf("%d POSTs, want 1", got)
	}
}

func TestADealDeletedByAPersonIsNotCreatedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 1)})
	w.sim.AddFault(sim.Fault{Match: postDeal, Kind: "drop-after", Times: 1})
	r := w.start()
	w.eventually("the catch-up", func() bool { return w.count("GET /api/v2/deals/archived") == 1 })
	// No look succeeds before the deal is deleted.
	w.sim.AddFault(sim.Fault{Match: "GET /api/v2/deals", Kind: "error-before"})
	if err := w.track(r, "alice"); err != nil {
		t.Fatal(err)
	}
	w.eventually("the deal exists", func() bool { return w.sim.Report().Deals == 1 })
	w.sim.DeleteDeal(1)
	w.sim.ClearFaults()
	w.eventually("the deal is known", func() bool { return w.deals(r, "alice")["a0000"].State == gistdeal.DealMade })
	if got := w.count(postDeal); got != 1 {
		t.Errorf("%d POSTs, want 1", got)
	}
}

func TestARefusedDealFailsAloneAndAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 5)})
	w.sim.AddFault(sim.Fault{Match: postDeal, Kind: "invalid", Times: 1})
	r := w.startTracking("alice")
	states := func() (created, failed int, reason string) {
		for _, d := range w.deals(r, "alice") {
			switch d.State {
			case gistdeal.DealMade:
				created++
			case gistdeal.DealFailed:
				failed, reason = failed+1, d.Problem
			}
		}
		return created, failed, reason
	}
	w.eventually("all are decided", func() bool { created, failed, _ := states(); return created+failed == 5 })
	if _, failed, reason := states(); failed != 1 || !strings.Contains(reason, "400") {
		t.Errorf("%d failed with %q, want 1 with Pipedrive's words", failed, reason)
	}
	if got := w.count(postDeal); got != 5 {
		t.Errorf("%d POSTs, want 5: a refusal is tried once", got)
	}
}

func TestARefusalOfTheAccountStopsAllPushesAndEndsByItself(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]string{
		"unauthorized": "PIPEDRIVE_API_KEY", "payment": "not open", "redirect": "PIPEDRIVE_API_URL",
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sim.Options{Seed: 1})
			w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 5)})
			r := w.start()
			w.sim.AddFault(sim.Fault{Match: "POST /api/v2/deals", Kind: kind})
			if err := w.track(r, "alice"); err != nil {
				t.Fatal(err)
			}
			w.eventually("pushes pause", func() bool { return strings.Contains(r.Status().Pushes, want) })
			w.eventually("a second try", func() bool { return w.count(postDeal) >= 2 })
			if got := w.log.Count("remote paused"); got != 1 {
				t.Errorf("the log says %d times that pushes pause, want once:\n%s", got, w.log)
			}
			w.sim.ClearFaults()
			w.settled(r, "alice")
			w.eventually("pushes go on", func() bool { return r.Status().Pushes == "on" })
		})
	}
}

func TestABanStopsAllCallsFor15Minutes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 3)})
	w.sim.AddFault(sim.Fault{Match: "POST /api/v2/deals", Kind: "html403"})
	r := w.startTracking("alice")
	w.eventually("pushes pause", func() bool { return strings.Contains(r.Status().Pushes, "banned") })
	until := r.Status().Pushes[strings.LastIndexByte(r.Status().Pushes, ' ')+1:]
	if next, err := time.Parse(time.RFC3339, until); err != nil || time.Until(next) < 14*time.Minute {
		t.Errorf("next try at %q, want in 15 minutes", until)
	}
	for id, d := range w.deals(r, "alice") {
		if d.State != gistdeal.DealFound {
			t.Errorf("deal of %s is %s, want found", id, d.State)
		}
	}
}

func TestADeletedFieldIsCreatedAgainAndNoDealIsLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 3)})
	r := w.start()
	w.eventually("fields are made", func() bool { _, ok := w.sim.Field("Gist author"); return ok && w.count("GET /api/v2/deals") > 0 })
	code, _ := w.sim.Field("Gist author")
	w.sim.DeleteField(code)
	if err := w.track(r, "alice"); err != nil {
		t.Fatal(err)
	}
	w.settled(r, "alice")
	if !strings.Contains(w.log.String(), "was deleted in Pipedrive") {
		t.Errorf("the log does not say why pushes paused:\n%s", w.log)
	}
}

func TestRepeatedUnknownOutcomesLimitPushesToOneAtATime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 60)})
	w.sim.AddFault(sim.Fault{Match: postDeal, Kind: "error-before"})
	w.options.Absence = time.Hour
	r := w.startTracking("alice")
	w.eventually("pushes pause", func() bool { return strings.HasPrefix(r.Status().Pushes, "paused") })
	before := w.count(postDeal)
	w.eventually("two trials", func() bool { return w.count(postDeal) >= before+2 })
	if got := w.count(postDeal); got > 5+32+2 {
		t.Errorf("%d POSTs, want no more than were under way, and trials one by one", got)
	}
}

func TestAPipedriveOutageLosesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 10)})
	// A door in front of the simulators that can be shut.
	target, err := url.Parse(w.url)
	if err != nil {
		t.Fatal(err)
	}
	address := testenv.FreeAddress(t)
	w.url = "http://" + address
	r := w.start()
	w.eventually("pushes pause", func() bool { return strings.HasPrefix(r.Status().Pushes, "paused") })
	door := &http.Server{Addr: address, Handler: httputil.NewSingleHostReverseProxy(target), ReadHeaderTimeout: time.Second}
	go func() { _ = door.ListenAndServe() }()
	t.Cleanup(func() { _ = door.Close() })
	w.eventually("alice is tracked", func() bool { return w.track(r, "alice") == nil })
	w.settled(r, "alice")
}

func TestAStopFinishesThePushUnderWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.pushTimeout = 10 * time.Second
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 4)})
	w.sim.AddFault(sim.Fault{Match: postDeal, Kind: "slow", Latency: 300 * time.Millisecond})
	r := w.startTracking("alice")
	w.eventually("a POST is under way", func() bool { return w.count(postDeal) > 0 })
	r.end()
	w.sim.ClearFaults()
	second := w.start()
	if claims, err := second.store.Unknown(t.Context()); len(claims) != 0 || err != nil {
		t.Errorf("%d deals are left without an outcome, error %v; want none", len(claims), err)
	}
	w.settled(second, "alice")
	if got := w.count(postDeal); got != 4 {
		t.Errorf("%d POSTs, want 4", got)
	}
}

func TestASecondProcessWaitsAndTakesOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 2)})
	first := w.startTracking("alice")
	w.settled(first, "alice")
	w.sim.AddUser(sim.User{Login: "bob", Gists: simGists("b", 2)})
	second := w.start()
	w.eventually("the second says that it waits", func() bool { return w.log.Count("another process works") == 1 })
	if err := second.Track(t.Context(), "bob"); err != nil || second.Status().Working {
		t.Errorf("asked for at the second: %v, want the first to track bob", err)
	}
	first.end()
	w.sim.AddUser(sim.User{Login: "carol", Gists: simGists("c", 2)})
	if err := w.track(second, "carol"); err != nil {
		t.Fatal(err)
	}
	w.settled(second, "alice", "bob", "carol")
}

func TestAKeyOfAnotherCompanyStopsTheEngine(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1, CompanyID: 11})
	r := w.start()
	w.eventually("the company is known", func() bool {
		id, err := r.store.Setting(t.Context(), "company_id")
		return id == "11" && err == nil
	})
	r.end()
	other := newWorld(t, sim.Options{Seed: 1, CompanyID: 22})
	other.path = w.path
	r = other.start()
	r.fails = true
	other.eventually("the second run ends", func() bool { return other.count("GET /v1/users/me") == 1 && !r.Status().Working })
	if company, ok := errors.AsType[*engine.OtherCompanyError](r.stop()); !ok || company.Database != "11" || company.Key != "22" {
		t.Errorf("got %v, want the two companies named", company)
	}
}

func TestNoSecretIsEverLogged(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1, Token: "another", GitHubToken: "another"})
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 1)})
	r := w.start()
	if err := w.track(r, "alice"); gistdeal.KindOf(err) != gistdeal.Unauthorized || strings.Contains(err.Error(), "secret-") {
		t.Errorf("got %v, want unauthorized without the token", err)
	}
	w.eventually("pushes pause", func() bool { return strings.HasPrefix(r.Status().Pushes, "paused") })
	if strings.Contains(w.log.String(), "secret-") || strings.Contains(r.Status().Pushes, "secret-") {
		t.Errorf("a token is in the log or the status:\n%s\n%s", w.log, r.Status().Pushes)
	}
}
