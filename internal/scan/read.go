package scan

import (
	"cmp"
	"context"
	"time"

	"gistdeal"
	"gistdeal/internal/rules"
	"gistdeal/internal/runlog"
	"gistdeal/internal/testing/failpoint"
)

// read reads the gists of u from g and stores each page as it arrives. The ETag
// is stored after the gists of the last page.
func (s *Scanner) read(ctx context.Context, g GitHub, run *runlog.Run, u gistdeal.User) error {
	if u.LoginStale {
		return errTaken
	}
	limits, err := s.approvalLimits(ctx)
	if err != nil {
		return err
	}
	begin := time.Now()
	var l gistdeal.Listing
	listed, fresh, err := s.readPages(ctx, g, run, u, limits, &l)
	s.sent.Add(float64(l.Requests))
	run.Note(ctx, func(r *gistdeal.Run) { r.Requests += l.Requests })
	if err != nil {
		return err
	}
	if l.NotModified {
		l.Confirmed, err = s.confirmUnchanged(ctx, g, u)
	} else {
		err = s.readAll(ctx, g, u, listed)
	}
	if err != nil {
		return err
	}
	failpoint.Hit(failpoint.RowsSaved)
	if err := s.scanned(ctx, u, limits, l); err != nil {
		return err
	}
	failpoint.Hit(failpoint.ETagSaved)
	if fresh > 0 || neverScanned(u) {
		s.log.Info("user scanned", "login", u.Login, "gists", len(listed), "queued", fresh, "requests", l.Requests, "took", time.Since(begin).String())
	}
	return nil
}

// readPages stores the gists of u page by page. It returns the ids of all listed
// gists and how many new deals there are; l has the totals also beside an error.
func (s *Scanner) readPages(ctx context.Context, g GitHub, run *runlog.Run, u gistdeal.User, limits gistdeal.ApprovalLimits, l *gistdeal.Listing) (listed []string, fresh int, err error) {
	for page, err := range g.Gists(ctx, u.Login, s.etagFor(u), l) {
		if err != nil {
			return listed, fresh, err
		}
		policy := s.newGistPolicy(u, limits)
		policy.Before, policy.Total, policy.Prompt = len(listed), len(listed)+len(page.Gists)*page.Pages, g != s.background
		for _, gist := range page.Gists {
			if gist.OwnerID != 0 && gist.OwnerID != u.ID {
				return listed, fresh, errTaken
			}
			listed = append(listed, gist.ID)
		}
		now := s.now()
		decided := 0
		policy.Decisions, decided, err = s.rules.Decisions(ctx, u, page.Gists, policy, now, rules.Lookup{GitHub: g, Store: s.store})
		n, saveErr := s.store.SaveGists(ctx, u.ID, page.Gists[:decided], policy, now)
		failpoint.Hit(failpoint.PageSaved)
		if n > 0 {
			s.queued.Set()
		}
		fresh += n
		run.Note(ctx, func(r *gistdeal.Run) {
			r.Gists += n
			r.Done++
			r.Total = page.Pages
		})
		if err = cmp.Or(err, saveErr); err != nil {
			return listed, fresh, err
		}
	}
	return listed, fresh, nil
}

// etagFor returns the ETag to send: none once a day for users with several pages,
// because a 304 says nothing about the later pages.
func (s *Scanner) etagFor(u gistdeal.User) string {
	if u.Pages > 1 && s.fullScanDue(u) {
		return ""
	}
	return u.ETag
}

// fullScanDue reports whether the last scan that read every page was a day ago. A time far
// in the future was recorded while a clock was wrong.
func (s *Scanner) fullScanDue(u gistdeal.User) bool {
	return s.now().Sub(u.FullScanAt).Abs() >= fullScanEvery
}

// newGistPolicy returns the policy for gists that a scan of u finds for the first time.
// Only the first scan skips deals: a gist that shows up later is new even if its dates
// are older.
func (s *Scanner) newGistPolicy(u gistdeal.User, limits gistdeal.ApprovalLimits) gistdeal.NewGistPolicy {
	if neverScanned(u) {
		return gistdeal.FirstScan{Limits: limits, Order: s.options.Order}.Policy(u)
	}
	return gistdeal.NewGistPolicy{Order: s.options.Order, Hold: limits != gistdeal.ApprovalLimits{}}
}

// scanned records a successful scan. The deals that awaited its end are queued, as far as
// the limits allow.
func (s *Scanner) scanned(ctx context.Context, u gistdeal.User, limits gistdeal.ApprovalLimits, l gistdeal.Listing) error {
	queued, awaiting, err := s.store.QueueScanned(ctx, u.ID, limits, s.now())
	if err != nil {
		return err
	}
	s.noteQueued(u, limits, queued, awaiting)
	return s.store.Scanned(ctx, u.ID, l, s.now(), s.nextScan())
}

// noteQueued logs the deals that await approval, and wakes the pushes if others do not.
func (s *Scanner) noteQueued(u gistdeal.User, limits gistdeal.ApprovalLimits, queued, awaiting int) {
	if awaiting > 0 {
		s.log.Warn("deals await approval", "login", u.Login, "user", u.ID, "deals", awaiting, "threshold", limits.Threshold, "daily_limit", limits.Daily)
	}
	if queued > 0 {
		s.queued.Set()
	}
}

// readAll records which gists of u are gone, after GitHub listed all of them.
func (s *Scanner) readAll(ctx context.Context, g GitHub, u gistdeal.User, listed []string) error {
	if len(listed) == 0 && !neverScanned(u) { // Else the login was looked up just now.
		if err := confirmLogin(ctx, g, u); err != nil {
			return err
		}
	}
	return s.store.MarkGone(ctx, u.ID, listed, s.now())
}

// confirmUnchanged confirms once a day that u still has its login, if u's list has no
// gists and has not changed, and reports whether it did. GitHub lists nothing for a login
// that its user gave up, and that never changes.
func (s *Scanner) confirmUnchanged(ctx context.Context, g GitHub, u gistdeal.User) (bool, error) {
	if !s.fullScanDue(u) {
		return false, nil
	}
	if has, err := s.store.HasGists(ctx, u.ID); err != nil || has {
		return false, err
	}
	return true, confirmLogin(ctx, g, u)
}

// confirmLogin returns errTaken if u has another login by now.
func confirmLogin(ctx context.Context, g GitHub, u gistdeal.User) error {
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
		err = errOrganization
	}
	return account, err
}

// findAgain looks up the present login of u and records it.
func (s *Scanner) findAgain(ctx context.Context, g GitHub, u gistdeal.User) (gistdeal.User, error) {
	account, err := byNumber(ctx, g, u)
	if err != nil {
		return u, err
	}
	if gistdeal.LoginKey(account.Login) == gistdeal.LoginKey(u.Login) && !u.LoginStale {
		return u, gistdeal.Errorf(gistdeal.Temporary, "GitHub knows the user by number but not by login")
	}
	if err := s.store.Rename(ctx, account, s.now()); err != nil {
		return u, err
	}
	s.log.Info("user renamed", "user", u.ID, "from", u.Login, "to", account.Login)
	// The ETag is that of the old login's list.
	u.Login, u.LoginStale, u.ETag = account.Login, false, ""
	return u, nil
}
