package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gistdeal"
	"gistdeal/internal/testing/failpoint"
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

// errOrganisation means that the user became an organisation.
var errOrganisation = gistdeal.Errorf(gistdeal.NotFound, "it is an organisation on GitHub now: organisations have no gists")

// scanning says for whom a scan is, if not for somebody who waits.
type scanning struct {
	github GitHub
	sweep  *running // nil: somebody waits
}

// scan reads the gists of u and records how it ended.
func (e *Engine) scan(ctx context.Context, by scanning, u gistdeal.User) error {
	run := e.begin(gistdeal.RunScan, u.ID)
	run.sum = by.sweep
	err := e.scanRun(ctx, by.github, run, u)
	run.note(ctx, func(r *gistdeal.Run) {
		if err != nil {
			r.Failed++
		}
	})
	by.sweep.note(ctx, func(r *gistdeal.Run) { r.Done++ })
	if err != nil || by.sweep == nil || run.now().Gists > 0 || neverScanned(u) {
		run.keep()
	}
	run.end(ctx, err)
	return err
}

// scanRun is what scan does, but for its place among the runs.
func (e *Engine) scanRun(ctx context.Context, g GitHub, run *running, u gistdeal.User) error {
	err := e.read(ctx, g, run, u)
	taken := errors.Is(err, errTaken)
	if taken || gistdeal.KindOf(err) == gistdeal.NotFound {
		if u, err = e.findAgain(ctx, g, u); err == nil {
			err = e.read(ctx, g, run, u)
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

// scanFailed decides when u is scanned again after err, and returns err, or why
// that could not be written down. taken says that somebody else has u's login now.
func (e *Engine) scanFailed(ctx context.Context, u gistdeal.User, taken bool, err error) error {
	if ctx.Err() != nil || e.hold(err) {
		return err // The user stays due.
	}
	var recordErr error
	if gistdeal.KindOf(err) == gistdeal.NotFound {
		problem := "deleted, suspended or hidden on GitHub"
		if errors.Is(err, errOrganisation) {
			problem = errOrganisation.Error()
		}
		e.log.Warn("user gone", "login", u.Login, "user", u.ID, "problem", problem)
		recordErr = e.store.Gone(ctx, u.ID, taken, problem, e.now().Add(min(goneRetry*time.Duration(u.Failures+1), goneAtMost)))
	} else {
		wait := min(retryFirst<<min(u.Failures, retryAtMost), e.options.ScanInterval)
		e.log.Warn("scan failed", "login", u.Login, "user", u.ID, "error", err, "retry_in", wait.String())
		recordErr = e.store.ScanFailed(ctx, u.ID, err.Error(), e.now().Add(wait))
	}
	if recordErr != nil {
		// Not with err, by whose kind it would count as written down.
		return fmt.Errorf("%w, after: %v", recordErr, err) //nolint:errorlint // See above.
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

// read reads the gists of u from g page by page and stores each page as it comes. The
// ETag is stored after the last page's gists.
func (e *Engine) read(ctx context.Context, g GitHub, run *running, u gistdeal.User) error {
	if u.LoginStale {
		return errTaken
	}
	most, err := e.firstScanMax(ctx, u)
	if err != nil {
		return err
	}
	begin := time.Now()
	var listed []string
	found := 0
	l, err := g.Gists(ctx, u.Login, e.etagFor(u), func(page gistdeal.GistPage) error {
		for _, gist := range page.Gists {
			if gist.OwnerID != 0 && gist.OwnerID != u.ID {
				return errTaken
			}
			listed = append(listed, gist.ID)
		}
		n, err := e.store.SaveGists(ctx, u.ID, page.Gists, noticing(u, most), e.now())
		failpoint.Hit(failpoint.PageSaved)
		if n > 0 {
			poke(e.found)
		}
		found += n
		run.note(ctx, func(r *gistdeal.Run) {
			r.Gists += n
			r.Done++
			r.Total = page.Pages
		})
		return err
	})
	e.metrics.requests.Add(float64(l.Requests))
	run.note(ctx, func(r *gistdeal.Run) { r.Requests += l.Requests })
	if err != nil {
		return err
	}
	if !l.NotModified {
		if err := e.readWhole(ctx, g, u, listed); err != nil {
			return err
		}
	}
	failpoint.Hit(failpoint.RowsSaved)
	if err := e.scanned(ctx, u, most, l); err != nil {
		return err
	}
	failpoint.Hit(failpoint.ETagSaved)
	if found > 0 || neverScanned(u) {
		e.log.Info("user scanned", "login", u.Login, "gists", len(listed), "found", found, "requests", l.Requests, "took", time.Since(begin).String())
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

// noticing returns what a scan of u makes of new gists. Only the first scan
// skips or holds deals: a gist that shows up later is new, whatever its dates.
func noticing(u gistdeal.User, most int) gistdeal.Noticing {
	n := gistdeal.Noticing{First: neverScanned(u)}
	if n.First && u.FirstScan == gistdeal.FirstScanNew {
		n.SkipBefore = u.TrackedAt
	}
	n.Hold = n.First && u.FirstScan == gistdeal.FirstScanAll && most > 0
	return n
}

// scanned records a scan that ended well. At the end of the first, the deals
// that it held are let go, unless they are too many.
func (e *Engine) scanned(ctx context.Context, u gistdeal.User, most int, l gistdeal.Listing) error {
	if !neverScanned(u) {
		return e.store.Scanned(ctx, u.ID, l, e.now(), e.nextScan())
	}
	held, err := e.store.FirstScanned(ctx, u.ID, l, most, e.now(), e.nextScan())
	if held > 0 {
		e.log.Warn("first scan waits for a yes", "login", u.Login, "user", u.ID, "gists", held, "allowed", most)
	}
	poke(e.found)
	return err
}

// readWhole records which gists of u are gone, as all that there are were listed.
func (e *Engine) readWhole(ctx context.Context, g GitHub, u gistdeal.User, listed []string) error {
	if len(listed) == 0 {
		if err := e.confirmEmpty(ctx, g, u); err != nil {
			return err
		}
	}
	if neverScanned(u) {
		return nil
	}
	return e.store.MarkGone(ctx, u.ID, listed, e.now())
}

// confirmEmpty returns errTaken if u, who had gists, was listed without any
// and has another login by now: GitHub lists nothing for a login that is gone.
func (e *Engine) confirmEmpty(ctx context.Context, g GitHub, u gistdeal.User) error {
	had, err := e.store.HasGists(ctx, u.ID)
	if err != nil || !had {
		return err
	}
	account, err := byNumber(ctx, g, u)
	if err != nil {
		return err
	}
	if gistdeal.LoginKey(account.Login) != gistdeal.LoginKey(u.Login) {
		return errTaken
	}
	return nil
}

// byNumber looks u up by number, which a rename does not change.
func byNumber(ctx context.Context, g GitHub, u gistdeal.User) (gistdeal.Account, error) {
	account, err := g.UserByID(ctx, u.ID)
	if err == nil && account.Type == gistdeal.Organization {
		err = errOrganisation
	}
	return account, err
}

// findAgain gives u the login that it has now.
func (e *Engine) findAgain(ctx context.Context, g GitHub, u gistdeal.User) (gistdeal.User, error) {
	account, err := byNumber(ctx, g, u)
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
