package probe_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/probe"
	"gistdeal/internal/testing/testenv"
)

// hub answers each query with the next error, and then with the users as they are.
type hub struct {
	errs    []error
	queries int
}

func (h *hub) ProbeReady() error { return nil }

func (h *hub) Probe(_ context.Context, users []gistdeal.User, _ bool) ([]gistdeal.Probe, error) {
	h.queries++
	if h.queries <= len(h.errs) && h.errs[h.queries-1] != nil {
		return nil, h.errs[h.queries-1]
	}
	probes := make([]gistdeal.Probe, len(users))
	for i, u := range users {
		probes[i].ID, probes[i].Login = u.ID, u.Login
	}
	return probes, nil
}

// rows says that nothing has changed.
type rows struct{ probe.Store }

func (rows) RecordProbes(_ context.Context, probes []gistdeal.Probe, _ time.Time, _ func() time.Time) (map[int64]bool, error) {
	unchanged := map[int64]bool{}
	for _, p := range probes {
		unchanged[p.ID] = true
	}
	return unchanged, nil
}

func prober(errs ...error) (*probe.Prober, *hub, *testenv.Log) {
	h, log := &hub{errs: errs}, &testenv.Log{}
	return probe.New(rows{}, h, log.Logger(), time.Now), h, log
}

func TestUsersAreScannedAfterSeveralFailuresToCompareThem(t *testing.T) {
	t.Parallel()
	fault := gistdeal.Errorf(gistdeal.Temporary, "GitHub answers 502")
	p, _, log := prober(fault, fault, fault, fault)
	users := []gistdeal.User{{ID: 1, Login: "alice"}}
	for try := range 3 {
		_, err := p.Changed(t.Context(), users, time.Now)
		if gistdeal.KindOf(err) != gistdeal.Temporary || gistdeal.RetryAfter(err) == 0 {
			t.Errorf("try %d: %v, want a wait", try+1, err)
		}
	}
	changed, err := p.Changed(t.Context(), users, time.Now)
	if err != nil || len(changed) != 1 || changed[0].Probe != nil || log.Count("users not compared") != 1 {
		t.Errorf("%v, %v, want that alice is scanned", changed, err)
	}
	if changed, err = p.Changed(t.Context(), users, time.Now); err != nil || len(changed) != 0 {
		t.Errorf("%v, %v, want that alice is compared again", changed, err)
	}
}

func TestALimitIsWaitedForAndARefusalIsNot(t *testing.T) {
	t.Parallel()
	users := []gistdeal.User{{ID: 1, Login: "alice"}}
	limit := &gistdeal.Error{Kind: gistdeal.Limited, RetryAfter: time.Hour, Err: errors.New("spent")}
	p, _, _ := prober(limit)
	if _, err := p.Changed(t.Context(), users, time.Now); gistdeal.RetryAfter(err) != time.Hour || !p.Available() {
		t.Errorf("after a limit: %v, available %v", err, p.Available())
	}
	p, h, log := prober(gistdeal.Errorf(gistdeal.NotFound, "no such API"))
	for range 3 {
		if changed, err := p.Changed(t.Context(), users, time.Now); err != nil || len(changed) != 1 {
			t.Errorf("after a refusal: %v, %v, want that alice is scanned", changed, err)
		}
	}
	if h.queries != 1 || !p.Refused() || log.Count("users scanned one by one") != 1 {
		t.Errorf("%d queries after a refusal, want one for ten minutes", h.queries)
	}
}

func TestAUserWhoseLoginAnotherOneHasIsScanned(t *testing.T) {
	t.Parallel()
	p, _, _ := prober()
	users := []gistdeal.User{{ID: 1, Login: "alice"}, {ID: 2, Login: "bob", LoginStale: true}}
	changed, err := p.Changed(t.Context(), users, time.Now)
	if err != nil || len(changed) != 1 || changed[0].User.ID != 2 {
		t.Errorf("%v, %v, want bob", changed, err)
	}
}
