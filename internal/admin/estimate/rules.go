package estimate

import (
	"context"
	"math"
	"time"

	"gistdeal"
	"gistdeal/internal/admin/rulesets"
	"gistdeal/internal/rules"
)

// read reads the newest gists of a new user. Its errors are internal, as those of user.
func (m *maker) read(ctx context.Context, u *UserEstimate) error {
	requesting, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var listing gistdeal.Listing
	for page, err := range m.hub.Gists(requesting, u.Login, "", &listing) {
		if err != nil {
			if gistdeal.KindOf(err) == gistdeal.Limited {
				m.limited.Store(&err)
			}
			u.Problem = err.Error()
			return ctx.Err()
		}
		u.gists = append(u.gists, page.Gists[:min(len(page.Gists), m.gists-len(u.gists))]...)
		if len(u.gists) == m.gists {
			return nil
		}
	}
	u.Gists = len(u.gists) // GitHub may count gists that it does not list.
	return nil
}

// decide has the rules decide about the gists that were read, and sets how many deals each
// new user has by them. The error is about the tags.
func (e *Estimate) decide(all *rules.Rules, q Question, now time.Time) error {
	e.Rules = rulesets.NewRulePlan()
	oldest := q.Backfill.Cutoff(now)
	for i := range e.Users {
		u := &e.Users[i]
		if u.Problem != "" || u.State != "new" {
			continue
		}
		tags, err := gistdeal.JoinTags(q.Tags[u.Input], nil)
		if err != nil {
			return err
		}
		covered, created, asked := 0, 0, e.Rules.Asked
		for _, g := range u.gists {
			if g.CreatedAt.Before(oldest) {
				continue
			}
			covered++
			if e.Rules.Add(all, rules.FactsOf(gistdeal.User{ID: u.id, Login: u.Login, Tags: tags}, g, true, now), q.Results) {
				created++
			}
		}
		u.All, u.asked = created, e.Rules.Asked-asked
		if unread := u.Gists - len(u.gists); unread > 0 && covered == len(u.gists) {
			u.All += int(math.Round(float64(unread) * float64(created) / float64(covered)))
			u.asked += int(math.Round(float64(unread) * float64(u.asked) / float64(covered)))
		}
		u.gists = nil
	}
	return nil
}
