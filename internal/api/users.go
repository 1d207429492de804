package api

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"gistdeal"
	"gistdeal/internal/admin"
)

// addUserRoutes adds the routes for users.
func (a *API) addUserRoutes() {
	add(a, route{method: http.MethodGet, path: "/users", id: "list-users", scope: gistdeal.ScopeRead, summary: "List tracked users"}, a.listUsers)
	add(a, route{
		method: http.MethodPost, path: "/users", id: "add-users", scope: gistdeal.ScopeWrite,
		summary: "Track users, given as JSON, as text with logins and URLs, or as CSV", once: true,
		modifyRequest: func(op *huma.Operation) { acceptText(op); bulk[addedUsers](a, op) },
	}, a.addUsers)
	add(a, route{method: http.MethodGet, path: "/users/{login}", id: "get-user", scope: gistdeal.ScopeRead, summary: "Show a tracked user"}, a.user)
	for _, c := range []struct {
		verb, summary string
		change        admin.Change
	}{
		{"pause", "Stop scanning a user until it is resumed", admin.Pause},
		{"resume", "Resume scanning a paused user", admin.Resume},
		{"approve", "Approve the deals of a user that await approval", admin.Approve},
	} {
		add(a, route{method: http.MethodPost, path: "/users/{login}/" + c.verb, id: c.verb + "-user", scope: gistdeal.ScopeWrite, summary: c.summary}, a.changeUser(c.change))
	}
	add(a, route{
		method: http.MethodPost, path: "/users/change", id: "change-users", scope: gistdeal.ScopeWrite,
		summary: "Change many users: the named ones, or all that match a search and states", once: true,
		modifyRequest: func(op *huma.Operation) { bulk[changedUsers](a, op) },
	}, a.changeUsers)
	add(a, route{
		method: http.MethodDelete, path: "/users/{login}", id: "remove-user", scope: gistdeal.ScopeWrite,
		summary: "Stop tracking a user; its gists and deals are kept, queued deals are skipped",
	}, a.changeUser(admin.Remove))
	add(a, route{
		method: http.MethodPost, path: "/users/{login}/erase", id: "erase-user", scope: gistdeal.ScopeAdmin,
		summary: "Erase a person's data, except gist ids, deal ids and a keyed hash of the user",
	}, a.eraseUser)
	add(a, route{
		method: http.MethodPost, path: "/users/{login}/scan", id: "scan-user", scope: gistdeal.ScopeWrite, status: http.StatusAccepted,
		summary: "Request a scan of a tracked user, without waiting for its end",
	}, a.scanUser)
	add(a, route{
		method: http.MethodGet, path: "/users/{login}/scan", id: "get-scan", scope: gistdeal.ScopeRead,
		summary: "Show how far the last requested scan of a user is, and its deals",
	}, a.scanStatus)
}

type userList struct {
	Users []admin.CountedUser `json:"users"`
	Next  string              `json:"next,omitempty" doc:"The cursor of the next page; left out on the last page."`
}

type listUsersInput struct {
	Page
	State   []string `query:"state" enum:"active,paused,removed,gone" doc:"Only users in these states; by default all except removed."`
	Search  string   `query:"search" maxLength:"39" doc:"Only users with this text in their login."`
	Sort    string   `query:"sort" enum:"id,-id,login,-login,tracked,-tracked,last_scan,-last_scan,next_scan,-next_scan" default:"id" doc:"The order of the list; a leading - reverses it."`
	Include []string `query:"include" enum:"activity" doc:"What the list has besides: with activity, the newest gist of each user and its gists per week."`
}

func (a *API) listUsers(ctx context.Context, in *listUsersInput) (*reply[userList], error) {
	states, err := parseNames(in.State, gistdeal.UserStates)
	if err != nil {
		return nil, err
	}
	order, descending := strings.CutPrefix(in.Sort, "-")
	p := gistdeal.UserPage{Order: gistdeal.UserOrder(order), Descending: descending, Limit: in.Limit}
	var after mark
	if err := in.read(&after); err != nil {
		return nil, err
	}
	if in.Cursor != "" {
		p.After = after.user(p.Order)
	}
	users, last, err := a.admin.UserPage(ctx, gistdeal.UserFilter{States: states, Search: in.Search}, p)
	if err != nil {
		return nil, err
	}
	if slices.Contains(in.Include, "activity") {
		if err := a.admin.AddActivity(ctx, users); err != nil {
			return nil, err
		}
	}
	list := userList{Users: users}
	if last != nil {
		list.Next = cursor(markOf(*last, p.Order))
	}
	return &reply[userList]{list}, nil
}

// mark is a place in an ordered list of users.
type mark struct {
	ID    int64  `json:"i"`
	Login string `json:"l,omitempty"`
	At    int64  `json:"t,omitempty"` // Unix milliseconds
}

func markOf(u gistdeal.User, order gistdeal.UserOrder) mark {
	m := mark{ID: u.ID}
	switch order {
	case gistdeal.OrderByLogin:
		m.Login = u.Login
	case gistdeal.OrderByTracked:
		m.At = u.TrackedAt.UnixMilli()
	case gistdeal.OrderByLastScan:
		m.At = u.LastScanAt.UnixMilli()
	case gistdeal.OrderByNextScan:
		m.At = u.NextScanAt.UnixMilli()
	}
	return m
}

// user is the inverse of markOf for the fields that the order uses.
func (m mark) user(order gistdeal.UserOrder) *gistdeal.User {
	at := time.UnixMilli(m.At)
	u := &gistdeal.User{ID: m.ID, Login: m.Login}
	switch order {
	case gistdeal.OrderByTracked:
		u.TrackedAt = at
	case gistdeal.OrderByLastScan:
		u.LastScanAt = at
	case gistdeal.OrderByNextScan:
		u.NextScanAt = at
	}
	return u
}

type addUsersInput struct {
	Preference
	Backfill gistdeal.Backfill `query:"backfill" pattern:"^(all|none|[0-9]{4}-[0-9]{2}-[0-9]{2})$" doc:"For text and CSV: the same as backfill in JSON."`
	Body     struct {
		Users    []string            `json:"users" minItems:"1" maxItems:"10000" doc:"Logins, @logins or GitHub URLs."`
		Backfill gistdeal.Backfill   `json:"backfill,omitempty" pattern:"^(all|none|[0-9]{4}-[0-9]{2}-[0-9]{2})$" doc:"The existing gists of new users that get a deal: all, none, or those created since a date. The default is the setting backfill, however many users there are."`
		Tags     []string            `json:"tags,omitempty" maxItems:"20" doc:"Tags that each of the users gets before rules decide about its gists; a tracked user gets them too."`
		UserTags map[string][]string `json:"user_tags,omitempty" maxProperties:"10000" doc:"Further tags of some of the users, by their entry in users."`
		Again    bool                `json:"again,omitempty" doc:"Also track users that were erased. This needs the scope admin."`
	}
}

type addedUsers struct {
	Backfill gistdeal.Backfill `json:"backfill" doc:"The existing gists of the new users that get a deal."`
	Results  []admin.Result    `json:"results" doc:"One result for each named user."`
}

// addUsers tracks users: a few at once, waiting up to Options.Wait for their results, and
// many by an operation.
func (a *API) addUsers(ctx context.Context, in *addUsersInput) (*bulkReply, error) {
	backfill, err := a.backfill(ctx, cmp.Or(in.Body.Backfill, in.Backfill))
	if err != nil {
		return nil, err
	}
	if in.Body.Again {
		if !gistdeal.CallerOf(ctx).Scope.Allows(gistdeal.ScopeAdmin) {
			return nil, scopeTooSmall(gistdeal.ScopeAdmin)
		}
		if err := a.admin.AllowAgain(ctx, in.Body.Users); err != nil {
			return nil, err
		}
	}
	add := admin.Addition{Logins: in.Body.Users, Backfill: backfill, Tags: in.Body.Tags, TagsOf: in.Body.UserTags}
	if in.async(len(in.Body.Users)) {
		return in.accepted(a.operations.AddUsers(ctx, operationID(ctx), add))
	}
	waiting, cancel := context.WithTimeout(ctx, a.options.Wait)
	defer cancel()
	added := addedUsers{Backfill: backfill, Results: []admin.Result{}}
	add.Backfill = cmp.Or(in.Body.Backfill, in.Backfill)
	for r, err := range a.admin.AddUsers(waiting, add) {
		if err != nil {
			return nil, err
		}
		added.Results = append(added.Results, r)
	}
	return results(added, nil)
}

// backfill returns the backfill of new users: the given one, or the setting if it is "".
func (a *API) backfill(ctx context.Context, given gistdeal.Backfill) (gistdeal.Backfill, error) {
	if given != "" {
		return given, given.Check()
	}
	value, err := a.settings.Value(ctx, gistdeal.SettingBackfill)
	return gistdeal.Backfill(value), err
}

// OneUser is the user in the path of a request. It is exported because huma
// ignores unexported embedded types.
type OneUser struct {
	Login string `path:"login" maxLength:"100" example:"octocat" doc:"The login, or id: and the user's number on GitHub, for a user whose login is another's by now."`
}

type getUserInput struct {
	OneUser
	Removed bool `query:"removed" doc:"Also find a user that was removed."`
}

func (a *API) user(ctx context.Context, in *getUserInput) (*reply[admin.CountedUser], error) {
	find := a.admin.User
	if in.Removed {
		find = a.admin.KnownUser
	}
	u, err := find(ctx, in.Login)
	return &reply[admin.CountedUser]{u}, err
}

// changeUser returns a handler that applies a change to one user.
func (a *API) changeUser(c admin.Change) func(context.Context, *OneUser) (*reply[admin.Result], error) {
	return func(ctx context.Context, in *OneUser) (*reply[admin.Result], error) {
		results, err := a.admin.ChangeUsers(ctx, []string{in.Login}, c)
		if err != nil {
			return nil, err
		}
		a.options.Wake()
		return answerOf(results[0])
	}
}

// answerOf returns a result as an answer, or as an error if the change was not
// possible.
func answerOf(r admin.Result) (*reply[admin.Result], error) {
	switch r.Result {
	case "not_found":
		return nil, gistdeal.Errorf(gistdeal.NotFound, "%s", r.Reason)
	case "invalid", "refused":
		return nil, gistdeal.Errorf(gistdeal.Invalid, "%s", r.Reason)
	}
	return &reply[admin.Result]{r}, nil
}

func (a *API) scanUser(ctx context.Context, in *OneUser) (*placed[admin.Result], error) {
	if err := a.admin.RequestScan(ctx, in.Login); err != nil {
		return nil, err
	}
	a.options.Wake()
	r := admin.Result{Input: in.Login, Result: "requested", Reason: "it is scanned next"}
	return &placed[admin.Result]{Path + "/users/" + url.PathEscape(in.Login), r}, nil
}

func (a *API) scanStatus(ctx context.Context, in *OneUser) (*reply[admin.ScanStatus], error) {
	s, err := a.admin.ScanStatus(ctx, in.Login)
	return &reply[admin.ScanStatus]{s}, err
}

type eraseInput struct {
	OneUser
	Body struct {
		Confirm string `json:"confirm" maxLength:"100" doc:"The login, or id: and the number, as in the path, as a confirmation: erased data cannot be restored."`
	}
}

// eraseUser waits up to Options.Wait for a deal that is being sent.
func (a *API) eraseUser(ctx context.Context, in *eraseInput) (*reply[admin.Erased], error) {
	if gistdeal.LoginKey(in.Body.Confirm) != gistdeal.LoginKey(in.Login) {
		return nil, gistdeal.Errorf(gistdeal.Invalid, "confirm is %q, want the login %q", in.Body.Confirm, in.Login)
	}
	waiting, cancel := context.WithTimeout(ctx, a.options.Wait)
	defer cancel()
	e, err := a.admin.Erase(waiting, in.Login)
	return &reply[admin.Erased]{e}, err
}
