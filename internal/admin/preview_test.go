package admin_test

import (
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/admin"
	"gistdeal/internal/testing/testenv"
)

func TestARetryQueuesAsManyDealsAsItsPreviewSays(t *testing.T) {
	t.Parallel()
	for _, s := range []admin.DealSelection{
		{},
		{User: "alice"},
		{States: []string{"skipped"}},
		{States: []string{"failed", "skipped", "queued", "created"}, User: "alice"},
		{States: []string{"queued"}},
		{Gists: []string{"alice0", "alice3", "nosuch"}},
		{Gists: []string{"alice0", "alice3"}, States: []string{"skipped"}},
		{Problem: "not ours", States: []string{"skipped"}},
	} {
		w := newWorld(t)
		w.track(1, "alice", 4)
		testenv.Must(t, w.db.Refuse(t.Context(), w.claim(), "title is bad", time.Now()))
		w.claim()
		_, err := w.Skip(t.Context(), admin.DealSelection{States: []string{"queued"}}, "not ours")
		testenv.Must(t, err)
		w.track(2, "bob", 1)
		want, err := w.Retryable(t.Context(), s)
		testenv.Must(t, err)
		if got, err := w.Retry(t.Context(), s); err != nil || got.Deals != want {
			t.Errorf("%+v: %d deals queued, %d in the preview, %v", s, got.Deals, want, err)
		}
	}
}

func TestThePreviewOfAnApprovalIgnoresLoginsThatAreNotTracked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, now := t.Context(), time.Now()
	for id, login := range map[int64]string{1: "alice", 2: "bob"} {
		_, err := w.db.Track(ctx, gistdeal.Account{ID: id, Login: login}, gistdeal.BackfillAll, now)
		testenv.Must(t, err)
		_, err = w.db.SaveGists(ctx, id, []gistdeal.Gist{{ID: login + "1"}, {ID: login + "2"}}, gistdeal.NewGistPolicy{First: true, Hold: true}, now)
		testenv.Must(t, err)
		_, _, err = w.db.QueueScanned(ctx, id, gistdeal.ApprovalLimits{Threshold: 1}, now)
		testenv.Must(t, err)
	}
	for want, inputs := range map[int][]string{0: {"nobody", "-bad-"}, 2: {"ALICE", "alice", "nobody"}, 4: {"alice", "bob"}} {
		if got, err := w.AwaitingApproval(ctx, inputs); got != want || err != nil {
			t.Errorf("%v: %d deals, %v; want %d", inputs, got, err, want)
		}
	}
}
