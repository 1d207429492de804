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
	"gistdeal/internal/pipedrive"
	"gistdeal/internal/push"
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
			testenv.Must(t, w.track(r, "alice"))
			w.settled(r, "alice")
			if !strings.Contains(w.log.String(), "outcome unknown") {
				t.Error("no outcome was unknown: the fault applied to no request")
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
	lookups := 0
	for _, seen := range w.sim.Report().RequestLog {
		switch {
		case seen.Method == http.MethodPost && seen.Path == "/api/v2/deals":
			posts = append(posts, seen.At)
		case len(posts) == 1 && strings.HasPrefix(seen.Path, "/api/v2/deals/archived"):
			lookups++
		}
	}
	if len(posts) != 2 || lookups < 3 || posts[1].Sub(posts[0]) < w.options.ResendAfter {
		t.Errorf("%d POSTs with %d lookups between them, %v apart; want 2 with at least 3, at least %v apart",
			len(posts), lookups, posts[len(posts)-1].Sub(posts[0]), w.options.ResendAfter)
	}
}

// withoutAnswer returns a world with a deal of gist a0000 for which no answer
// came. The fault applies to lists after that.
func withoutAnswer(t *testing.T, lists sim.Fault) (*world, *run) {
	t.Helper()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 1)})
	w.sim.AddFault(sim.Fault{Match: postDeal, Kind: "drop-after", Times: 1})
	r := w.start()
	// The first list is that of the look for earlier deals.
	w.eventually("the catch-up", func() bool { return w.count("GET /api/v2/deals/archived") == 2 })
	w.sim.AddFault(lists)
	testenv.Must(t, w.track(r, "alice"))
	w.eventually("the deal exists", func() bool { return w.sim.Report().Deals == 1 })
	return w, r
}

func TestALookupWithAFailedPageDoesNotCount(t *testing.T) {
	t.Parallel()
	// Each list of archived deals fails. The deal is archived, so the other list
	// does not contain it.
	w, r := withoutAnswer(t, sim.Fault{Match: "GET /api/v2/deals/archived", Kind: "error-before", After: 1, Times: 3})
	w.sim.ArchiveDeal(1)
	w.settled(r, "alice")
	w.wantPosts(1, "the deal exists and is archived")
}

func TestADealWithoutTheGistIDFieldIsIdentifiedByItsURL(t *testing.T) {
	t.Parallel()
	w, r := withoutAnswer(t, sim.Fault{Match: "GET /api/v2/deals", Kind: "error-before", After: 2})
	code, _ := w.sim.Field("Gist ID")
	w.sim.DeleteField(code)
	w.sim.ClearFaults()
	w.settled(r, "alice")
	w.wantPosts(1)
}

func TestADealThatLostItsFieldsIsIdentifiedByItsTitle(t *testing.T) {
	t.Parallel()
	w, r := withoutAnswer(t, sim.Fault{Match: "GET /api/v2/deals", Kind: "error-before", After: 2})
	for _, name := range []string{pipedrive.FieldGistID, pipedrive.FieldAccessURL} {
		code, _ := w.sim.Field(name)
		w.sim.DeleteField(code)
	}
	w.sim.ClearFaults()
	w.settled(r, "alice")
	w.wantPosts(1)
}

func TestDealsWithoutFieldsAndAnswersAreAdoptedOncePerGist(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1, IgnoreDeletedFields: true})
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 5)})
	r := w.start()
	w.eventually("the catch-up", func() bool { return w.count("GET /api/v2/deals/archived") == 1 })
	for _, name := range pipedrive.FieldNames {
		code, _ := w.sim.Field(name)
		w.sim.DeleteField(code)
	}
	// Two requests have no answer, and one of them no effect.
	w.sim.AddFault(sim.Fault{Match: postDeal, Kind: "drop-after", Times: 1})
	w.sim.AddFault(sim.Fault{Match: postDeal, Kind: "drop-before", Times: 1})
	testenv.Must(t, w.track(r, "alice"))
	w.eventually("every gist has a deal", func() bool {
		n := 0
		for _, d := range w.deals(r, "alice") {
			if d.State == gistdeal.DealCreated {
				n++
			}
		}
		return n == 5
	})
	if got := w.sim.Report().Deals; got != 5 {
		t.Errorf("%d deals, want 5\n%s", got, w.log)
	}
}

func TestADealDeletedByAPersonIsNotCreatedAgain(t *testing.T) {
	t.Parallel()
	for _, keeps := range []bool{false, true} {
		// No lookup succeeds before the deal is deleted.
		w, r := withoutAnswer(t, sim.Fault{Match: "GET /api/v2/deals", Kind: "error-before", After: 2})
		w.sim.Set(func(o *sim.Options) { o.KeepUpdateTime = keeps })
		w.sim.DeleteDeal(1)
		w.sim.ClearFaults()
		w.eventually("the deal is recorded", func() bool { return w.deals(r, "alice")["a0000"].State == gistdeal.DealCreated })
		w.wantPosts(1)
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
			case gistdeal.DealCreated:
				created++
			case gistdeal.DealFailed:
				failed, reason = failed+1, d.Problem
			}
		}
		return created, failed, reason
	}
	w.eventually("all deals are created or failed", func() bool { created, failed, _ := states(); return created+failed == 5 })
	if _, failed, reason := states(); failed != 1 || !strings.Contains(reason, "400") {
		t.Errorf("%d failed with %q, want 1 with the text of Pipedrive", failed, reason)
	}
	w.wantPosts(5, "a refused deal is sent once")
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
			testenv.Must(t, w.track(r, "alice"))
			w.eventually("pushes back off", func() bool { return strings.Contains(r.Status().Pushes, want) })
			w.eventually("a second attempt", func() bool { return w.count(postDeal) >= 2 })
			if got := w.log.Count("backoff started"); got != 1 {
				t.Errorf("the backoff was logged %d times, want once:\n%s", got, w.log)
			}
			w.sim.ClearFaults()
			w.settled(r, "alice")
			w.eventually("pushes resume", func() bool { return r.Status().Pushes == "on" })
		})
	}
}

func TestABanStopsAllCallsFor15Minutes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 3)})
	w.sim.AddFault(sim.Fault{Match: "POST /api/v2/deals", Kind: "html403"})
	r := w.startTracking("alice")
	w.eventually("pushes back off", func() bool { return strings.Contains(r.Status().Pushes, "banned") })
	until := r.Status().Pushes[strings.LastIndexByte(r.Status().Pushes, ' ')+1:]
	if next, err := time.Parse(time.RFC3339, until); err != nil || time.Until(next) < 14*time.Minute {
		t.Errorf("the next attempt is at %q, want in 15 minutes", until)
	}
	for id, d := range w.deals(r, "alice") {
		if d.State != gistdeal.DealQueued {
			t.Errorf("the deal of %s is %s, want found", id, d.State)
		}
	}
}

func TestADeletedFieldIsCreatedAgainAndNoDealIsLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 3)})
	r := w.start()
	w.eventually("the fields exist", func() bool { _, ok := w.sim.Field("Gist author"); return ok && w.count("GET /api/v2/deals") > 0 })
	code, _ := w.sim.Field("Gist author")
	w.sim.DeleteField(code)
	testenv.Must(t, w.track(r, "alice"))
	w.settled(r, "alice")
	if !strings.Contains(w.log.String(), "was deleted in Pipedrive") {
		t.Errorf("the log does not name the reason of the backoff:\n%s", w.log)
	}
}

func TestFieldsThatWereDeletedAndAreIgnoredAreCreatedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1, IgnoreDeletedFields: true})
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 1)})
	r := w.startTracking("alice")
	w.settled(r, "alice")
	for _, name := range pipedrive.FieldNames {
		code, _ := w.sim.Field(name)
		w.sim.DeleteField(code)
	}
	scan := func(gists []sim.Gist) {
		w.sim.AddUser(sim.User{Login: "alice", Gists: gists})
		_, err := r.RequestScan(t.Context(), gistdeal.ScanRequest{Login: "alice", Kind: gistdeal.RequestScanNow})
		testenv.Must(t, err)
	}
	scan(simGists("b", 1))
	w.eventually("a deal without fields", func() bool { return w.deals(r, "alice")["b0000"].State == gistdeal.DealCreated })
	scan(simGists("c", 3))
	w.eventually("deals with fields", func() bool {
		byGist := w.sim.Report().ByGist
		return len(byGist["c0000"]) == 1 && len(byGist["c0001"]) == 1 && len(byGist["c0002"]) == 1
	})
	if got := w.sim.Report().Deals; got != 5 {
		t.Errorf("%d deals, want 5", got)
	}
}

func TestRepeatedUnknownOutcomesLimitPushesToOneAtATime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 60)})
	w.sim.AddFault(sim.Fault{Match: postDeal, Kind: "error-before"})
	w.options.ResendAfter = time.Hour
	r := w.startTracking("alice")
	w.eventually("pushes back off", func() bool { return strings.HasPrefix(r.Status().Pushes, "in backoff") })
	before := w.count(postDeal)
	w.eventually("two more attempts", func() bool { return w.count(postDeal) >= before+2 })
	if got := w.count(postDeal); got > 5+32+2 {
		t.Errorf("%d POSTs, want those under way and then one attempt at a time", got)
	}
}

func TestAPipedriveOutageLosesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 10)})
	// A proxy in front of the simulators that can be stopped.
	target, err := url.Parse(w.url)
	testenv.Must(t, err)
	address := testenv.FreeAddress(t)
	w.url = "http://" + address
	r := w.start()
	w.eventually("pushes back off", func() bool { return strings.HasPrefix(r.Status().Pushes, "in backoff") })
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
	if claims, err := second.store.InDoubt(t.Context()); len(claims) != 0 || err != nil {
		t.Errorf("%d deals have no outcome, error %v; want none", len(claims), err)
	}
	w.settled(second, "alice")
	w.wantPosts(4)
}

func TestASecondProcessWaitsAndTakesOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 2)})
	first := w.startTracking("alice")
	w.settled(first, "alice")
	w.sim.AddUser(sim.User{Login: "bob", Gists: simGists("b", 2)})
	second := w.start()
	w.eventually("the second instance logs that it waits", func() bool { return w.log.Count("another instance is the leader") == 1 })
	if err := second.Track(t.Context(), "bob"); err != nil || second.Status().Working {
		t.Errorf("requested at the second instance: %v, want the first one to track bob", err)
	}
	first.end()
	w.sim.AddUser(sim.User{Login: "carol", Gists: simGists("c", 2)})
	testenv.Must(t, w.track(second, "carol"))
	w.settled(second, "alice", "bob", "carol")
}

func TestAKeyOfAnotherCompanyStopsTheEngine(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1, CompanyID: 11})
	r := w.start()
	w.eventually("the company is stored", func() bool {
		id, err := r.store.Setting(t.Context(), "company_id")
		return id == "11" && err == nil
	})
	r.end()
	other := newWorld(t, sim.Options{Seed: 1, CompanyID: 22})
	other.path = w.path
	r = other.start()
	r.fails = true
	other.eventually("the second run ends", func() bool { return other.count("GET /v1/users/me") == 1 && !r.Status().Working })
	if company, ok := errors.AsType[*push.OtherCompanyError](r.stop()); !ok || company.Database != "11" || company.Key != "22" {
		t.Errorf("got %v, want it to name the two companies", company)
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
	w.eventually("pushes back off", func() bool { return strings.HasPrefix(r.Status().Pushes, "in backoff") })
	if strings.Contains(w.log.String(), "secret-") || strings.Contains(r.Status().Pushes, "secret-") {
		t.Errorf("the log or the status contains a token:\n%s\n%s", w.log, r.Status().Pushes)
	}
}

func TestANewGistIsNotBehindTheBackfillOfAnotherUser(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 1)})
	r := w.startTracking("alice")
	w.settled(r, "alice")
	_, err := r.store.PausePushes(t.Context(), "", time.Now())
	testenv.Must(t, err)
	w.sim.AddUser(sim.User{Login: "bob", Gists: simGists("b", 200)})
	testenv.Must(t, w.track(r, "bob"))
	w.sim.AddGist("alice", sim.Gist{ID: "anew", Description: "new"})
	_, err = r.RequestScan(t.Context(), gistdeal.ScanRequest{Login: "alice", Kind: gistdeal.RequestScanNow})
	testenv.Must(t, err)
	_, err = r.store.ResumePushes(t.Context(), time.Now())
	testenv.Must(t, err)
	w.settled(r, "alice", "bob")
	if id := w.deals(r, "alice")["anew"].DealID; id > 100 {
		t.Errorf("the deal of the new gist is number %d of 202", id)
	}
}
