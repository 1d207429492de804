package api

import (
	"context"

	"gistdeal"
	"gistdeal/internal/admin"
	"gistdeal/internal/operation"
)

type changeUsersInput struct {
	Preference
	Body struct {
		Change string   `json:"change" enum:"pause,resume,remove,approve,scan" doc:"The change, as made by the route for one user."`
		Users  []string `json:"users,omitempty" maxItems:"10000" doc:"Logins, GitHub URLs, or numbers such as id:583231; each has its own result."`
		Search string   `json:"search,omitempty" maxLength:"39" doc:"Instead of users: select users by a part of their login."`
		States []string `json:"states,omitempty" enum:"active,paused,removed,gone" doc:"Instead of users, or together with search: select users in these states."`
	}
}

type changedUsers struct {
	Users   int            `json:"users" doc:"The number of changed users."`
	Results []admin.Result `json:"results" doc:"One result for each named user."`
}

// changeUsers changes users: a few at once, many by an operation.
func (a *API) changeUsers(ctx context.Context, in *changeUsersInput) (*bulkReply, error) {
	b := in.Body
	filtered := b.Search != "" || len(b.States) > 0
	if filtered == (len(b.Users) > 0) {
		return nil, gistdeal.Errorf(gistdeal.Invalid, "select users either with users, or with search and states")
	}
	states, err := parseNames(b.States, gistdeal.UserStates)
	if err != nil {
		return nil, err
	}
	f, users := gistdeal.UserFilter{States: states, Search: b.Search}, b.Users
	if filtered {
		if users, err = a.operations.Matching(ctx, f, operation.SyncItems); err != nil {
			return nil, err
		}
	}
	if in.async(len(users)) {
		if filtered {
			if users, err = a.operations.Matching(ctx, f, 0); err != nil {
				return nil, err
			}
		}
		return in.accepted(a.operations.ChangeUsers(ctx, operationID(ctx), users, b.Change))
	}
	defer a.options.Wake()
	change := admin.Changes[b.Change]
	if filtered {
		n, err := a.admin.ChangeAll(ctx, f, change)
		return results(changedUsers{n, []admin.Result{}}, err)
	}
	changed, err := a.admin.ChangeUsers(ctx, b.Users, change)
	return results(changedUsers{admin.Changed(changed, change), changed}, err)
}
