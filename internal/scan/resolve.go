package scan

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"gistdeal"
	"gistdeal/internal/loop"
	"gistdeal/internal/rules"
	"gistdeal/internal/testing/failpoint"
)

const (
	resolveBatch = 100         // logins in a query
	resolvePoll  = time.Second // how often background requests are read
)

// ResolveRequests looks up the logins of background requests, a hundred with a query, until
// ctx ends. Where GitHub serves no such queries, ServeRequests looks up each login.
func (s *Scanner) ResolveRequests(ctx context.Context) error {
	for s.backoff.Wait(ctx) {
		n, wait, err := 0, resolvePoll, error(nil)
		if s.batches() {
			n, err = s.resolve(ctx)
		}
		switch {
		case gistdeal.OwnFault(err) && ctx.Err() == nil:
			s.log.Error("scan requests not read", "error", err)
			wait = loop.MaxDelay
		case err != nil:
			wait = max(gistdeal.RetryAfter(err), resolvePoll)
			s.backOff(err)
		case n == resolveBatch:
			continue // There may be more.
		}
		if !loop.Sleep(ctx, wait) {
			break
		}
	}
	return nil
}

// resolve looks up the logins of one batch of requests and answers these. It returns their
// number.
func (s *Scanner) resolve(ctx context.Context) (n int, err error) {
	requests, err := s.takeBackground(ctx)
	defer func() {
		for _, a := range requests {
			s.requests.end(gistdeal.LoginKey(a.Login))
		}
	}()
	if err != nil {
		return len(requests), err
	}
	logins := make([]string, len(requests))
	for i, a := range requests {
		logins[i] = a.Login
	}
	known, err := s.store.UsersByLogin(ctx, logins)
	if err != nil {
		return 0, err
	}
	var unknown []gistdeal.ScanRequest
	var users []gistdeal.User
	for _, a := range requests {
		if _, ok := known[gistdeal.LoginKey(a.Login)]; ok {
			s.trackAndAnswer(ctx, a)
			continue
		}
		unknown, users = append(unknown, a), append(users, gistdeal.User{Login: a.Login})
	}
	if len(users) == 0 {
		return len(requests), err
	}
	probes, err := s.prober.Probe(ctx, users)
	if err != nil || probes == nil {
		return 0, err
	}
	s.backoff.Succeeded(stage)
	return len(requests), s.trackProbed(ctx, unknown, probes)
}

// takeBackground takes a batch of background requests.
func (s *Scanner) takeBackground(ctx context.Context) (taken []gistdeal.ScanRequest, err error) {
	busy, _, _ := s.requests.underWay() // Before the query; see takeRequest.
	pending, err := s.store.PendingRequests(ctx, gistdeal.RequestTrack, resolveBatch)
	for _, a := range pending {
		key := gistdeal.LoginKey(a.Login)
		if _, serving := busy[key]; !serving && a.Kind == gistdeal.RequestTrack {
			s.requests.begin(key, true)
			taken = append(taken, a)
		}
	}
	return taken, err
}

// trackProbed tracks the users that the query returned, with their gists if it has all of
// them. For the others it asks once more, because the query does not tell an organization from
// a login that nobody has.
func (s *Scanner) trackProbed(ctx context.Context, requests []gistdeal.ScanRequest, probes []gistdeal.Probe) error {
	limits, err := s.approvalLimits(ctx)
	if err != nil {
		return err
	}
	done, err := s.trackNew(ctx, requests, probes)
	if err != nil {
		return err
	}
	var alone sync.WaitGroup
	defer alone.Wait()
	slots := make(chan struct{}, backgroundAtOnce)
	for i, a := range requests {
		if done[i] {
			continue
		}
		if probes[i].Err == nil {
			_, err := s.trackAccount(ctx, a, probes[i].Account, func(policy gistdeal.Backfill) (gistdeal.User, error) {
				return s.takeIn(ctx, a, probes[i], policy, limits)
			})
			s.answer(ctx, a, err == nil, err)
			continue
		}
		if s.background.Ready() != nil || s.backoff.Left() > 0 {
			if err := s.store.RequeueRequest(ctx, a, "it is looked up alone when GitHub's limits allow that", s.now()); err != nil {
				return err
			}
			continue
		}
		slots <- struct{}{}
		alone.Go(func() {
			defer func() { <-slots }()
			s.trackAndAnswer(ctx, a)
		})
	}
	return nil
}

// trackNew tracks the new users without gists together, who are the most, and answers the
// requests for them. It returns the indices of these.
func (s *Scanner) trackNew(ctx context.Context, requests []gistdeal.ScanRequest, probes []gistdeal.Probe) (map[int]bool, error) {
	policy, err := s.firstScan(ctx)
	if err != nil {
		return nil, err
	}
	var indices []int
	var empty []gistdeal.Probe
	var asked []gistdeal.ScanRequest
	for i, a := range requests {
		if probes[i].Err == nil && probes[i].PublicGists == 0 && probes[i].CheckGists() == nil {
			a.Backfill = cmp.Or(a.Backfill, policy)
			indices, empty, asked = append(indices, i), append(empty, probes[i]), append(asked, a)
		}
	}
	done := map[int]bool{}
	if len(empty) == 0 {
		return done, nil
	}
	tracked, err := s.prober.TrackNew(ctx, empty, asked, s.nextScan)
	for _, i := range tracked { // The others were erased or tracked before.
		done[indices[i]] = true
		s.log.Info("user tracked", "login", empty[i].Login, "user", empty[i].ID)
	}
	return done, err
}

// takeIn tracks the user of a probe, which a request is for. If the probe has all of its gists, no scan is needed.
func (s *Scanner) takeIn(ctx context.Context, a gistdeal.ScanRequest, p gistdeal.Probe, policy gistdeal.Backfill, limits gistdeal.ApprovalLimits) (gistdeal.User, error) {
	u := gistdeal.User{ID: p.ID, Login: p.Login, Backfill: policy, TrackedAt: s.now()}
	first := gistdeal.FirstScan{Limits: limits, Order: s.options.Order, Next: s.nextScan()}
	var err error
	if u.Tags, err = s.store.Tags(ctx, p.ID); err != nil {
		return u, err
	}
	if u.Tags, err = gistdeal.JoinTags(u.Tags, strings.Fields(a.Tags)); err != nil {
		return u, err
	}
	first.Tags = u.Tags
	oldest := policy.Cutoff(u.TrackedAt)
	if first.Decisions, _, err = s.rules.Decisions(ctx, u, p.Gists, gistdeal.NewGistPolicy{First: true, SkipBefore: oldest}, u.TrackedAt, rules.Lookup{}); err != nil {
		return u, err
	}
	// A scan asks for first lines of files.
	p.Complete = p.Complete && !slices.ContainsFunc(p.Gists, func(g gistdeal.Gist) bool {
		return !g.CreatedAt.Before(oldest) && len(first.Decisions[g.ID].Unknown) > 0
	})
	t, err := s.prober.Track(ctx, p, policy, first)
	failpoint.Hit(failpoint.UserTakenIn)
	if err == nil && t.User.Unlinked {
		s.ended.WithLabelValues("ok").Inc()
	}
	s.noteQueued(t.User, limits, t.Queued, t.Awaiting)
	return t.User, err
}
