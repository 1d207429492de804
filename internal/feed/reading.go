package feed

import (
	"cmp"
	"context"
	"slices"
	"time"

	"gistdeal"
	"gistdeal/internal/rules"
	"gistdeal/internal/testing/failpoint"
)

// reading is one reading of the feed, which passes it until nothing new turns up.
type reading struct {
	*Reader
	state gistdeal.Feed
	seen  map[string]bool // ids of this reading
	order []string        // the same ids, the first seen first

	open bool // a page of the current pass ended with a gist that was never seen before
	gap  bool // a pass reached the last page that GitHub offers, and no known gist
}

// pass reads pages until one has only known gists.
func (p *reading) pass(ctx context.Context, etag string) error {
	p.open = false
	met := false
	var l gistdeal.Listing
	for page, err := range p.github.Feed(ctx, etag, &l) {
		if err != nil {
			return err
		}
		p.metrics.pages.Inc()
		last := ""
		if len(page) > 0 {
			last = page[len(page)-1].ID
		}
		fresh, err := p.unseen(ctx, page)
		if err != nil {
			return err
		}
		if err := p.keep(ctx, fresh); err != nil {
			return err
		}
		if met = len(fresh) == 0; met {
			break
		}
		p.open = p.open || fresh[len(fresh)-1].ID == last
	}
	if l.ETag != "" {
		p.state.ETag = l.ETag
	}
	p.gap = p.gap || !met && l.Pages == gistdeal.FeedPages && !p.state.ReadAt.IsZero()
	return nil
}

// unseen returns the gists of a page that neither an earlier reading nor this one has seen.
func (p *reading) unseen(ctx context.Context, page []gistdeal.FeedGist) (fresh []gistdeal.FeedGist, err error) {
	page = slices.DeleteFunc(page, func(g gistdeal.FeedGist) bool {
		known := p.seen[g.ID]
		p.seen[g.ID] = true
		return known
	})
	ids := make([]string, len(page))
	for i, g := range page {
		ids[i] = g.ID
	}
	p.order = append(p.order, ids...)
	unseen, err := p.store.UnseenInFeed(ctx, ids)
	return slices.DeleteFunc(page, func(g gistdeal.FeedGist) bool { return !unseen[g.ID] }), err
}

// keep stores the gists of tracked users.
func (p *reading) keep(ctx context.Context, fresh []gistdeal.FeedGist) error {
	byOwner := map[int64][]gistdeal.FeedGist{}
	var owners []int64
	for _, g := range fresh {
		if byOwner[g.OwnerID] == nil {
			owners = append(owners, g.OwnerID)
		}
		byOwner[g.OwnerID] = append(byOwner[g.OwnerID], g)
	}
	users, err := p.store.UsersInFeed(ctx, owners)
	if err != nil {
		return err
	}
	tracked := 0
	for _, u := range users {
		tracked += len(byOwner[u.ID])
		// A user that was removed just now must not hold up the others.
		if err := p.keepOf(ctx, u, byOwner[u.ID]); err != nil && gistdeal.KindOf(err) != gistdeal.Invalid {
			return err
		}
		failpoint.Hit(failpoint.FeedUserSaved)
	}
	p.metrics.gists.WithLabelValues("true").Add(float64(tracked))
	p.metrics.gists.WithLabelValues("false").Add(float64(len(fresh) - tracked))
	return nil
}

// keepOf stores gists of a tracked user. A user that was gone or has another login is
// scanned next, because a scan asks GitHub by number. The feed may be a minute old.
func (p *reading) keepOf(ctx context.Context, u gistdeal.User, listed []gistdeal.FeedGist) error {
	if u.State == gistdeal.UserGone || u.LoginStale || gistdeal.LoginKey(u.Login) != gistdeal.LoginKey(listed[0].Login) {
		if err := p.store.DueNow(ctx, p.now(), u.ID); err != nil {
			return err
		}
	}
	if u.State == gistdeal.UserGone {
		return nil
	}
	limits, err := gistdeal.CurrentLimits(ctx, p.store, p.options.Limits, p.options.Locked)
	if err != nil {
		return err
	}
	gists := make([]gistdeal.Gist, len(listed))
	for i, g := range listed {
		gists[i] = g.Gist
	}
	slices.SortFunc(gists, func(a, b gistdeal.Gist) int { return b.CreatedAt.Compare(a.CreatedAt) })
	policy := gistdeal.NewGistPolicy{Feed: true, Order: p.options.Order, Hold: limits != gistdeal.ApprovalLimits{}, Total: len(gists)}
	now := p.now()
	decided := 0
	policy.Decisions, decided, err = p.rules.Decisions(ctx, u, gists, policy, now, rules.Lookup{GitHub: p.github, Store: p.store})
	queued, saveErr := p.store.SaveGists(ctx, u.ID, gists[:decided], policy, now)
	if err = cmp.Or(err, saveErr); err == nil && policy.Hold {
		queued, err = p.release(ctx, u, limits)
	}
	if queued > 0 {
		p.queued.Set()
		p.log.Info("gists noticed", "login", u.Login, "user", u.ID, "queued", queued)
	}
	return err
}

// release queues the new deals of a user, as far as the limits allow.
func (p *reading) release(ctx context.Context, u gistdeal.User, limits gistdeal.ApprovalLimits) (queued int, err error) {
	queued, awaiting, err := p.store.QueueScanned(ctx, u.ID, limits, p.now())
	if awaiting > 0 {
		p.log.Warn("deals await approval", "login", u.Login, "user", u.ID, "deals", awaiting, "threshold", limits.Threshold, "daily_limit", limits.Daily)
	}
	return queued, err
}

// end records the reading.
func (p *reading) end(ctx context.Context) error {
	now := p.now()
	if p.gap {
		p.log.Warn("gap in the feed", "meaning", "gists may have left GitHub's list before they were read: every user is scanned next", "last_read", p.state.ReadAt.Format(time.RFC3339))
		p.state.GapAt = now
		p.metrics.gaps.Inc()
		if err := p.store.AllDueNow(ctx, now); err != nil {
			return err
		}
	}
	p.measure(ctx)
	p.state.ReadAt = now
	slices.Reverse(p.order) // The latest gist is forgotten last.
	if err := p.store.RecordFeed(ctx, p.state, p.order); err != nil {
		return err
	}
	p.metrics.read.Set(float64(now.Unix()))
	p.metrics.reach.Set(p.state.Reach.Seconds())
	return nil
}

// measure measures now and then how far the feed reaches back.
func (p *reading) measure(ctx context.Context) {
	if time.Since(p.measured) < reachEvery {
		return
	}
	reach, err := p.github.FeedReach(ctx)
	if err != nil {
		p.log.Debug("reach of the feed not measured", "error", err)
		return
	}
	p.measured, p.state.Reach = time.Now(), reach
}
