package api

import (
	"context"

	"gistdeal"
	"gistdeal/internal/admin"
)

// bulkChanges maps the name of a change in a request to the change.
var bulkChanges = map[string]admin.Change{
	"pause": admin.Pause, "resume": admin.Resume, "remove": admin.Remove, "approve": admin.Approve, "scan": admin.ScanNow,
}

type changeUsersInput struct {
	Body struct {
		Change string   `json:"change" enum:"pause,resume,remove,approve,scan" doc:"The change, as made by the route for one user."`
		Users  []string `json:"users,omitempty" maxItems:"10000" doc:"Logins, GitHub URLs, or numbers such as id:583231; each has its own result."`
		Search string   `json:"search,omitempty" maxLength:"39" doc:"Instead of users: select users by a part of their login."`
		States []string `json:"states,omitempty" enum:"active,paused,removed,gone" doc:"Instead of users, or together with search: select users in these states."`
	}
}

type changeUsersResult struct {
	Users   int            `json:"users" doc:"The number of changed users."`
	Results []admin.Result `json:"results" doc:"One result for each named user."`
}

func (a *API) changeUsers(ctx context.Context, in *changeUsersInput) (*reply[changeUsersResult], error) {
	b := in.Body
	filtered := b.Search != "" || len(b.States) > 0
	if filtered == (len(b.Users) > 0) {
		return nil, gistdeal.Errorf(gistdeal.Invalid, "select users either with users, or with search and states")
	}
	states, err := parseNames(b.States, gistdeal.UserStates)
	if err != nil {
		return nil, err
	}
	defer a.options.Wake()
	if filtered {
		n, err := a.admin.ChangeAll(ctx, gistdeal.UserFilter{States: states, Search: b.Search}, bulkChanges[b.Change])
		return &reply[changeUsersResult]{changeUsersResult{n, []admin.Result{}}}, err
	}
	results, err := a.admin.ChangeUsers(ctx, b.Users, bulkChanges[b.Change])
	return &reply[changeUsersResult]{changeUsersResult{admin.Changed(results, bulkChanges[b.Change]), results}}, err
}
