package api

import (
	"context"

	"gistdeal"
	"gistdeal/internal/admin"
)

// bulkChanges maps the names in requests to the changes of users.
var bulkChanges = map[string]admin.Change{
	"pause": admin.Pause, "resume": admin.Resume, "remove": admin.Remove, "approve": admin.Approve, "scan": admin.ScanNow,
}

type changeUsersInput struct {
	Body struct {
		Change string   `json:"change" enum:"pause,resume,remove,approve,scan" doc:"As the routes of one user do it."`
		Users  []string `json:"users,omitempty" maxItems:"10000" doc:"Logins or addresses; each gets a result of its own."`
		Search string   `json:"search,omitempty" maxLength:"39" doc:"Instead of users: all whose login contains this."`
		States []string `json:"states,omitempty" enum:"active,paused,removed,gone" doc:"Instead of users, or with search: all in these states."`
	}
}

type changedUsers struct {
	Users   int            `json:"users" doc:"How many were changed."`
	Results []admin.Result `json:"results" doc:"One for each user that was named."`
}

func (a *API) changeUsers(ctx context.Context, in *changeUsersInput) (*reply[changedUsers], error) {
	b := in.Body
	filtered := b.Search != "" || len(b.States) > 0
	if filtered == (len(b.Users) > 0) {
		return nil, gistdeal.Errorf(gistdeal.Invalid, "select users, either by users, or by search and states")
	}
	states, err := stateNames(b.States, gistdeal.UserStates)
	if err != nil {
		return nil, err
	}
	defer a.options.Wake()
	if filtered {
		n, err := a.admin.ChangeAll(ctx, gistdeal.UserFilter{States: states, Search: b.Search}, bulkChanges[b.Change])
		return &reply[changedUsers]{changedUsers{n, []admin.Result{}}}, err
	}
	results, err := a.admin.ChangeUsers(ctx, b.Users, bulkChanges[b.Change])
	return &reply[changedUsers]{changedUsers{admin.Changed(results, bulkChanges[b.Change]), results}}, err
}
