package admin_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/admin"
	"gistdeal/internal/testing/testenv"
)

// add adds users and returns all results, sorted by input.
func (w *world) add(ctx context.Context, a admin.Addition) (results []admin.Result) {
	w.Helper()
	for r, err := range w.AddUsers(ctx, a) {
		testenv.Must(w.T, err)
		results = append(results, r)
	}
	slices.SortFunc(results, func(a, b admin.Result) int { return strings.Compare(a.Input, b.Input) })
	return results
}

func TestUsersThatAreAddedWithoutALeaderWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	results := w.add(t.Context(), admin.Addition{Logins: []string{"alice", "-bad-", "https://github.com/ALICE", "bob"}})
	w.want(results, "-bad- invalid", "alice waiting", "bob waiting", "https://github.com/ALICE invalid")
	if !strings.Contains(results[1].Reason, "no gistdeal instance is running") {
		t.Errorf("the reason is %q", results[1].Reason)
	}
	if _, err := w.User(t.Context(), "bob"); gistdeal.KindOf(err) != gistdeal.NotFound || !strings.Contains(err.Error(), "not tracked yet") {
		t.Errorf("%v, want that bob is not tracked yet", err)
	}
	if _, _, err := w.Gists(t.Context(), "bob", "", false, nil, 0, 1); gistdeal.KindOf(err) != gistdeal.NotFound || !strings.Contains(err.Error(), "not tracked yet") {
		t.Errorf("%v, want that bob is not tracked yet", err)
	}
}

func TestTheLeaderAnswersForEachUserThatIsAdded(t *testing.T) {
	t.Parallel()
	w := newWorld(t).lead()
	w.sim.MakeGists("alice", 2)
	w.sim.MakeGists("bob", 1)
	results := w.add(t.Context(), admin.Addition{Logins: []string{"alice", "nobody-here"}, Backfill: "2024-05-01"})
	w.want(results, "alice added", "nobody-here not_found")
	if want := "deals for gists created since 2024-05-01"; results[0].Reason != want {
		t.Errorf("the reason is %q, want %q", results[0].Reason, want)
	}
	w.want(w.add(t.Context(), admin.Addition{Logins: []string{"alice", "bob"}, Backfill: gistdeal.BackfillNone}), "alice tracked", "bob added")
	bob, err := w.User(t.Context(), "bob")
	testenv.Must(w.T, err)
	if bob.Backfill != gistdeal.BackfillNone {
		t.Errorf("bob has the backfill %q, want none", bob.Backfill)
	}
}

func TestResultsThatNobodyWantsAreNotWaitedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := 0
	for r, err := range w.AddUsers(t.Context(), admin.Addition{Logins: []string{"alice", "bob"}}) {
		testenv.Must(w.T, err)
		if n++; r.Result != "waiting" {
			t.Errorf("%+v, want it waiting", r)
		}
		break
	}
	if n != 1 {
		t.Errorf("%d results after a break", n)
	}
}

func TestABulkChangeAppliesToManyUsers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.track(1, "alice", 1)
	w.track(2, "bob", 1)
	w.track(3, "carla", 0)
	for _, step := range []struct {
		change admin.Change
		inputs []string
		want   []string
	}{
		{admin.Pause, []string{"alice", "BOB", "nobody", "bob", "-bad-"}, []string{"alice paused", "BOB paused", "nobody not_found", "bob unchanged", "-bad- invalid"}},
		{admin.ScanNow, []string{"alice", "carla"}, []string{"alice unchanged", "carla requested"}},
		{admin.Resume, []string{"alice", "carla"}, []string{"alice resumed", "carla unchanged"}},
		{admin.Approve, []string{"alice"}, []string{"alice unchanged"}},
		{admin.Remove, []string{"https://github.com/carla"}, []string{"https://github.com/carla removed"}},
	} {
		results, err := w.ChangeUsers(t.Context(), step.inputs, step.change)
		testenv.Must(w.T, err)
		w.want(results, step.want...)
	}
	n, err := w.ChangeAll(t.Context(), gistdeal.UserFilter{Search: "b"}, admin.Remove)
	testenv.Must(w.T, err)
	if n != 1 {
		t.Errorf("%d users are removed, want bob only", n)
	}
	var left []string
	for u, err := range w.Users(t.Context(), gistdeal.UserFilter{}) {
		testenv.Must(w.T, err)
		left = append(left, u.Login)
	}
	if !slices.Equal(left, []string{"alice"}) {
		t.Errorf("%v are tracked, want alice", left)
	}
}

func TestAFirstScanOverTheThresholdIsApproved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, now := t.Context(), time.Now()
	_, err := w.db.Track(ctx, gistdeal.Account{ID: 1, Login: "alice"}, gistdeal.BackfillAll, now)
	testenv.Must(w.T, err)
	_, err = w.db.SaveGists(ctx, 1, []gistdeal.Gist{{ID: "a1"}, {ID: "a2"}}, gistdeal.NewGistPolicy{First: true, Hold: true}, now)
	testenv.Must(w.T, err)
	_, _, err = w.db.QueueScanned(ctx, 1, gistdeal.ApprovalLimits{Threshold: 1}, now)
	testenv.Must(w.T, err)
	results, err := w.ChangeUsers(ctx, []string{"alice"}, admin.Approve)
	testenv.Must(w.T, err)
	w.want(results, "alice approved")
	if results[0].Reason != "2 deals queued" {
		t.Errorf("the reason is %q", results[0].Reason)
	}
}

func TestAnErasedPersonLeavesIdsOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.track(1, "alice", 2)
	testenv.Must(w.T, w.db.Set(t.Context(), gistdeal.KeyDealURL, "https://crm.example/deal/"))
	_, err := w.db.RecordCreated(t.Context(), w.claim(), 77, time.Now())
	testenv.Must(w.T, err)
	erased, err := w.Erase(t.Context(), "alice")
	testenv.Must(w.T, err)
	if len(erased.Deals) != 1 || erased.Deals[0].URL != "https://crm.example/deal/77" {
		t.Errorf("%+v, want the deal that Pipedrive still has", erased)
	}
	if _, err := w.Erase(t.Context(), "alice"); gistdeal.KindOf(err) != gistdeal.NotFound {
		t.Errorf("erased twice: %v", err)
	}
	testenv.Must(w.T, w.AllowAgain(t.Context(), []string{"alice", "-bad-"}))
}

func TestAUserThatLostItsLoginIsNamedByItsNumber(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.track(1, "alice", 1)
	w.track(2, "alice", 1) // The first alice gave up her login.
	results, err := w.ChangeUsers(t.Context(), []string{"id:1", "id:3", "id:x"}, admin.Remove)
	testenv.Must(w.T, err)
	w.want(results, "id:1 removed", "id:3 not_found", "id:x invalid")
	_, err = w.Erase(t.Context(), "id:1")
	testenv.Must(w.T, err)
	if _, err := w.db.KnownUserByID(t.Context(), 1); gistdeal.KindOf(err) != gistdeal.NotFound {
		t.Errorf("the first alice: %v, want her erased", err)
	}
	if u, err := w.User(t.Context(), "alice"); err != nil || u.ID != 2 {
		t.Errorf("alice is %d, error %v; want the second one untouched", u.ID, err)
	}
	_, err = w.db.Track(t.Context(), gistdeal.Account{ID: 2, Login: "alice"}, gistdeal.BackfillAll, time.Now())
	testenv.Must(w.T, err) // The login is not erased: it was the second one's.
}

func TestAUserThatLostItsLoginKeepsItIfNobodyElseHasIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for id := range int64(2) {
		w.track(id+1, "alice", 0)
		testenv.Must(w.T, w.db.Gone(t.Context(), id+1, true, "its login belongs to another user", time.Now(), time.Now()))
	}
	_, err := w.User(t.Context(), "alice")
	if text := `2 users had the login "alice" one after another: name one of them by its number, as id:1 or id:2`; err == nil || err.Error() != text {
		t.Errorf("got %v, want %s", err, text)
	}
	_, err = w.Erase(t.Context(), "id:1")
	testenv.Must(w.T, err)
	results, err := w.ChangeUsers(t.Context(), []string{"alice"}, admin.ScanNow)
	testenv.Must(w.T, err)
	w.want(results, "alice unchanged")
	if !strings.Contains(results[0].Reason, "another user has its login") {
		t.Errorf("the reason is %q", results[0].Reason)
	}
	if _, err := admin.FollowScan(t.Context(), w, "alice", func(admin.Progress) {}); gistdeal.KindOf(err) != gistdeal.Invalid {
		t.Errorf("a scan by another's login: %v", err)
	}
	results, err = w.ChangeUsers(t.Context(), []string{"alice"}, admin.Remove)
	testenv.Must(w.T, err)
	w.want(results, "alice removed")
	_, err = w.Erase(t.Context(), "Alice") // Although removed.
	testenv.Must(w.T, err)
}

func TestErasingEndsWithTheContextWhileADealIsBeingSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.track(1, "alice", 1)
	w.claim()
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := w.Erase(ctx, "alice"); err == nil {
		t.Error("a person is erased whose deal is being sent")
	}
	if _, err := w.db.KnownUser(t.Context(), "alice"); err != nil {
		t.Errorf("the user is forgotten: %v", err)
	}
}

func TestAScanIsFollowedToTheLastDeal(t *testing.T) {
	t.Parallel()
	w := newWorld(t).lead()
	w.sim.MakeGists("alice", 3)
	w.want(w.add(t.Context(), admin.Addition{Logins: []string{"alice"}, Backfill: gistdeal.BackfillAll}), "alice added")
	s, err := admin.FollowScan(t.Context(), w, "alice", func(admin.Progress) {})
	testenv.Must(w.T, err)
	if s.Waiting != "" || s.Deals[gistdeal.DealCreated] != 3 {
		t.Errorf("%+v, want 3 deals created", s)
	}
}

func TestAScanWithoutALeaderSaysSoAndKeepsTheRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.track(1, "alice", 1)
	if _, err := admin.FollowScan(t.Context(), w, "alice", func(admin.Progress) {}); err == nil || !strings.Contains(err.Error(), "no gistdeal instance is running") {
		t.Errorf("%v, want that there is no leader", err)
	}
	counts, err := w.db.Counts(t.Context())
	testenv.Must(w.T, err)
	if counts.ScanRequests != 1 {
		t.Errorf("%d requests are pending, want 1", counts.ScanRequests)
	}
	if _, err := admin.FollowScan(t.Context(), w, "nobody", nil); gistdeal.KindOf(err) != gistdeal.NotFound || !strings.Contains(err.Error(), "gistdeal users add") {
		t.Errorf("%v, want how to add the user", err)
	}
}

func TestAnAuditNeedsALeader(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := w.Audit(t.Context(), gistdeal.AuditRequest{}); gistdeal.KindOf(err) != gistdeal.Temporary {
		t.Errorf("%v, want a temporary error", err)
	}
	report, err := newWorld(t).lead().Audit(t.Context(), gistdeal.AuditRequest{})
	if err != nil || report.EndedAt.IsZero() || report.Different() != 0 {
		t.Errorf("%+v, %v: want an audit without discrepancies", report, err)
	}
}

func TestATokenIsCreatedListedAndRevoked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token, err := w.AddToken(t.Context(), gistdeal.Token{Name: "ci", Scope: gistdeal.ScopeRead})
	testenv.Must(w.T, err)
	if caller, err := w.db.TokenOf(t.Context(), gistdeal.HashToken(token.Token), time.Now()); err != nil || caller.Name != "ci" {
		t.Errorf("the token belongs to %+v, %v", caller, err)
	}
	for _, name := range []string{"", "two words", gistdeal.AdminToken} {
		if _, err := w.AddToken(t.Context(), gistdeal.Token{Name: name, Scope: gistdeal.ScopeRead}); gistdeal.KindOf(err) != gistdeal.Invalid {
			t.Errorf("a token named %q: %v", name, err)
		}
	}
	tokens, err := w.Tokens(t.Context())
	testenv.Must(w.T, err)
	if len(tokens) != 1 || tokens[0].Name != "ci" || !tokens[0].LastUsedAt.IsZero() {
		t.Errorf("%+v, want the token, never used", tokens)
	}
	r, err := w.RevokeToken(t.Context(), "ci")
	testenv.Must(w.T, err)
	w.want([]admin.Result{r}, "ci revoked")
	if _, err := w.RevokeToken(t.Context(), "ci"); gistdeal.KindOf(err) != gistdeal.NotFound {
		t.Errorf("revoked twice: %v", err)
	}
}
