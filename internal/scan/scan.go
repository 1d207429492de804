package scan

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"gistdeal"
	"gistdeal/internal/probe"
	"gistdeal/internal/runlog"
	"gistdeal/internal/trace"
)

const (
	fullScanEvery = 24 * time.Hour // a 304 speaks for page 1 only
	goneRetry     = 24 * time.Hour // after a user disappeared; a day longer each time
	goneAtMost    = 7 * 24 * time.Hour
	retryFirst    = 5 * time.Second // after a failed scan; twice as long each time
	retryAtMost   = 15              // doublings

	// stage names the scans in the backoff from GitHub.
	stage = "read"
)

// errTaken means that another user has the login now.
var errTaken = errors.New("the login belongs to another user now")

// errOrganization means that the user became an organization.
var errOrganization = gistdeal.Errorf(gistdeal.NotFound, "it is an organization on GitHub now: organizations have no gists")

// caller is the reason for a scan.
type caller struct {
	github GitHub
	sweep  *runlog.Run  // that the scan is a part of; nil for an interactive scan
	change probe.Change // what the sweep knows of the user
}

// list reports whether the whole list has to be read: its first page may be unchanged.
func (c caller) list() bool {
	p := c.change.Probe
	return p != nil && (p.Err == nil || gistdeal.KindOf(p.Err) == gistdeal.NotFound)
}

// scan reads the gists of u and records the outcome.
func (s *Scanner) scan(ctx context.Context, by caller, u gistdeal.User) error {
	ctx, span := trace.Start(ctx, trace.Internal, "scan", slog.Int64("gistdeal.user", u.ID))
	run := s.runs.Begin(gistdeal.RunScan, u.ID, by.sweep)
	if by.list() {
		u.ETag = ""
	}
	err := s.scanRun(ctx, by.github, run, u)
	if err == nil && by.list() {
		s.compared(ctx, by.change.Probe, u)
	}
	span.Set(slog.Int("gistdeal.new_gists", run.Numbers().Gists))
	defer span.End(err)
	run.Note(ctx, func(r *gistdeal.Run) {
		if err != nil {
			r.Failed++
		}
	})
	by.sweep.Note(ctx, func(r *gistdeal.Run) { r.Done++ })
	if err != nil || by.sweep == nil || run.Numbers().Gists > 0 || neverScanned(u) {
		run.Keep()
	}
	run.End(ctx, err)
	return err
}

// scanRun reads the gists of u, under its new login if it was renamed, and plans
// the next scan.
func (s *Scanner) scanRun(ctx context.Context, g GitHub, run *runlog.Run, u gistdeal.User) error {
	err := s.read(ctx, g, run, u)
	taken := errors.Is(err, errTaken)
	if taken || gistdeal.KindOf(err) == gistdeal.NotFound {
		if u, err = s.findAgain(ctx, g, u); err == nil {
			err = s.read(ctx, g, run, u)
		}
	}
	if err == nil {
		s.backoff.Succeeded(stage)
		s.failures.succeeded()
		s.ended.WithLabelValues("ok").Inc()
		return nil
	}
	s.ended.WithLabelValues(outcome(err)).Inc()
	err = fmt.Errorf("scan %q: %w", u.Login, err)
	return s.scanFailed(ctx, u, taken, err)
}

// outcome is the label of a failed scan: a fault of the database is none of GitHub's.
func outcome(err error) string {
	if gistdeal.OwnFault(err) {
		return gistdeal.Internal.String()
	}
	return gistdeal.KindOf(err).String()
}

// scanFailed plans the next scan of u after err, and returns err, or why the plan
// could not be recorded. taken means that another user has u's login now.
func (s *Scanner) scanFailed(ctx context.Context, u gistdeal.User, taken bool, err error) error {
	all := ctx.Err() == nil && s.backOff(err)
	if ctx.Err() != nil || all && gistdeal.KindOf(err) == gistdeal.Unauthorized {
		return err // The user stays due.
	}
	var recordErr error
	if gistdeal.KindOf(err) == gistdeal.NotFound {
		s.failures.succeeded()
		problem := "deleted, suspended or hidden on GitHub"
		if errors.Is(err, errOrganization) {
			problem = errOrganization.Error()
		}
		s.log.Warn("user gone", "login", u.Login, "user", u.ID, "problem", problem)
		recordErr = s.store.Gone(ctx, u.ID, taken, problem, s.now(), s.now().Add(min(goneRetry*time.Duration(u.Failures+1), goneAtMost)))
	} else {
		if !all && !gistdeal.OwnFault(err) {
			s.failures.failed(u.ID)
		}
		// Also after a limit of all requests: it may come from this user's list.
		wait := gistdeal.RetryAfter(err) + min(retryFirst<<min(u.Failures, retryAtMost), s.options.Interval)
		s.log.Warn("scan failed", "login", u.Login, "user", u.ID, "error", err, "retry_in", wait.String())
		recordErr = s.store.ScanFailed(ctx, u.ID, err.Error(), s.now().Add(wait))
	}
	if recordErr != nil {
		// %v hides the kind of err: with it the failure would count as recorded.
		return fmt.Errorf("%w, after: %v", recordErr, err) //nolint:errorlint // See above.
	}
	return err
}

// backOff begins the backoff from GitHub if err concerns all requests and not one
// user, and reports whether it does.
func (s *Scanner) backOff(err error) bool {
	all := false
	switch gistdeal.KindOf(err) {
	case gistdeal.Unauthorized:
		all = true
	case gistdeal.Limited:
		all = s.github.Ready() != nil
	}
	if all {
		s.backoff.Begin(stage, err)
	}
	return all
}
