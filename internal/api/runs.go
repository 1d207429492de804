package api

import (
	"context"
	"net/http"

	"gistdeal"
	"gistdeal/internal/desk"
)

// runs adds the route about what the work found and cost.
func (a *API) runs() {
	add(a, route{
		method: http.MethodGet, path: "/runs", id: "list-runs", scope: gistdeal.ScopeRead,
		summary: "List what scans, sweeps and pushes found and cost, the last first",
	}, a.listRuns)
}

type runList struct {
	Runs []desk.Run `json:"runs"`
	Next string     `json:"next,omitempty" doc:"The cursor of the next part."`
}

type listRunsInput struct {
	Part
	Kind  []string `query:"kind" enum:"scan,sweep,push" doc:"Only runs of these kinds."`
	User  string   `query:"user" maxLength:"100" doc:"Only scans of this user."`
	Going bool     `query:"going" doc:"Only runs that go on."`
}

func (a *API) listRuns(ctx context.Context, in *listRunsInput) (*reply[runList], error) {
	before := int64(0)
	if err := in.read(&before); err != nil {
		return nil, err
	}
	kinds, err := stateNames(in.Kind, gistdeal.RunKinds)
	if err != nil {
		return nil, err
	}
	runs, err := a.desk.Runs(ctx, desk.RunSelection{Kinds: kinds, User: in.User, Going: in.Going}, before, in.Limit)
	if err != nil {
		return nil, err
	}
	list := runList{Runs: runs}
	if len(runs) == in.Limit {
		list.Next = cursor(runs[len(runs)-1].ID)
	}
	return &reply[runList]{list}, nil
}
