package remote

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"gistdeal"
	"gistdeal/client"
	"gistdeal/internal/admin"
	"gistdeal/internal/loop"
)

const (
	// someUsers is how many users one request adds or changes: the server answers with
	// their results, and does not make an operation of them.
	someUsers = 100
	// poll is the interval at which users that wait are requested again.
	poll = time.Second
)

// errStopped is the reason that a request has no result yet.
var errStopped = errors.New("stopped; the request stays")

// Users yields the users that f means, by id.
func (r *Remote) Users(ctx context.Context, f gistdeal.UserFilter) iter.Seq2[gistdeal.User, error] {
	return func(yield func(gistdeal.User, error) bool) {
		for some, err := range pages(func(cursor *string) ([]gistdeal.User, string, error) {
			list, err := read[struct {
				Users []gistdeal.User
				Next  string
			}](r.api.ListUsers(ctx, &client.ListUsersParams{
				Cursor: cursor, Limit: limit(), Search: given(f.Search), State: names[client.ListUsersParamsState](f.States),
			}))
			return list.Users, list.Next, err
		}) {
			if err != nil {
				yield(gistdeal.User{}, err)
				return
			}
			for _, u := range some {
				if !yield(u, nil) {
					return
				}
			}
		}
	}
}

// User returns a tracked user.
func (r *Remote) User(ctx context.Context, input string) (admin.CountedUser, error) {
	return read[admin.CountedUser](r.api.GetUser(ctx, name(input), &client.GetUserParams{}))
}

// KnownUser returns a user, tracked or removed.
func (r *Remote) KnownUser(ctx context.Context, input string) (admin.CountedUser, error) {
	return read[admin.CountedUser](r.api.GetUser(ctx, name(input), &client.GetUserParams{Removed: new(true)}))
}

// name returns the login in an input, which may be an address, as a part of a path.
func name(input string) string {
	if login, err := gistdeal.LoginFrom(input); err == nil {
		return login
	}
	return input
}

// AddUsers requests that users be tracked, and yields the result of each as it comes.
// Users are waiting if the server has no leader, or if ctx ends before.
func (r *Remote) AddUsers(ctx context.Context, add admin.Addition) iter.Seq2[admin.Result, error] {
	return func(yield func(admin.Result, error) bool) {
		for logins := range slices.Chunk(add.Logins, someUsers) {
			for len(logins) > 0 {
				results, err := r.addUsers(ctx, logins, add)
				if err != nil {
					yield(admin.Result{}, err)
					return
				}
				waiting := r.waiting(ctx, results)
				logins = nil
				for _, one := range results {
					if waiting && one.Result == "waiting" {
						logins = append(logins, one.Input)
					} else if !yield(one, nil) {
						return
					}
				}
				if len(logins) > 0 {
					r.noticeLimit(ctx, &add)
					loop.Sleep(ctx, poll)
				}
			}
		}
	}
}

// addUsers requests that some users be tracked, and returns a result for each.
func (r *Remote) addUsers(ctx context.Context, logins []string, add admin.Addition) ([]admin.Result, error) {
	tags := map[string][]string{}
	for _, login := range logins {
		if of := add.TagsOf[login]; len(of) > 0 {
			tags[login] = of
		}
	}
	answer, err := read[struct{ Results []admin.Result }](r.api.AddUsers(ctx, &client.AddUsersParams{}, client.AddUsersJSONRequestBody{
		Users: logins, Backfill: string(add.Backfill), Again: add.Again, Tags: add.Tags, UserTags: tags,
	}))
	if ctx.Err() == nil {
		return answer.Results, err
	}
	results := make([]admin.Result, len(logins))
	for i, login := range logins {
		results[i] = admin.Result{Input: login, Result: "waiting", Reason: errStopped.Error()}
	}
	return results, nil
}

// waiting reports whether the users that wait have a result soon: an instance does the work.
func (r *Remote) waiting(ctx context.Context, results []admin.Result) bool {
	if !slices.ContainsFunc(results, func(one admin.Result) bool { return one.Result == "waiting" }) {
		return false
	}
	leader, err := r.HasLeader(ctx)
	return err == nil && leader // Not once ctx has ended.
}

// noticeLimit tells once if the users wait because of a limit of GitHub.
func (r *Remote) noticeLimit(ctx context.Context, add *admin.Addition) {
	if add.Notice == nil {
		return
	}
	q, err := r.Quotas(ctx)
	if text := admin.GitHubLimit(q, time.Now()); err == nil && text != "" {
		add.Notice(text)
		add.Notice = nil
	}
}

// verbs are the names of the changes in requests.
var verbs = map[admin.Change]client.ChangeUsersInputBodyChange{
	admin.Remove: "remove", admin.Pause: "pause", admin.Resume: "resume", admin.Approve: "approve", admin.ScanNow: "scan",
}

// ChangeUsers changes each of the users, and returns a result for each. The changes before
// an error stay.
func (r *Remote) ChangeUsers(ctx context.Context, inputs []string, c admin.Change) ([]admin.Result, error) {
	results := make([]admin.Result, 0, len(inputs))
	for some := range slices.Chunk(inputs, someUsers) {
		answer, err := read[struct{ Results []admin.Result }](r.api.ChangeUsers(ctx, &client.ChangeUsersParams{}, client.ChangeUsersJSONRequestBody{Change: verbs[c], Users: some}))
		if results = append(results, answer.Results...); err != nil {
			return results, err
		}
	}
	return results, nil
}

// AwaitingApproval returns how many deals Approve would queue.
func (r *Remote) AwaitingApproval(ctx context.Context, inputs []string) (deals int, err error) {
	for _, input := range inputs {
		u, err := r.User(ctx, input)
		if _, about := refused(input, err); err != nil && !about {
			return 0, err
		}
		deals += u.Deals[gistdeal.DealAwaitingApproval]
	}
	return deals, nil
}

// Erase forgets a user, tracked or removed.
func (r *Remote) Erase(ctx context.Context, input string) (admin.Erased, error) {
	return read[admin.Erased](r.api.EraseUser(ctx, name(input), client.EraseUserJSONRequestBody{Confirm: name(input)}))
}

// RequestScan requests a scan of a tracked user.
func (r *Remote) RequestScan(ctx context.Context, input string) error {
	_, err := read[admin.Result](r.api.ScanUser(ctx, name(input)))
	return err
}

// ScanStatus returns how far the last requested scan of a user is.
func (r *Remote) ScanStatus(ctx context.Context, input string) (admin.ScanStatus, error) {
	return read[admin.ScanStatus](r.api.GetScan(ctx, name(input)))
}

// AllRequests returns all pending scan requests by login.
func (r *Remote) AllRequests(ctx context.Context) ([]gistdeal.PendingRequest, error) {
	return all(func(cursor *string) ([]gistdeal.PendingRequest, string, error) {
		list, err := read[struct {
			Requests []gistdeal.PendingRequest
			Next     string
		}](r.api.ListRequests(ctx, &client.ListRequestsParams{Cursor: cursor, Limit: limit()}))
		return list.Requests, list.Next, err
	})
}

// CancelRequest ends the pending scan request for a login.
func (r *Remote) CancelRequest(ctx context.Context, input string) (admin.Result, error) {
	result, err := read[admin.Result](r.api.CancelRequest(ctx, name(input)))
	if text, ok := refused(input, err); ok {
		return admin.Result{Input: input, Result: text, Reason: err.Error()}, nil
	}
	result.Input = input
	return result, err
}

// CancelAllRequests ends all pending scan requests, and returns their number.
func (r *Remote) CancelAllRequests(ctx context.Context) (int64, error) {
	answer, err := read[struct{ Canceled int64 }](r.api.CancelRequests(ctx))
	return answer.Canceled, err
}
