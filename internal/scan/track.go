package scan

import (
	"cmp"
	"context"

	"gistdeal"
)

// track does the work of a request, and reports whether its user is new.
func (s *Scanner) track(ctx context.Context, a gistdeal.ScanRequest) (added bool, err error) {
	u, err := s.store.UserByLogin(ctx, a.Login)
	if err == nil && a.Tags != "" {
		u, err = s.store.AddRequestedTags(ctx, u)
	}
	switch {
	case gistdeal.KindOf(err) == gistdeal.NotFound:
		u, err = s.lookUp(ctx, s.clientFor(a), a)
		added = err == nil
	case err == nil && neverScanned(u) && a.Backfill != "" && a.Backfill != u.Backfill:
		u, err = s.store.Track(ctx, gistdeal.Account{ID: u.ID, Login: u.Login}, a.Backfill, s.now())
	}
	if err != nil || !waitsForScan(a) {
		return added, err
	}
	if u.State == gistdeal.UserPaused {
		if a.Kind == gistdeal.RequestScanNow {
			err = gistdeal.Errorf(gistdeal.Invalid, "%q is paused: resume it first", u.Login)
		}
		return added, err
	}
	needed := func(u gistdeal.User) bool { return neverScanned(u) || u.Unlinked }
	if a.Kind == gistdeal.RequestScanNow {
		needed = func(gistdeal.User) bool { return true }
	}
	if !needed(u) {
		return added, nil
	}
	if err := s.backoff.Err(); err != nil {
		return added, err
	}
	return added, s.scanOnce(ctx, caller{github: s.github}, u.ID, needed)
}

// clientFor returns the client for the lookup of a request.
func (s *Scanner) clientFor(a gistdeal.ScanRequest) GitHub {
	if a.Kind == gistdeal.RequestTrack {
		return s.background
	}
	return s.github
}

// waitsForScan reports whether a request is complete only after a scan.
func waitsForScan(a gistdeal.ScanRequest) bool { return a.Kind >= gistdeal.RequestFirstScan }

// lookUp asks GitHub for the requested account, and tracks it.
func (s *Scanner) lookUp(ctx context.Context, g GitHub, a gistdeal.ScanRequest) (u gistdeal.User, err error) {
	if err := s.backoff.Err(); err != nil {
		return u, err
	}
	account, err := g.User(ctx, a.Login)
	if err != nil {
		s.backOff(err)
		return u, err
	}
	s.backoff.Succeeded(stage)
	return s.trackAccount(ctx, a, account, func(policy gistdeal.Backfill) (gistdeal.User, error) {
		return s.store.Track(ctx, account, policy, s.now())
	})
}

// trackAccount tracks the account that a request is for, by the given function.
func (s *Scanner) trackAccount(ctx context.Context, a gistdeal.ScanRequest, account gistdeal.Account, track func(gistdeal.Backfill) (gistdeal.User, error)) (u gistdeal.User, err error) {
	if err := account.CheckGists(); err != nil {
		return u, err
	}
	policy, err := s.firstScan(ctx)
	if err != nil {
		return u, err
	}
	u, err = track(cmp.Or(a.Backfill, policy))
	if err == nil {
		s.log.Info("user tracked", "login", u.Login, "user", u.ID)
	}
	return u, err
}
