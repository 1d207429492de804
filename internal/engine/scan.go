package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gistdeal"
	"gistdeal/internal/failpoint"
)

const (
	wholeEvery  = 24 * time.Hour // a 304 speaks for page 1 only
	goneRetry   = 24 * time.Hour // after a user has vanished; a day longer each time
	goneAtMost  = 7 * 24 * time.Hour
	retryFirst  = 5 * time.Second // after a scan that failed; twice as long each time
	retryAtMost = 15              // doublings

	stageGitHub = "read"
)

// errTaken means that the user's login belongs to somebody else now.
var errTaken = errors.New("the login belongs to another user now")

// scan reads the gists of u and records how it ended.
func (e *Engine) scan(ctx context.Context, u gistdeal.User) error {
	err := e.read(ctx, u)
	taken := errors.Is(err, errTaken)
	if taken || gistdeal.KindOf(err) == gistdeal.NotFound {
		if u, err = e.findAgain(ctx, u); err == nil {
			err = e.read(ctx, u)
		}
	}
	if err == nil {
		e.reading.succeeded(stageGitHub)
		e.metrics.scans.WithLabelValues("ok").Inc()
		return nil
	}
	e.metrics.scans.WithLabelValues(gistdeal.KindOf(err).String()).Inc()
	err = fmt.Errorf("scan %q: %w", u.Login, err)
	return e.scanFailed(ctx, u, taken, err)
}

// scanFailed decides when u is scanned again after err, and returns err. taken
// says that somebody else has u's login now.
func (e *Engine) scanFailed(ctx context.Context, u gistdeal.User, taken bool, err error) error {
	if ctx.Err() != nil || e.hold(err) {
		return err // The user stays due.
	}
	var recordErr error
	if gistdeal.KindOf(err) == gistdeal.NotFound {
		e.log.Warn("user gone", "login", u.Login, "user", u.ID)
		recordErr = e.store.Gone(ctx, u.ID, taken, e.now().Add(min(goneRetry*time.Duration(u.Failures+1), goneAtMost)))
	} else {
		wait := min(retryFirst<<min(u.Failures, retryAtMost), e.options.ScanInterval)
		e.log.Warn("scan failed", "login", u.Login, "user", u.ID, "error", err, "retry_in", wait.String())
		recordErr = e.store.ScanFailed(ctx, u.ID, err.Error(), e.now().Add(wait))
	}
	if recordErr != nil {
		return errors.Join(err, recordErr)
	}
	return err
}

// hold closes the gate to GitHub if err speaks of all requests, not of one
// user's, and reports whether it does.
func (e *Engine) hold(err error) bool {
	kind := gistdeal.KindOf(err)
	if kind != gistdeal.Limited && kind != gistdeal.Unauthorized {
		return false
	}
	e.reading.close(stageGitHub, err)
	return true
}

// read reads the gists of u page by page and stores each page as it comes. The
// ETag is stored after the last page's gists.
func (e *Engine) read(ctx context.Context, u gistdeal.User) error {
	if u.LoginStale {
		return errTaken
	}
	begin := time.Now()
	gists, found := 0, 0
	l, err := e.github.Gists(ctx, u.Login, e.etagFor(u), func(page []gistdeal.Gist) error {
		for _, g := range page {
			if g.OwnerID != 0 && g.OwnerID != u.ID {
				return errTaken
			}
		}
		n, err := e.store.SaveGists(ctx, u.ID, page, skipBefore(u), e.now())
		failpoint.Hit(failpoint.PageSaved)
		if n > 0 {
			poke(e.found)
		}
		gists, found = gists+len(page), found+n
		return err
	})
	e.metrics.requests.Add(float64(l.Requests))
	if err != nil {
		return err
	}
	if gists == 0 && !l.NotModified {
		if err := e.confirmEmpty(ctx, u); err != nil {
			return err
		}
	}
	failpoint.Hit(failpoint.RowsSaved)
	if err := e.store.Scanned(ctx, u.ID, l, e.now(), e.nextScan()); err != nil {
		return err
	}
	failpoint.Hit(failpoint.ETagSaved)
	if found > 0 || neverScanned(u) {
		e.log.Info("user scanned", "login", u.Login, "gists", gists, "found", found, "requests", l.Requests, "took", time.Since(begin).String())
	}
	return nil
}

// etagFor returns the ETag to send: none once a day for users of several
// pages, whose later pages a 304 says nothing of.
func (e *Engine) etagFor(u gistdeal.User) string {
	if u.Pages > 1 && e.now().Sub(u.WholeScanAt) >= wholeEvery {
		return ""
	}
	return u.ETag
}

// skipBefore returns the time before which u's gists get no deal: only the
// first scan skips. A gist that shows up later is new, whatever its dates.
func skipBefore(u gistdeal.User) time.Time {
	if u.FirstScan == gistdeal.FirstScanNew && neverScanned(u) {
		return u.TrackedAt
	}
	return time.Time{}
}

// confirmEmpty returns errTaken if u, who had gists, was listed without any
// and has another login by now: GitHub lists nothing for a login that is gone.
func (e *Engine) confirmEmpty(ctx context.Context, u gistdeal.User) error {
	had, err := e.store.HasGists(ctx, u.ID)
	if err != nil || !had {
		return err
	}
	account, err := e.github.UserByID(ctx, u.ID)
	if err != nil {
		return err
	}
	if gistdeal.LoginKey(account.Login) != gistdeal.LoginKey(u.Login) {
		return errTaken
	}
	return nil
}

// findAgain looks u up by number, which a rename does not change, and gives it
// the login that it has now.
func (e *Engine) findAgain(ctx context.Context, u gistdeal.User) (gistdeal.User, error) {
	account, err := e.github.UserByID(ctx, u.ID)
	if err != nil {
		return u, err
	}
	if gistdeal.LoginKey(account.Login) == gistdeal.LoginKey(u.Login) && !u.LoginStale {
		return u, gistdeal.Errorf(gistdeal.Temporary, "GitHub knows the user by number but not by login")
	}
	if err := e.store.Rename(ctx, account); err != nil {
		return u, err
	}
	e.log.Info("user renamed", "user", u.ID, "from", u.Login, "to", account.Login)
	// The ETag is that of the old login's list.
	u.Login, u.LoginStale, u.ETag = account.Login, false, ""
	return u, nil
}
