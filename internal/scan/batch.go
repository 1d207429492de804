package scan

import (
	"context"
	"slices"
	"time"

	"gistdeal"
	"gistdeal/internal/loop"
	"gistdeal/internal/probe"
	"gistdeal/internal/runlog"
)

// aheadShare is the share of the interval by which a scan may be early, so that a query
// compares many users.
const aheadShare = 10

// dueUsers returns users that are due. A scan in progress keeps its user out. If batches are
// compared, users to compare and users to scan do not wait for each other: there may be a
// hundred thousand of either, and GitHub's limits of both are apart.
func (s *Scanner) dueUsers(ctx context.Context, w *sweepRun) ([]gistdeal.User, error) {
	now := s.now()
	users, err := s.store.DueUsers(ctx, now, now.Add(s.planned()), sweepBatch)
	if err != nil || !s.batches() {
		return slices.DeleteFunc(users, w.scanning), err
	}
	users = slices.DeleteFunc(users, func(u gistdeal.User) bool { return s.comparable(u) || w.scanning(u) })
	batch, err := s.dueBatch(ctx, now)
	batch = slices.DeleteFunc(batch, func(u gistdeal.User) bool { return !s.comparable(u) || w.scanning(u) })
	switch {
	case s.background.Ready() != nil:
		users = nil
	case len(batch) > sweepBatch/2:
		users = users[:min(len(users), w.free())]
	}
	return append(batch, users...), err
}

// dueBatch returns users that are due, and fills their batch with users that are due soon.
func (s *Scanner) dueBatch(ctx context.Context, now time.Time) ([]gistdeal.User, error) {
	users, err := s.prober.Due(ctx, now, now.Add(s.planned()), sweepBatch)
	if err == nil && len(users) > 0 && len(users) < sweepBatch {
		users, err = s.prober.Due(ctx, now.Add(s.options.Interval/aheadShare), now.Add(s.planned()), sweepBatch)
	}
	return users, err
}

// batches reports whether due users are compared in batches.
func (s *Scanner) batches() bool { return s.prober != nil && s.prober.Available() }

// ahead returns by how much the scan of a user may be early.
func (s *Scanner) ahead(u gistdeal.User) time.Duration {
	if !s.batches() || !s.comparable(u) {
		return 0
	}
	return s.options.Interval / aheadShare
}

// comparable reports whether a comparison may replace the next scan of a user. A scan brings
// in the gists of a new user, brings back users that were gone and ends a series of failures, and once a day it reads lists of
// several pages: a gist that took the place of another one changes neither the count nor
// the newest gists.
func (s *Scanner) comparable(u gistdeal.User) bool {
	return u.State == gistdeal.UserActive && u.Failures == 0 && !neverScanned(u) && !u.LoginStale && (u.Pages <= 1 || !s.fullScanDue(u))
}

// changed compares users with GitHub and returns those to scan. If some cannot be compared
// now, it returns only the others, and the time until these can.
func (s *Scanner) changed(ctx context.Context, run *runlog.Run, users []gistdeal.User) (changes []probe.Change, wait time.Duration) {
	var batch []gistdeal.User
	for _, u := range users {
		if s.prober != nil && s.comparable(u) {
			batch = append(batch, u)
			continue
		}
		changes = append(changes, probe.Change{User: u})
	}
	if len(batch) == 0 {
		return changes, 0
	}
	run.Note(ctx, func(r *gistdeal.Run) { r.Requests++ }) // The query; it is rarely more than one.
	changed, err := s.prober.Changed(ctx, batch, s.nextScan)
	switch {
	case ctx.Err() != nil:
		return nil, 0
	case gistdeal.OwnFault(err):
		s.log.Error("comparison not recorded", "error", err)
		s.failures.ownFault()
		return changes, 0
	case err != nil:
		wait = max(gistdeal.RetryAfter(err), sweepPoll)
		s.log.Info("sweep waits", "remote", "GitHub", "reason", loop.Reason(err), "retry_in", wait.String())
		s.backOff(err)
		return changes, wait
	}
	if n := len(batch) - len(changed); n > 0 {
		s.failures.succeeded()
		s.ended.WithLabelValues("unchanged").Add(float64(n))
		run.Note(ctx, func(r *gistdeal.Run) { r.Done += n })
	}
	return append(changes, changed...), 0
}

// compared notes what a scan of u has left of the difference that caused it.
func (s *Scanner) compared(ctx context.Context, p *gistdeal.Probe, u gistdeal.User) {
	if err := s.prober.Scanned(ctx, probe.Change{User: u, Probe: p}); err != nil && ctx.Err() == nil {
		s.log.Warn("hidden gists not counted", "login", u.Login, "user", u.ID, "error", err)
	}
}
