package scan

import (
	"cmp"
	"context"

	"gistdeal"
)

// track does the work of a request, and reports whether its user is new.
func (s *Scanner) track(ctx context.Context, a gistdeal.ScanRequest) (added bool, err error) {
	u, err := s.store.UserByLogin(ctx, a.Login)
	switch {
	case gistdeal.KindOf(err) == gistdeal.NotFound:
		u, err = s.lookUp(ctx, a)
		added = err == nil
	case err == nil && neverScanned(u) && a.Backfill != "" && a.Backfill != u.Backfill:
		u, err = s.store.Track(ctx, gistdeal.Account{ID: u.ID, Login: u.Login}, a.Backfill, s.now())
	}
	if err != nil || a.Kind == gistdeal.RequestTrack {
		return added, err
	}
	if u.State == gistdeal.UserPaused {
		if a.Kind == gistdeal.RequestScanNow {
			err = gistdeal.Errorf(gistdeal.Invalid, "%q is paused: resume it first", u.Login)
		}
		return added, err
	}
	needed := neverScanned
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

// lookUp asks GitHub for the requested account, and tracks it.
func (s *Scanner) lookUp(ctx context.Context, a gistdeal.ScanRequest) (u gistdeal.User, err error) {
	if err := s.backoff.Err(); err != nil {
		return u, err
	}
	account, err := s.github.User(ctx, a.Login)
	if err != nil {
		s.backOff(err)
		return u, err
	}
	s.backoff.Succeeded(stage)
	if err := account.CheckGists(); err != nil {
		return u, err
	}
	policy, err := s.firstScan(ctx)
	if err != nil {
		return u, err
	}
	u, err = s.store.Track(ctx, account, cmp.Or(a.Backfill, policy), s.now())
	if err == nil {
		s.log.Info("user tracked", "login", u.Login, "user", u.ID)
	}
	return u, err
}
