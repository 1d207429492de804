package desk

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"gistdeal"
)

// Change is what a person can do to a user.
type Change string

// The changes of a user.
const (
	Remove  Change = "removed"
	Pause   Change = "paused"
	Resume  Change = "resumed"
	Approve Change = "approved" // say yes to a first scan that found more gists than are allowed
	ScanNow Change = "asked"    // scan before all that nobody asked for
)

// ChangeAll does one thing to all users that f means, and returns how many it
// changed. If it ends early, because of an error, what it did stays.
func (d *Desk) ChangeAll(ctx context.Context, f gistdeal.UserFilter, c Change) (int, error) {
	changed := 0
	for p, more := (gistdeal.UserPage{Limit: page}), true; more; {
		users, err := d.db.Users(ctx, f, p)
		if err != nil {
			return changed, err
		}
		results, err := d.change(ctx, users, c)
		if err != nil {
			return changed, err
		}
		changed += Did(results, c)
		if more = len(users) == page; more {
			p.After = &users[page-1]
		}
	}
	return changed, nil
}

// Did counts the results of users that were changed.
func Did(results []Result, c Change) int {
	n := 0
	for _, r := range results {
		if r.Result == string(c) {
			n++
		}
	}
	return n
}

// ChangeUsers does one thing to each of the users, and returns a result for
// each: the change's name, "unchanged", "invalid" or "not_found". If it ends
// early, because of an error, what it did stays.
func (d *Desk) ChangeUsers(ctx context.Context, logins []string, c Change) ([]Result, error) {
	results := make([]Result, 0, len(logins))
	for some := range slices.Chunk(logins, page) {
		var users []gistdeal.User
		var whose []int // of which result each of them is
		for _, asked := range some {
			u, err := d.user(ctx, asked)
			if err == nil {
				users, whose = append(users, u), append(whose, len(results))
				results = append(results, Result{Asked: asked})
				continue
			}
			r, ok := refusal(asked, err)
			if !ok {
				return results, err
			}
			r.Asked = asked
			results = append(results, r)
		}
		changed, err := d.change(ctx, users, c)
		if err != nil {
			return results, err
		}
		for i, r := range changed {
			r.Asked = results[whose[i]].Asked
			results[whose[i]] = r
		}
	}
	return results, nil
}

// changeWords say what a change of a user means, or why nothing was to be changed.
var changeWords = map[Change]struct{ done, unchanged string }{
	Remove:  {"its gists and deals are kept, deals that wait are skipped", "removed already"},
	Pause:   {"it is not scanned any more, its deals go on", "paused already"},
	Resume:  {"it is scanned next", "not paused"},
	ScanNow: {"it is scanned next", "it is paused: resume it first"},
	Approve: {"", "no deal waits for a yes"},
}

// change does one thing to users, and returns a result for each.
func (d *Desk) change(ctx context.Context, users []gistdeal.User, c Change) ([]Result, error) {
	ids := make([]int64, len(users))
	for i, u := range users {
		ids[i] = u.ID
	}
	var did []int64
	var err error
	words := map[int64]string{}
	switch c {
	case Remove:
		did, err = d.db.RemoveUsers(ctx, ids...)
	case Pause:
		did, err = d.db.PauseUsers(ctx, ids...)
	case Resume:
		did, err = d.db.ResumeUsers(ctx, time.Now(), ids...)
	case ScanNow:
		did, err = d.askForScans(ctx, users)
	case Approve:
		for _, id := range ids {
			var n int
			if n, err = d.db.Approve(ctx, id, time.Now()); err != nil {
				break
			}
			if n > 0 {
				did, words[id] = append(did, id), fmt.Sprintf("%s deals wait for their turn", Number(n))
			}
		}
	}
	if err != nil {
		return nil, err
	}
	for _, id := range did {
		words[id] = cmp.Or(words[id], changeWords[c].done)
	}
	results := make([]Result, len(users))
	for i, id := range ids {
		if reason, ok := words[id]; ok {
			results[i] = Result{Result: string(c), Reason: reason}
			delete(words, id) // Who is named twice is changed once.
		} else {
			results[i] = Result{Result: "unchanged", Reason: changeWords[c].unchanged}
		}
	}
	return results, nil
}

// askForScans asks for scans of those users that are not paused, and returns their ids.
func (d *Desk) askForScans(ctx context.Context, users []gistdeal.User) (ids []int64, err error) {
	var asks []gistdeal.Ask
	for _, u := range users {
		if u.State != gistdeal.UserPaused {
			ids, asks = append(ids, u.ID), append(asks, gistdeal.Ask{Login: u.Login, Want: gistdeal.WantScan})
		}
	}
	if len(asks) > 0 {
		_, err = d.db.Ask(ctx, time.Now(), asks...)
	}
	return ids, err
}
