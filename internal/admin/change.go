package admin

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"gistdeal"
	"gistdeal/internal/format"
)

// Change is a change of a user.
type Change string

// The changes of a user.
const (
	Remove  Change = "removed"
	Pause   Change = "paused"
	Resume  Change = "resumed"
	Approve Change = "approved"  // approve the deals of a first scan that found more gists than the threshold
	ScanNow Change = "requested" // scan before all users without a request
)

// Changes are the changes by the name that requests give them.
var Changes = map[string]Change{"pause": Pause, "resume": Resume, "remove": Remove, "approve": Approve, "scan": ScanNow}

// ChangeAll changes all users that f means, and returns the number of those
// that it changed. The changes before an error stay.
func (a *Admin) ChangeAll(ctx context.Context, f gistdeal.UserFilter, c Change) (int, error) {
	changed := 0
	for p, more := (gistdeal.UserPage{Limit: page}), true; more; {
		users, err := a.db.Users(ctx, f, p)
		if err != nil {
			return changed, err
		}
		results, err := a.change(ctx, users, c)
		if err != nil {
			return changed, err
		}
		changed += Changed(results, c)
		if more = len(users) == page; more {
			p.After = &users[page-1]
		}
	}
	return changed, nil
}

// Changed counts the results of users that were changed.
func Changed(results []Result, c Change) int {
	n := 0
	for _, r := range results {
		if r.Result == string(c) {
			n++
		}
	}
	return n
}

// ChangeUsers changes each of the users, and returns a result for each: the
// change's name, "unchanged", "invalid" or "not_found". The changes before an
// error stay.
func (a *Admin) ChangeUsers(ctx context.Context, inputs []string, c Change) ([]Result, error) {
	results := make([]Result, 0, len(inputs))
	for some := range slices.Chunk(inputs, page) {
		var users []gistdeal.User
		var at []int // the index of the result of each user
		for _, input := range some {
			u, err := a.user(ctx, input)
			if err == nil {
				users, at = append(users, u), append(at, len(results))
				results = append(results, Result{Input: input})
				continue
			}
			r, ok := refusal(input, err)
			if !ok {
				return results, err
			}
			results = append(results, r)
		}
		changed, err := a.change(ctx, users, c)
		if err != nil {
			return results, err
		}
		for i, r := range changed {
			r.Input = results[at[i]].Input
			results[at[i]] = r
		}
	}
	return results, nil
}

// reasons explain a change of a user, or why nothing changed.
var reasons = map[Change]struct{ done, unchanged string }{
	Remove:  {"its gists and deals are kept, queued deals are skipped", "removed already"},
	Pause:   {"it is not scanned any more, its queued deals are still created", "paused already"},
	Resume:  {"it is scanned next", "not paused"},
	ScanNow: {"it is scanned next", "it is paused: resume it first"},
	Approve: {"", "no deal awaits approval"},
}

// loginTaken explains why a user cannot be scanned on request.
const loginTaken = "another user has its login now: GitHub is asked for it by number when it is due"

// change changes users, and returns a result for each, without its input.
func (a *Admin) change(ctx context.Context, users []gistdeal.User, c Change) ([]Result, error) {
	changed, err := a.apply(ctx, users, c)
	if err != nil {
		return nil, err
	}
	results := make([]Result, len(users))
	for i, u := range users {
		if reason, ok := changed[u.ID]; ok {
			results[i] = Result{Result: string(c), Reason: cmp.Or(reason, reasons[c].done)}
			delete(changed, u.ID) // A user that is named twice is changed once.
		} else {
			results[i] = Result{Result: "unchanged", Reason: reasons[c].unchanged}
			if c == ScanNow && u.LoginStale {
				results[i].Reason = loginTaken
			}
		}
	}
	return results, nil
}

// apply makes the change, and returns the ids of the users that it changed, each
// with a reason of its own or "".
func (a *Admin) apply(ctx context.Context, users []gistdeal.User, c Change) (map[int64]string, error) {
	var ids []int64
	var err error
	switch c {
	case Remove:
		ids, err = a.db.RemoveUsers(ctx, time.Now(), idsOf(users)...)
	case Pause:
		ids, err = a.db.PauseUsers(ctx, time.Now(), idsOf(users)...)
	case Resume:
		ids, err = a.db.ResumeUsers(ctx, time.Now(), idsOf(users)...)
	case ScanNow:
		ids, err = a.requestScans(ctx, users)
	case Approve:
		return a.approve(ctx, users)
	}
	changed := map[int64]string{}
	for _, id := range ids {
		changed[id] = ""
	}
	return changed, err
}

func (a *Admin) approve(ctx context.Context, users []gistdeal.User) (map[int64]string, error) {
	changed := map[int64]string{}
	for _, id := range idsOf(users) {
		n, err := a.db.Approve(ctx, id, time.Now())
		if err != nil {
			return changed, err
		}
		if n > 0 {
			changed[id] = fmt.Sprintf("%s deals queued", format.Number(n))
		}
	}
	return changed, nil
}

// requestScans requests scans of those users that are not paused and have their login,
// and returns their ids.
func (a *Admin) requestScans(ctx context.Context, users []gistdeal.User) (ids []int64, err error) {
	var requests []gistdeal.ScanRequest
	for _, u := range users {
		if u.State != gistdeal.UserPaused && !u.LoginStale {
			ids, requests = append(ids, u.ID), append(requests, gistdeal.ScanRequest{Login: u.Login, Kind: gistdeal.RequestScanNow})
		}
	}
	if len(requests) > 0 {
		_, err = a.db.RequestScan(ctx, time.Now(), requests...)
	}
	return ids, err
}
