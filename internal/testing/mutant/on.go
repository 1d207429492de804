//go:build failpoint

package mutant

import (
	"context"
	"crypto/rand"
	"iter"
	"net/http"
	"sync/atomic"
	"time"

	"gistdeal"
	"gistdeal/internal/deliver"
	"gistdeal/internal/engine"
	"gistdeal/internal/testing/failpoint"
	"gistdeal/internal/webhook"
)

// sending holds a value from a claim of the rule LateClaim until its outcome:
// there is one at a time.
var sending = make(chan struct{}, 1)

func release() {
	select {
	case <-sending:
	default:
	}
}

// Store returns s without the rules that FAILPOINT breaks.
func Store(s engine.Store) engine.Store { return store{s} }

type store struct{ engine.Store }

// TryLease grants the lease to every process under NoLease.
func (s store) TryLease(ctx context.Context) (context.Context, error) {
	if failpoint.Broken(failpoint.NoLease) {
		return ctx, nil
	}
	return s.Store.TryLease(ctx)
}

// Claim leaves the deal queued under LateClaim, as if it were claimed only after
// the request.
func (s store) Claim(ctx context.Context, owner string, now, remote time.Time) (gistdeal.Claim, bool, error) {
	if !failpoint.Broken(failpoint.LateClaim) {
		return s.Store.Claim(ctx, owner, now, remote)
	}
	sending <- struct{}{}
	c, ok, err := s.Store.Claim(ctx, owner, now, remote)
	if !ok || err != nil {
		release()
		return c, ok, err
	}
	_, err = s.Store.GiveBack(ctx, c, "", false, now)
	return c, true, err
}

// caughtUp is whether this process has caught up once.
var caughtUp atomic.Bool

// EndCatchUp notes the first catch-up.
func (s store) EndCatchUp(ctx context.Context, remote time.Time) error {
	err := s.Store.EndCatchUp(ctx, remote)
	if err == nil {
		caughtUp.Store(true)
	}
	return err
}

// Adopt adopts nothing under OneCatchUp after the first catch-up.
func (s store) Adopt(ctx context.Context, one map[string]int64, seen map[string][]gistdeal.RemoteDeal, now time.Time) ([]string, error) {
	if failpoint.Broken(failpoint.OneCatchUp) && caughtUp.Load() {
		return nil, nil
	}
	return s.Store.Adopt(ctx, one, seen, now)
}

// Reclaim claims the deal under NoFence, whichever attempt has it by now.
func (s store) Reclaim(ctx context.Context, c gistdeal.Claim, lookups int, owner string, now, remote time.Time) (gistdeal.Claim, bool, error) {
	if failpoint.Broken(failpoint.NoFence) {
		claims, err := s.Store.InDoubt(ctx)
		if err != nil {
			return c, false, err
		}
		for _, present := range claims {
			if present.Draft.GistID == c.Draft.GistID {
				c = present
			}
		}
	}
	return s.Store.Reclaim(ctx, c, lookups, owner, now, remote)
}

// RecordCreated ends a claim of LateClaim.
func (s store) RecordCreated(ctx context.Context, c gistdeal.Claim, dealID int64, now time.Time) (bool, error) {
	defer release()
	return s.Store.RecordCreated(ctx, c, dealID, now)
}

// Refuse ends a claim of LateClaim.
func (s store) Refuse(ctx context.Context, c gistdeal.Claim, reason string, now time.Time) error {
	defer release()
	return s.Store.Refuse(ctx, c, reason, now)
}

// GiveBack ends a claim of LateClaim.
func (s store) GiveBack(ctx context.Context, c gistdeal.Claim, reason string, behind bool, now time.Time) (bool, error) {
	defer release()
	return s.Store.GiveBack(ctx, c, reason, behind, now)
}

// Pipedrive returns p without the rules that FAILPOINT breaks.
func Pipedrive(p engine.Pipedrive) engine.Pipedrive { return pipedrive{p} }

type pipedrive struct{ engine.Pipedrive }

// CreateDeal ends a claim of LateClaim if its outcome is unknown.
func (p pipedrive) CreateDeal(ctx context.Context, start time.Time, d gistdeal.Draft) (int64, error) {
	id, err := p.Pipedrive.CreateDeal(ctx, start, d)
	if gistdeal.KindOf(err) == gistdeal.Unknown {
		release()
	}
	return id, err
}

// Deals shows nothing under NoLookup, and no archived deals under NoArchived.
func (p pipedrive) Deals(ctx context.Context, at *gistdeal.DealList) iter.Seq2[gistdeal.RemoteDeal, error] {
	return func(yield func(gistdeal.RemoteDeal, error) bool) {
		for d, err := range p.Pipedrive.Deals(ctx, at) {
			hidden := failpoint.Broken(failpoint.NoLookup) || d.Archived && failpoint.Broken(failpoint.NoArchived)
			if err == nil && hidden {
				continue
			}
			if !yield(d, err) {
				return
			}
		}
	}
}

// Now is the local wall clock under WallClock.
func (p pipedrive) Now() (now time.Time, known bool) {
	if failpoint.Broken(failpoint.WallClock) {
		return failpoint.Now(), true
	}
	return p.Pipedrive.Now()
}

// Sender returns s without the rules that FAILPOINT breaks.
func Sender(s deliver.Sender) deliver.Sender { return sender{s} }

type sender struct{ deliver.Sender }

// Send reports a success before the message is sent under EarlyRecord, and gives each attempt
// an id of its own under NewIDs.
func (s sender) Send(ctx context.Context, m webhook.Message) (status int, err error) {
	if failpoint.Broken(failpoint.EarlyRecord) {
		go s.Sender.Send(context.WithoutCancel(ctx), m) //nolint:errcheck // The mutant ignores it.
		return http.StatusOK, nil
	}
	if failpoint.Broken(failpoint.NewIDs) {
		m.ID += "-" + rand.Text()
	}
	return s.Sender.Send(ctx, m)
}
