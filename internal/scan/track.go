package scan

import (
	"cmp"
	"context"

	"gistdeal"
)

// track does the work of a request, and reports whether its user is new.
func (s *Scanner) track(ctx context.Context, a gistdeal.Ask) (added bool, err error) {
	u, err := s.store.UserByLogin(ctx, a.Login)
	switch {
	case gistdeal.KindOf(err) == gistdeal.NotFound:
		u, err = s.lookUp(ctx, a)
		added = err == nil
	case err == nil && neverScanned(u) && a.Policy != "" && a.Policy != u.FirstScan:
		u, err = s.store.Track(ctx, gistdeal.Account{ID: u.ID, Login: u.Login}, a.Policy, s.now())
	}
	if err != nil || a.Want == gistdeal.WantTracked {
		return added, err
	}
	if u.State == gistdeal.UserPaused {
		if a.Want == gistdeal.WantScan {
			err = gistdeal.Errorf(gistdeal.Invalid, "%q is paused: resume it first", u.Login)
		}
		return added, err
	}
	needed := neverScanned
	if a.Want == gistdeal.WantScan {
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
func (s *Scanner) lookUp(ctx context.Context, a gistdeal.Ask) (u gistdeal.User, err error) {
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
	u, err = s.store.Track(ctx, account, cmp.Or(a.Policy, policy), s.now())
	if err == nil {
		s.log.Info("user tracked", "login", u.Login, "user", u.ID)
	}
	return u, err
}
