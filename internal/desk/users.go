package desk

import (
	"cmp"
	"context"
	"strings"
	"time"

	"gistdeal"
)

// User is a user as the database has it.
type User struct {
	ID         int64              `json:"id"` // GitHub's number
	Login      string             `json:"login"`
	State      gistdeal.UserState `json:"state" enum:"active,paused,removed,gone"`
	FirstScan  gistdeal.FirstScan `json:"first_scan" enum:"all,new"`
	TrackedAt  *time.Time         `json:"tracked_at"`
	LastScanAt *time.Time         `json:"last_scan_at"` // null until the first scan has ended well
	NextScanAt *time.Time         `json:"next_scan_at"`
	Failures   int                `json:"failures"` // scans in a row that ended badly
	Problem    string             `json:"problem"`
}

// page is how many rows are read at a time.
const page = 500

// Users returns the users in one of the states, or all that are tracked, whose
// login contains search.
func (d *Desk) Users(ctx context.Context, states []string, search string) ([]User, error) {
	all := []User{}
	f := gistdeal.UserFilter{Search: search}
	for _, state := range states {
		f.States = append(f.States, gistdeal.UserState(state))
	}
	for p, more := (gistdeal.UserPage{Limit: page}), d.db != nil; more; {
		users, err := d.db.Users(ctx, f, p)
		if err != nil {
			return nil, err
		}
		for _, u := range users {
			p.After = &u
			all = append(all, shownUser(u))
		}
		more = len(users) == page
	}
	return all, nil
}

func shownUser(u gistdeal.User) User {
	return User{
		ID: u.ID, Login: u.Login, State: u.State, FirstScan: u.FirstScan, TrackedAt: when(u.TrackedAt),
		LastScanAt: when(u.LastScanAt), NextScanAt: when(u.NextScanAt), Failures: u.Failures, Problem: u.Problem,
	}
}

// CountedUser is a user with how its deals stand.
type CountedUser struct {
	User
	Deals map[gistdeal.DealState]int `json:"deals"` // by state
}

// UserPage returns a part of the users that f means, and the last of them if
// there may be more.
func (d *Desk) UserPage(ctx context.Context, f gistdeal.UserFilter, p gistdeal.UserPage) ([]CountedUser, *gistdeal.User, error) {
	users, err := d.db.Users(ctx, f, p)
	if err != nil {
		return nil, nil, err
	}
	ids := make([]int64, len(users))
	for i, u := range users {
		ids[i] = u.ID
	}
	deals, err := d.db.DealsOfUsers(ctx, ids)
	if err != nil {
		return nil, nil, err
	}
	shown := make([]CountedUser, len(users))
	for i, u := range users {
		shown[i] = CountedUser{shownUser(u), deals[u.ID]}
	}
	if len(users) < p.Limit {
		return shown, nil, nil
	}
	return shown, &users[len(users)-1], nil
}

// User returns a tracked user, given by its login or address.
func (d *Desk) User(ctx context.Context, asked string) (CountedUser, error) {
	u, err := d.user(ctx, asked)
	if err != nil {
		return CountedUser{}, err
	}
	deals, err := d.db.DealsOf(ctx, u.ID)
	return CountedUser{shownUser(u), deals}, err
}

// AddUsers asks that the users be tracked. policy is of all whose first scan
// has not ended; if it is "", a user keeps the one that it has, and otherwise
// is that of new users, by default the configured one of the gistdeal at work.
// notice is told, once, if GitHub limits and the asks wait for that; it hands
// over each result as it comes:
// "added", "tracked" (already), "waiting", "invalid", "not_found" or "refused".
// It returns when all have one; those that nobody is there to answer, or that
// ctx's end left without one, are waiting, and their asks stay.
func (d *Desk) AddUsers(ctx context.Context, logins []string, policy, otherwise gistdeal.FirstScan, notice func(string), result func(Result)) error {
	asked := map[string]string{} // as given, by login key
	var asks []gistdeal.Ask
	for _, text := range logins {
		login, err := gistdeal.LoginFrom(text)
		key := gistdeal.LoginKey(login)
		switch _, twice := asked[key]; {
		case err != nil:
			result(Result{text, "invalid", err.Error()})
		case twice:
			result(Result{text, "invalid", "asked for twice"})
		default:
			asked[key] = text
			asks = append(asks, gistdeal.Ask{Login: login, Policy: policy, Otherwise: otherwise})
		}
	}
	if len(asks) == 0 {
		return nil
	}
	asks, err := d.db.Ask(ctx, time.Now(), asks...)
	if err != nil {
		return err
	}
	why, err := d.follow(ctx, asks, d.limitOnce(ctx, notice), func(a gistdeal.Ask, answer gistdeal.Answer) {
		key := gistdeal.LoginKey(a.Login)
		result(d.addition(ctx, asked[key], a.Login, answer))
		delete(asked, key)
	})
	for _, a := range asks {
		if text, left := asked[gistdeal.LoginKey(a.Login)]; left && err == nil {
			result(Result{text, "waiting", why})
		}
	}
	return err
}

// limitOnce returns what tells notice of a limit of GitHub when it first meets one.
func (d *Desk) limitOnce(ctx context.Context, notice func(string)) func() {
	said := false
	return func() {
		if said {
			return
		}
		if l, err := d.Limits(ctx); err == nil && l.GitHub.Active(time.Now()) {
			said = true
			notice("GitHub is " + l.GitHub.String())
		}
	}
}

// addition words the answer to an ask for a user to be tracked.
func (d *Desk) addition(ctx context.Context, asked, login string, answer gistdeal.Answer) Result {
	if answer.Err != nil {
		if r, ok := refusal(asked, answer.Err); ok {
			return r
		}
		return Result{asked, "refused", answer.Err.Error()}
	}
	r := Result{Asked: asked, Result: "tracked", Reason: "already"}
	if answer.Added {
		r = Result{Asked: asked, Result: "added"}
	}
	// A user who is renamed in this instant has no words more.
	if u, err := d.db.UserByLogin(ctx, login); err == nil {
		r.Reason = strings.TrimPrefix(r.Reason+", "+policyWords[u.FirstScan], ", ")
	}
	return r
}

// policyWords say what first scans make of the gists that they find.
var policyWords = map[gistdeal.FirstScan]string{
	gistdeal.FirstScanAll: "a deal for each gist it has",
	gistdeal.FirstScanNew: "deals for new gists only",
}

// follow hands over the answers to asks until all have one, and then returns
// "", or why the others will have to wait. waiting is called now and then.
func (d *Desk) follow(ctx context.Context, asks []gistdeal.Ask, waiting func(), each func(gistdeal.Ask, gistdeal.Answer)) (why string, err error) {
	for {
		// Looked at first: who answered and then ended has left its answers.
		working, err := d.db.Worked(ctx)
		if err != nil {
			return "", err
		}
		answers, err := d.db.Answers(ctx, asks...)
		switch {
		case ctx.Err() != nil:
			return errStopped.Error(), nil
		case err != nil:
			return "", err
		}
		var left []gistdeal.Ask
		for _, a := range asks {
			if answer, ok := answers[gistdeal.LoginKey(a.Login)]; ok {
				each(a, answer)
			} else {
				left = append(left, a)
			}
		}
		if asks = left; len(asks) == 0 {
			return "", nil
		}
		if !working {
			return nobodyWorks, nil
		}
		waiting()
		if !pause(ctx) {
			return errStopped.Error(), nil
		}
	}
}

// user returns the tracked user that a person means.
func (d *Desk) user(ctx context.Context, asked string) (gistdeal.User, error) {
	login, err := gistdeal.LoginFrom(asked)
	if err == nil && d.db == nil {
		err = gistdeal.Errorf(gistdeal.NotFound, "%q is not tracked", login)
	}
	if err != nil {
		return gistdeal.User{}, err
	}
	u, err := d.db.UserByLogin(ctx, login)
	if gistdeal.KindOf(err) != gistdeal.NotFound {
		return u, err
	}
	why, waits, askErr := d.db.AskWaits(ctx, login)
	switch {
	case askErr != nil:
		return u, askErr
	case waits:
		return u, gistdeal.Errorf(gistdeal.NotFound, "%q is not tracked yet: GitHub is asked who that is; %s", login, cmp.Or(why, "it has not answered yet"))
	}
	return u, err
}
