package api

import (
	"context"
	"net/http"

	"gistdeal"
)

// addRunRoutes adds the route for runs.
func (a *API) addRunRoutes() {
	add(a, route{
		method: http.MethodGet, path: "/runs", id: "list-runs", scope: gistdeal.ScopeRead,
		summary: "List the runs of scans, sweeps and pushes, latest first",
	}, a.listRuns)
}

type runList struct {
	Runs []gistdeal.Run `json:"runs"`
	Next string         `json:"next,omitempty" doc:"The cursor of the next page; left out on the last page."`
}

type listRunsInput struct {
	Page
	Kind       []string `query:"kind" enum:"scan,sweep,push" doc:"Only runs of these kinds."`
	User       string   `query:"user" maxLength:"100" doc:"Only scans of this user."`
	InProgress bool     `query:"in_progress" doc:"Only runs that are in progress."`
}

func (a *API) listRuns(ctx context.Context, in *listRunsInput) (*reply[runList], error) {
	before := int64(0)
	if err := in.read(&before); err != nil {
		return nil, err
	}
	kinds, err := parseNames(in.Kind, gistdeal.RunKinds)
	if err != nil {
		return nil, err
	}
	f := gistdeal.RunFilter{Kinds: kinds, InProgress: in.InProgress}
	if in.User != "" {
		u, err := a.admin.User(ctx, in.User)
		if err != nil {
			return nil, err
		}
		f.UserID = u.ID
	}
	runs, err := a.activity.Runs(ctx, f, before, in.Limit)
	if err != nil {
		return nil, err
	}
	list := runList{Runs: runs}
	if len(runs) == in.Limit {
		list.Next = cursor(runs[len(runs)-1].ID)
	}
	return &reply[runList]{list}, nil
}
