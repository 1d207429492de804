package activity_test

import (
	"path/filepath"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/admin/activity"
	"gistdeal/internal/store"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T) *store.Store {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), store.Options{})
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	return db
}

// fail stores a user with two gists, one of which has a failed deal.
func fail(t *testing.T, db *store.Store) (claimed gistdeal.Claim) {
	t.Helper()
	now := time.Now()
	_, err := db.Track(t.Context(), gistdeal.Account{ID: 1, Login: "alice"}, gistdeal.BackfillAll, now)
	must(t, err)
	_, err = db.SaveGists(t.Context(), 1, []gistdeal.Gist{{ID: "a1"}, {ID: "a2"}}, gistdeal.NewGistPolicy{First: true}, now)
	must(t, err)
	err = db.Scanned(t.Context(), 1, gistdeal.Listing{}, now, now.Add(time.Hour))
	must(t, err)
	_, err = db.BeginCatchUp(t.Context(), false)
	must(t, err)
	must(t, db.EndCatchUp(t.Context(), now))
	for _, refuse := range []bool{true, false} {
		claimed, _, err = db.Claim(t.Context(), "test", now, now)
		must(t, err)
		if refuse {
			must(t, db.Refuse(t.Context(), claimed, "title is bad", now))
		}
	}
	return claimed
}

func TestTheOverviewCountsEverything(t *testing.T) {
	t.Parallel()
	db := open(t)
	a := activity.New(db)
	o, err := a.Overview(t.Context())
	must(t, err)
	if o.Leader || len(o.Users) != 0 || len(o.Days) != 30 || !o.NextScan.IsZero() || !o.OldestQueuedAt.IsZero() {
		t.Errorf("of an empty database: %+v", o)
	}
	fail(t, db)
	o, err = a.Overview(t.Context())
	must(t, err)
	if today := o.Days[29]; o.Users[gistdeal.UserActive] != 1 || o.Deals[gistdeal.DealFailed] != 1 || o.Deals[gistdeal.DealSending] != 1 || today.Gists != 2 || today.Deals != 0 || o.NextScan.IsZero() {
		t.Errorf("%+v", o)
	}
	failures, err := a.Failures(t.Context())
	must(t, err)
	if len(failures) != 1 || failures[0].Deals != 1 || failures[0].Problem != "title is bad" || failures[0].LastFailedAt.IsZero() {
		t.Errorf("the failures are %+v", failures)
	}
}

func TestAPauseHoldsUntilItIsResumed(t *testing.T) {
	t.Parallel()
	a := activity.New(open(t))
	p, err := a.PausePushes(t.Context(), "holiday", false)
	must(t, err)
	if !p.Paused || !p.Changed || p.Reason != "holiday" || p.Since.IsZero() {
		t.Errorf("%+v", p)
	}
	again, err := a.PausePushes(t.Context(), "another reason", false)
	must(t, err)
	if again.Changed || again.Reason != "holiday" {
		t.Errorf("paused twice: %+v", again)
	}
	if o, err := a.Overview(t.Context()); err != nil || o.Pushes.Reason != "holiday" || !o.Pushes.Paused {
		t.Errorf("the overview says %+v, %v", o.Pushes, err)
	}
	for _, changed := range []bool{true, false} {
		p, err := a.ResumePushes(t.Context())
		if must(t, err); p.Paused || p.Changed != changed {
			t.Errorf("%+v, want changed: %t", p, changed)
		}
	}
}

func TestQuotasAreAsTheLeaderRecordedThem(t *testing.T) {
	t.Parallel()
	db := open(t)
	a := activity.New(db)
	if l, err := a.Quotas(t.Context()); err != nil || l.Quotas == nil || len(l.Quotas) != 0 {
		t.Errorf("%+v, %v: want an empty list before any is known", l, err)
	}
	must(t, db.Set(t.Context(), gistdeal.KeyQuotas, `{"quotas":[{"name":"pipedrive-day","remaining":5}]}`))
	if l, err := a.Quotas(t.Context()); err != nil || len(l.Quotas) != 1 || l.Quotas[0].Remaining != 5 {
		t.Errorf("%+v, %v", l, err)
	}
	must(t, db.Set(t.Context(), gistdeal.KeyQuotas, `not JSON`))
	if _, err := a.Quotas(t.Context()); err == nil {
		t.Error("quotas were read from a text that is not JSON")
	}
}

func TestRunsAreListedByUser(t *testing.T) {
	t.Parallel()
	db := open(t)
	now := time.Now()
	for user := range int64(3) {
		_, err := db.StartRun(t.Context(), gistdeal.Run{Kind: gistdeal.RunScan, UserID: user, StartedAt: now, UpdatedAt: now})
		must(t, err)
	}
	runs, err := activity.New(db).Runs(t.Context(), gistdeal.RunFilter{UserID: 2, InProgress: true}, 0, 10)
	must(t, err)
	if len(runs) != 1 || runs[0].UserID != 2 || !runs[0].Ended.IsZero() {
		t.Errorf("%+v, want the run of user 2", runs)
	}
}
