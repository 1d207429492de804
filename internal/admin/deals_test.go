package admin_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/admin"
	"gistdeal/internal/testing/testenv"
)

func TestDealsAreRetriedAndSkippedOrTheRefusalSaysWhy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.track(1, "alice", 3)
	failed, sending := w.claim(), w.claim()
	testenv.Must(w.T, w.db.Refuse(t.Context(), failed, "title is bad", time.Now()))
	left := "alice0"
	for _, id := range []string{"alice0", "alice1", "alice2"} {
		if id != failed.Draft.GistID && id != sending.Draft.GistID {
			left = id
		}
	}
	skip := func(gists ...string) []admin.Result {
		turned, err := w.Skip(t.Context(), admin.DealSelection{Gists: gists}, "not ours")
		testenv.Must(w.T, err)
		return turned.Results
	}
	w.want(skip(left, sending.Draft.GistID, "nosuch"), left+" skipped", sending.Draft.GistID+" refused", "nosuch not_found")
	w.want(skip(left), left+" refused")

	// Without gists and states only failed deals are retried.
	turned, err := w.Retry(t.Context(), admin.DealSelection{User: "alice"})
	testenv.Must(w.T, err)
	if turned.Deals != 1 || len(turned.Results) != 0 {
		t.Errorf("%+v, want the failed deal retried", turned)
	}
	turned, err = w.Retry(t.Context(), admin.DealSelection{Gists: []string{left, gistdeal.GistURL("alice", failed.Draft.GistID)}})
	testenv.Must(w.T, err)
	w.want(turned.Results, left+" retried", gistdeal.GistURL("alice", failed.Draft.GistID)+" refused")
	if why := turned.Results[1].Reason; why != gistdeal.WhyNotRetried[gistdeal.DealQueued] {
		t.Errorf("the reason is %q", why)
	}
	if _, err := w.Retry(t.Context(), admin.DealSelection{User: "nobody"}); gistdeal.KindOf(err) != gistdeal.NotFound {
		t.Errorf("deals of an unknown user: %v", err)
	}
}

func TestTheHistoryOfAGistTellsItsAttemptsAndDuplicates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.track(1, "alice", 1)[0]
	testenv.Must(w.T, w.db.Set(t.Context(), gistdeal.KeyDealURL, "https://crm.example/deal/"))
	testenv.Must(w.T, w.db.Refuse(t.Context(), w.claim(), "title is bad", time.Now()))
	_, err := w.Retry(t.Context(), admin.DealSelection{})
	testenv.Must(w.T, err)
	_, err = w.db.RecordCreated(t.Context(), w.claim(), 77, time.Now())
	testenv.Must(w.T, err)
	testenv.Must(w.T, w.db.ReplaceDuplicates(t.Context(), map[string][]int64{id: {77, 78}}, time.Now()))

	h, err := w.History(t.Context(), gistdeal.GistURL("alice", id))
	testenv.Must(w.T, err)
	if h.State != gistdeal.DealCreated || h.DealURL != "https://crm.example/deal/77" || h.User.Login != "alice" || h.Gist.Description != "a gist" || h.NoticedBy != gistdeal.NoticedByFirstScan {
		t.Errorf("%+v", h)
	}
	if len(h.Attempts) != 2 || h.Attempts[0].Outcome != "refused" || h.Attempts[0].Reason != "title is bad" || h.Attempts[1].DealID != 77 {
		t.Errorf("the attempts are %+v", h.Attempts)
	}
	duplicates, err := w.Duplicates(t.Context(), 0, 10)
	testenv.Must(w.T, err)
	if len(h.Duplicates) != 1 || len(duplicates) != 1 || duplicates[0].DealURL != "https://crm.example/deal/78" || duplicates[0].Login != "alice" {
		t.Errorf("history %+v, list %+v: want the duplicate 78 in both", h.Duplicates, duplicates)
	}
	if _, err := w.History(t.Context(), "nosuch"); gistdeal.KindOf(err) != gistdeal.NotFound {
		t.Errorf("the history of an unknown gist: %v", err)
	}
}

func TestDealsAreListedInPagesWithTheirURL(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ids := w.track(1, "alice", 3)
	slices.Sort(ids)
	deals, more, err := w.Deals(t.Context(), admin.DealSelection{User: "https://github.com/alice"}, gistdeal.DealPlace{}, 2)
	testenv.Must(w.T, err)
	if len(deals) != 2 || !more || deals[0].GistID != ids[0] || deals[0].DealURL != "" {
		t.Errorf("%+v, more: %t", deals, more)
	}
	deals, more, err = w.Deals(t.Context(), admin.DealSelection{}, gistdeal.DealPlace{GistID: deals[1].GistID}, 2)
	testenv.Must(w.T, err)
	if len(deals) != 1 || more || deals[0].GistID != ids[2] {
		t.Errorf("%+v, more: %t", deals, more)
	}
	deals, _, err = w.Deals(t.Context(), admin.DealSelection{States: []string{"failed"}}, gistdeal.DealPlace{}, 0)
	testenv.Must(w.T, err)
	if deals == nil || len(deals) != 0 {
		t.Errorf("%+v, want an empty list", deals)
	}
}

func TestAVisitMakesGistsOldForItsVisitorOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.track(1, "alice", 2)
	gists, seen, err := w.Gists(t.Context(), "alice", "ann", true, nil, math.MaxInt64, 10)
	testenv.Must(w.T, err)
	if len(gists) != 2 || seen != 0 || !strings.HasPrefix(gists[0].URL, "https://gist.github.com/alice/") {
		t.Fatalf("%+v, seen %d", gists, seen)
	}
	for _, seq := range []int64{1_000_000, 1} { // Neither beyond the last gist, nor back.
		if seen, _, err = w.Visit(t.Context(), "alice", "ann", seq, 0, time.Now()); err != nil || seen != gists[0].Seq {
			t.Errorf("a visit up to %d: %d, %v; want %d", seq, seen, err, gists[0].Seq)
		}
	}
	if gists, _, err = w.Gists(t.Context(), "alice", "ann", true, nil, math.MaxInt64, 10); err != nil || len(gists) != 0 {
		t.Errorf("%d gists are new to ann, %v", len(gists), err)
	}
	latest, err := w.LastGists(t.Context(), gistdeal.GistQuery{Visitor: "bob", OnlyNew: true, Limit: 10})
	testenv.Must(w.T, err)
	if len(latest) != 2 || !latest[0].New || latest[0].Login != "alice" {
		t.Errorf("%+v, want both new to bob", latest)
	}
}
