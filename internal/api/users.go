package api

import (
	"context"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"gistdeal"
	"gistdeal/internal/admin"
	"gistdeal/internal/format"
)

// addUserRoutes adds the routes for users.
func (a *API) addUserRoutes() {
	add(a, route{method: http.MethodGet, path: "/users", id: "list-users", scope: gistdeal.ScopeRead, summary: "List tracked users"}, a.listUsers)
	add(a, route{
		method: http.MethodPost, path: "/users", id: "add-users", scope: gistdeal.ScopeWrite,
		summary: "Track users, given as JSON, or as logins, URLs and CSV in text", modifyRequest: acceptText,
	}, a.addUsers)
	delete(a.huma.OpenAPI().Paths[Path+"/users"].Post.RequestBody.Content, rawBody)
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
		summary: "Change many users: the named ones, or all that match a search and states",
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
}

type userList struct {
	Users []admin.CountedUser `json:"users"`
	Next  string              `json:"next,omitempty" doc:"The cursor of the next page; left out on the last page."`
}

type listUsersInput struct {
	Page
	State  []string `query:"state" enum:"active,paused,removed,gone" doc:"Only users in these states; by default all except removed."`
	Search string   `query:"search" maxLength:"39" doc:"Only users with this text in their login."`
	Sort   string   `query:"sort" enum:"id,-id,login,-login,tracked,-tracked,last_scan,-last_scan,next_scan,-next_scan" default:"id" doc:"The order of the list; a leading - reverses it."`
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

type addUsersBody struct {
	Users    []string          `json:"users" minItems:"1" maxItems:"10000" doc:"Logins, @logins or GitHub URLs."`
	Backfill gistdeal.Backfill `json:"backfill,omitempty" pattern:"^(all|none|[0-9]{4}-[0-9]{2}-[0-9]{2})$" doc:"The existing gists that get a deal: all, none, or those created since a date. The default is none; for a single user it is the configured policy."`
	Again    bool              `json:"again,omitempty" doc:"Also track users that were erased. This needs the scope admin."`
}

type addUsersInput struct {
	contentType string
	Backfill    string `query:"backfill" pattern:"^(all|none|[0-9]{4}-[0-9]{2}-[0-9]{2})$" doc:"For text and CSV: the same as backfill in JSON."`
	RawBody     []byte
}

// Resolve implements huma.Resolver. It reads the content type here because the
// document lists content types with the bodies, not as a parameter.
func (in *addUsersInput) Resolve(ctx huma.Context) []error {
	in.contentType = ctx.Header("Content-Type")
	return nil
}

type resultList struct {
	Results []admin.Result `json:"results" doc:"One result for each named user."`
}

// rawBody is the content type that huma documents for a body that it does not decode.
const rawBody = "application/octet-stream"

// acceptText documents that logins may also be sent as text.
func acceptText(op *huma.Operation) {
	text := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	schema := huma.SchemaFromType(huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer), reflect.TypeFor[addUsersBody]())
	op.RequestBody = &huma.RequestBody{Content: map[string]*huma.MediaType{
		"application/json": {Schema: schema}, "text/plain": text, "text/csv": text,
	}}
	op.MaxBodyBytes = maxText
	op.SkipValidateBody = true
}

// maxText is the maximum size of a list of users in bytes; 10,000 logins fit.
const maxText = 1 << 20

// body decodes the body from JSON or text.
func (in *addUsersInput) body() (addUsersBody, error) {
	body := addUsersBody{Backfill: gistdeal.Backfill(in.Backfill)}
	if strings.HasPrefix(in.contentType, "text/") {
		body.Users = format.Words(string(in.RawBody))
	} else if err := unmarshal(in.RawBody, &body); err != nil {
		return body, gistdeal.Errorf(gistdeal.Invalid, "the body must be JSON such as {\"users\": [\"octocat\"]}; to send logins as text, use Content-Type: text/plain: %v", err)
	}
	if len(body.Users) == 0 {
		return body, gistdeal.Errorf(gistdeal.Invalid, "the body names no user: name at least one")
	}
	if body.Backfill == "" {
		return body, nil
	}
	return body, body.Backfill.Check()
}

// addUsers tracks users and waits up to Options.Wait for their results.
func (a *API) addUsers(ctx context.Context, in *addUsersInput) (*reply[resultList], error) {
	body, err := in.body()
	if err != nil {
		return nil, err
	}
	if body.Again {
		if !gistdeal.CallerOf(ctx).Scope.Allows(gistdeal.ScopeAdmin) {
			return nil, scopeTooSmall(gistdeal.ScopeAdmin)
		}
		if err := a.admin.AllowAgain(ctx, body.Users); err != nil {
			return nil, err
		}
	}
	users := admin.Addition{Logins: body.Users, Backfill: body.Backfill}
	if len(body.Users) > 1 {
		users.Default = gistdeal.BackfillNone
	}
	waiting, cancel := context.WithTimeout(ctx, a.options.Wait)
	defer cancel()
	list := resultList{Results: []admin.Result{}}
	for r, err := range a.admin.AddUsers(waiting, users) {
		if err != nil {
			return nil, err
		}
		list.Results = append(list.Results, r)
	}
	return &reply[resultList]{list}, nil
}

// OneUser is the user in the path of a request. It is exported because huma
// ignores unexported embedded types.
type OneUser struct {
	Login string `path:"login" maxLength:"100" example:"octocat" doc:"The login, or id: and the user's number on GitHub, for a user whose login is another's by now."`
}

func (a *API) user(ctx context.Context, in *OneUser) (*reply[admin.CountedUser], error) {
	u, err := a.admin.User(ctx, in.Login)
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
