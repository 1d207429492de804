package api

import (
	"context"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"gistdeal"
	"gistdeal/internal/admin/activity"
)

// addRunRoutes adds the route for runs.
func (a *API) addRunRoutes() {
	add(a, route{
		method: http.MethodGet, path: "/runs", id: "list-runs", scope: gistdeal.ScopeRead,
		summary: "List the runs of scans, sweeps and pushes, latest first",
	}, a.listRuns)
	add(a, route{
		method: http.MethodGet, path: "/runs.csv", id: "export-runs", scope: gistdeal.ScopeRead,
		summary: "Download the runs of scans, sweeps and pushes as CSV, latest first", modifyRequest: answerCSV,
	}, a.exportRuns)
}

type runList struct {
	Runs []gistdeal.Run `json:"runs"`
	Next string         `json:"next,omitempty" doc:"The cursor of the next page; left out on the last page."`
}

// RunSelection selects runs. It is exported because huma ignores unexported embedded types.
type RunSelection struct {
	Kind       []string `query:"kind" enum:"scan,sweep,push" doc:"Only runs of these kinds."`
	User       string   `query:"user" maxLength:"100" doc:"Only scans of this user."`
	InProgress bool     `query:"in_progress" doc:"Only runs that are in progress."`
}

type listRunsInput struct {
	Page
	RunSelection
}

func (a *API) runFilter(ctx context.Context, s RunSelection) (gistdeal.RunFilter, error) {
	kinds, err := parseNames(s.Kind, gistdeal.RunKinds)
	f := gistdeal.RunFilter{Kinds: kinds, InProgress: s.InProgress}
	if err != nil || s.User == "" {
		return f, err
	}
	u, err := a.admin.User(ctx, s.User)
	f.UserID = u.ID
	return f, err
}

func (a *API) exportRuns(ctx context.Context, in *RunSelection) (*huma.StreamResponse, error) {
	f, err := a.runFilter(ctx, *in)
	if err != nil {
		return nil, err
	}
	if _, err := a.activity.Runs(ctx, f, 0, 1); err != nil {
		return nil, err // Later, the answer has begun.
	}
	return download("gistdeal-runs.csv", func(w io.Writer) error { return activity.WriteRuns(w, a.activity.AllRuns(ctx, f)) }), nil
}

func (a *API) listRuns(ctx context.Context, in *listRunsInput) (*reply[runList], error) {
	before := int64(0)
	if err := in.read(&before); err != nil {
		return nil, err
	}
	f, err := a.runFilter(ctx, in.RunSelection)
	if err != nil {
		return nil, err
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
