package api

import (
	"context"
	"io"
	"math"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"gistdeal"
	"gistdeal/internal/admin"
)

// addGistRoutes adds the routes for gists and visits.
func (a *API) addGistRoutes() {
	add(a, route{
		method: http.MethodGet, path: "/users/{login}/gists", id: "list-gists", scope: gistdeal.ScopeRead,
		summary: "List a user's gists with their deals, most recently noticed first",
	}, a.listGists)
	add(a, route{
		method: http.MethodGet, path: "/gists", id: "list-last-gists", scope: gistdeal.ScopeRead,
		summary: "List the gists of all users with their deals, most recently noticed first",
	}, a.listRecentGists)
	add(a, route{
		method: http.MethodGet, path: "/gists.csv", id: "export-gists", scope: gistdeal.ScopeRead,
		summary: "Download the gists of all users as CSV; cells that a spreadsheet could run as a formula begin with an apostrophe", modifyRequest: answerCSV,
	}, a.exportGists)
	add(a, route{
		method: http.MethodPut, path: "/users/{login}/visit", id: "record-visit", scope: gistdeal.ScopeRead,
		summary: "Record which of a user's gists you were shown",
	}, a.recordVisit)
}

type gistList struct {
	Gists []admin.ListedGist `json:"gists"`
	Seen  int64              `json:"seen" doc:"The highest seq that you were shown at your last visit. Gists with a higher seq are new to you."`
	Next  string             `json:"next,omitempty" doc:"The cursor of the next page; left out on the last page."`
}

type listGistsInput struct {
	OneUser
	Page
	Show  string   `query:"show" enum:"all,new" default:"all" doc:"new selects the gists noticed since your last visit."`
	State []string `query:"state" enum:"awaiting_approval,queued,sending,created,failed,skipped" doc:"Only gists with a deal in these states."`
}

func (a *API) listGists(ctx context.Context, in *listGistsInput) (*reply[gistList], error) {
	states, err := parseNames(in.State, gistdeal.DealStates)
	if err != nil {
		return nil, err
	}
	before := int64(math.MaxInt64)
	if err := in.read(&before); err != nil {
		return nil, err
	}
	gists, seen, err := a.admin.Gists(ctx, in.Login, gistdeal.CallerOf(ctx).Name, in.Show == "new", states, before, in.Limit)
	if err != nil {
		return nil, err
	}
	list := gistList{Gists: gists, Seen: seen}
	if len(gists) == in.Limit {
		list.Next = cursor(gists[len(gists)-1].Seq)
	}
	return &reply[gistList]{list}, nil
}

type recentGistList struct {
	Gists []admin.UserGist `json:"gists"`
	Next  string           `json:"next,omitempty" doc:"The cursor of the next page; left out on the last page."`
}

// GistSelection selects gists of all users. It is exported because huma ignores unexported
// embedded types.
type GistSelection struct {
	Show string `query:"show" enum:"all,new" default:"all" doc:"new selects the gists noticed since your last visit to their user."`

	NoticedSince time.Time `query:"noticed_since" doc:"Only gists that gistdeal first read at this time or later."`
	UpdatedSince time.Time `query:"updated_since" doc:"Only gists whose changed_at is this time or later. Ask from a minute before the last one that you know: the clocks of instances may differ."`
	Backfill     bool      `query:"backfill" default:"true" doc:"false leaves out gists that existed before their user was tracked."`
	Sort         string    `query:"sort" enum:"-noticed,changed" default:"-noticed" doc:"The last noticed one first, or in the order of changed_at."`
}

func (s GistSelection) query(ctx context.Context) gistdeal.GistQuery {
	return gistdeal.GistQuery{
		Visitor: gistdeal.CallerOf(ctx).Name, OnlyNew: s.Show == "new", Since: s.NoticedSince, ChangedSince: s.UpdatedSince, NoBackfill: !s.Backfill, ByChange: s.Sort == "changed",
	}
}

type listRecentGistsInput struct {
	Page
	GistSelection
}

func (a *API) listRecentGists(ctx context.Context, in *listRecentGistsInput) (*reply[recentGistList], error) {
	q := in.query(ctx)
	q.Limit = in.Limit
	if err := in.read(&q.After); err != nil {
		return nil, err
	}
	gists, err := a.admin.LastGists(ctx, q)
	if err != nil {
		return nil, err
	}
	list := recentGistList{Gists: gists}
	if len(gists) == in.Limit {
		list.Next = cursor(gists[len(gists)-1].Place())
	}
	return &reply[recentGistList]{list}, nil
}

func (a *API) exportGists(ctx context.Context, in *GistSelection) (*huma.StreamResponse, error) {
	q := in.query(ctx)
	q.Limit = 1
	if _, err := a.admin.LastGists(ctx, q); err != nil {
		return nil, err // Later, the answer has begun.
	}
	return download("gistdeal-gists.csv", func(w io.Writer) error { return admin.WriteGists(w, a.admin.AllGists(ctx, q)) }), nil
}

type visitInput struct {
	OneUser
	Body struct {
		Seq      int64 `json:"seq" minimum:"0" doc:"The highest seq of the gists that you were shown."`
		Replaces int64 `json:"replaces,omitempty" minimum:"1" doc:"To take a visit back: its seen, with its before as seq. Nothing changes if another visit followed."`
	}
}

type visit struct {
	Seen   int64 `json:"seen" doc:"The recorded seq. It decreases only when a visit is taken back."`
	Before int64 `json:"before" doc:"The seq that was recorded before."`
}

func (a *API) recordVisit(ctx context.Context, in *visitInput) (*reply[visit], error) {
	seen, before, err := a.admin.Visit(ctx, in.Login, gistdeal.CallerOf(ctx).Name, in.Body.Seq, in.Body.Replaces, time.Now())
	return &reply[visit]{visit{seen, before}}, err
}
