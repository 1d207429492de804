package admin

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"gistdeal"
	"gistdeal/internal/admin/activity"
)

// CountedUser is a user with the number of its deals.
type CountedUser struct {
	gistdeal.User
	Deals map[gistdeal.DealState]int `json:"deals" doc:"How many deals the user has in each state."`

	Activity *gistdeal.UserActivity `json:"activity,omitempty" doc:"Only in lists with include=activity."`
}

// Users yields the users that f means, by id.
func (a *Admin) Users(ctx context.Context, f gistdeal.UserFilter) iter.Seq2[gistdeal.User, error] {
	return func(yield func(gistdeal.User, error) bool) {
		for p, more := (gistdeal.UserPage{Limit: page}), true; more; {
			users, err := a.db.Users(ctx, f, p)
			if err != nil {
				yield(gistdeal.User{}, err)
				return
			}
			for _, u := range users {
				p.After = &u
				if !yield(u, nil) {
					return
				}
			}
			more = len(users) == page
		}
	}
}

// UserPage returns a page of the users that f means, and the last of them if
// there may be more.
func (a *Admin) UserPage(ctx context.Context, f gistdeal.UserFilter, p gistdeal.UserPage) ([]CountedUser, *gistdeal.User, error) {
	users, err := a.db.Users(ctx, f, p)
	if err != nil {
		return nil, nil, err
	}
	deals, err := a.db.DealsOfUsers(ctx, idsOf(users))
	if err != nil {
		return nil, nil, err
	}
	counted := make([]CountedUser, len(users))
	for i, u := range users {
		counted[i] = CountedUser{User: u, Deals: deals[u.ID]}
	}
	if len(users) < p.Limit {
		return counted, nil, nil
	}
	return counted, &users[len(users)-1], nil
}

// AddActivity sets the activity of the users.
func (a *Admin) AddActivity(ctx context.Context, users []CountedUser) error {
	ids := make([]int64, len(users))
	for i, u := range users {
		ids[i] = u.ID
	}
	activity, err := a.db.ActivityOf(ctx, ids, time.Now())
	if err != nil {
		return err
	}
	for i, u := range users {
		users[i].Activity = new(activity[u.ID])
	}
	return nil
}

func idsOf(users []gistdeal.User) []int64 {
	ids := make([]int64, len(users))
	for i, u := range users {
		ids[i] = u.ID
	}
	return ids
}

// User returns a tracked user, given by its login, address or number.
func (a *Admin) User(ctx context.Context, input string) (CountedUser, error) {
	u, err := a.user(ctx, input)
	if err != nil {
		return CountedUser{}, err
	}
	deals, err := a.db.DealsOf(ctx, u.ID)
	return CountedUser{User: u, Deals: deals}, err
}

// user returns the tracked user that the input names.
func (a *Admin) user(ctx context.Context, input string) (gistdeal.User, error) {
	if id, ok := gistdeal.UserIDFrom(input); ok {
		return a.db.User(ctx, id)
	}
	login, err := gistdeal.LoginFrom(input)
	if err != nil {
		return gistdeal.User{}, err
	}
	u, err := a.db.UserByLogin(ctx, login)
	if gistdeal.KindOf(err) == gistdeal.NotFound {
		tracked := func(u gistdeal.User) bool { return u.State != gistdeal.UserRemoved }
		if u, ok, err := a.formerUser(ctx, login, tracked); ok || err != nil {
			return u, err
		}
	}
	return u, a.notTracked(ctx, login, err)
}

// knownUser returns the user that the input names, tracked or removed.
func (a *Admin) knownUser(ctx context.Context, input string) (gistdeal.User, error) {
	if id, ok := gistdeal.UserIDFrom(input); ok {
		return a.db.KnownUserByID(ctx, id)
	}
	login, err := gistdeal.LoginFrom(input)
	if err != nil {
		return gistdeal.User{}, err
	}
	u, err := a.db.KnownUser(ctx, login)
	if gistdeal.KindOf(err) == gistdeal.NotFound {
		anyState := func(gistdeal.User) bool { return true }
		if u, ok, err := a.formerUser(ctx, login, anyState); ok || err != nil {
			return u, err
		}
	}
	return u, err
}

// formerUser returns the user that had the login before another user got it. The error is
// Invalid if there are several such users.
func (a *Admin) formerUser(ctx context.Context, login string, wanted func(gistdeal.User) bool) (u gistdeal.User, ok bool, err error) {
	users, err := a.db.FormerUsers(ctx, login)
	users = slices.DeleteFunc(users, func(u gistdeal.User) bool { return !wanted(u) })
	if err != nil || len(users) == 0 {
		return u, false, err
	}
	if len(users) > 1 {
		names := make([]string, len(users))
		for i, u := range users {
			names[i] = fmt.Sprintf("id:%d", u.ID)
		}
		return u, false, gistdeal.Errorf(gistdeal.Invalid, "%d users had the login %q one after another: name one of them by its number, as %s", len(users), login, strings.Join(names, " or "))
	}
	return users[0], true, nil
}

// notTracked returns the error of a query for a user. If it is NotFound and a
// request to track the user is pending, the error says so.
func (a *Admin) notTracked(ctx context.Context, login string, err error) error {
	if gistdeal.KindOf(err) != gistdeal.NotFound {
		return err
	}
	reason, waits, requestErr := a.db.PendingRequest(ctx, login)
	switch {
	case requestErr != nil:
		return requestErr
	case waits:
		return gistdeal.Errorf(gistdeal.NotFound, "%q is not tracked yet: its account is being looked up at GitHub; %s", login, cmp.Or(reason, "GitHub has not answered yet"))
	}
	return err
}

// Addition is a request to track users.
type Addition struct {
	Logins []string // logins or addresses
	// Backfill is the policy of every user without a complete first scan; "" means
	// that a tracked user keeps its policy, and a new one gets the configured one.
	Backfill gistdeal.Backfill
	Tags     []string            // that each user gets
	TagsOf   map[string][]string // further tags of some, by their entry in Logins
	// Again also tracks users that were erased.
	Again bool
	// Notice is called once if the users wait because of a limit of GitHub; may be nil.
	Notice func(text string)
}

// AddUsers requests that users be tracked, and yields the result of each as it
// comes: "added", "tracked" (already), "waiting", "invalid", "not_found" or
// "refused". Users are waiting if there is no leader, or if ctx ends before
// their result is known; their requests stay.
func (a *Admin) AddUsers(ctx context.Context, add Addition) iter.Seq2[Result, error] {
	return func(yield func(Result, error) bool) {
		if err := add.CheckTags(); err != nil {
			yield(Result{}, err)
			return
		}
		if add.Again {
			if err := a.AllowAgain(ctx, add.Logins); err != nil {
				yield(Result{}, err)
				return
			}
		}
		requests, inputs, invalid := add.requests()
		for _, r := range invalid {
			if !yield(r, nil) {
				return
			}
		}
		if len(requests) == 0 {
			return
		}
		requests, err := a.db.RequestScan(ctx, time.Now(), requests...)
		if err != nil {
			yield(Result{}, err)
			return
		}
		for o, err := range a.follow(ctx, requests, a.limitOnce(ctx, add.Notice)) {
			if err != nil {
				yield(Result{}, err)
				return
			}
			r := Result{Result: "waiting", Reason: o.Waiting}
			if o.Waiting == "" {
				r = a.Added(ctx, o.Login, o.Answer)
			}
			r.Input = inputs[gistdeal.LoginKey(o.Login)]
			if !yield(r, nil) {
				return
			}
		}
	}
}

// requests returns a request for each login, the inputs by login key, and the
// results of the inputs that are no logins.
func (add Addition) requests() (requests []gistdeal.ScanRequest, inputs map[string]string, invalid []Result) {
	inputs = map[string]string{}
	for _, input := range add.Logins {
		login, err := gistdeal.LoginFrom(input)
		key := gistdeal.LoginKey(login)
		switch _, twice := inputs[key]; {
		case err != nil:
			invalid = append(invalid, Result{input, "invalid", err.Error()})
		case twice:
			invalid = append(invalid, Result{input, "invalid", "named twice"})
		default:
			inputs[key] = input
			requests = append(requests, gistdeal.ScanRequest{Login: login, Backfill: add.Backfill, Tags: add.TagsFor(input)})
		}
	}
	if len(requests) == 1 { // Somebody waits for it; many are background work.
		requests[0].Kind = gistdeal.RequestTrackNow
	}
	return requests, inputs, invalid
}

// limitOnce returns a function that tells notice of a limit of GitHub the first
// time that there is one.
func (a *Admin) limitOnce(ctx context.Context, notice func(string)) func() {
	done := notice == nil
	return func() {
		if done {
			return
		}
		l, err := activity.New(a.db).Quotas(ctx)
		if err != nil {
			return
		}
		if text := GitHubLimit(l, time.Now()); text != "" {
			done = true
			notice(text)
		}
	}
}

// GitHubLimit returns the reason why GitHub's limits let new users wait, "" if they do not.
func GitHubLimit(l gistdeal.Quotas, now time.Time) string {
	if l.GitHub.Active(now) {
		return "GitHub is " + l.GitHub.String()
	}
	for _, q := range l.Quotas {
		if strings.HasPrefix(q.Name, "github") && q.Remaining <= q.Reserved && now.Before(q.Reset) {
			return fmt.Sprintf("the last %d requests that GitHub allows this hour are reserved for interactive use; new users are looked up from %s on",
				q.Reserved, q.Reset.UTC().Format(time.RFC3339))
		}
	}
	return ""
}

// Added returns what the result of a request to track the login means, without its input.
func (a *Admin) Added(ctx context.Context, login string, answer gistdeal.RequestResult) Result {
	u, err := a.db.UserByLogin(ctx, login)
	return added(answer, u, err == nil)
}

// AddedAll is Added for several results by login key.
func (a *Admin) AddedAll(ctx context.Context, answers map[string]gistdeal.RequestResult) (map[string]Result, error) {
	users, err := a.db.UsersByLogin(ctx, slices.Collect(maps.Keys(answers)))
	results := make(map[string]Result, len(answers))
	for login, answer := range answers {
		u, known := users[login]
		results[login] = added(answer, u, known)
	}
	return results, err
}

// added is Added for a user, who is not known at the very moment of a rename.
func added(answer gistdeal.RequestResult, u gistdeal.User, known bool) Result {
	if err := answer.Err; err != nil {
		if r, ok := refusal("", err); ok {
			return r
		}
		return Result{Result: "refused", Reason: err.Error()}
	}
	r := Result{Result: "tracked", Reason: "already"}
	if answer.Added {
		r = Result{Result: "added"}
	}
	if known {
		r.Reason = strings.TrimPrefix(r.Reason+", "+u.Backfill.Meaning(), ", ")
	}
	return r
}
