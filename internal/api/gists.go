package api

import (
	"context"
	"math"
	"net/http"
	"time"

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

type listRecentGistsInput struct {
	Page
	Show string `query:"show" enum:"all,new" default:"all" doc:"new selects the gists noticed since your last visit to their user."`

	NoticedSince time.Time `query:"noticed_since" doc:"Only gists that gistdeal first read at this time or later."`
	Backfill     bool      `query:"backfill" default:"true" doc:"false leaves out gists that existed before their user was tracked."`
}

func (a *API) listRecentGists(ctx context.Context, in *listRecentGistsInput) (*reply[recentGistList], error) {
	before := int64(math.MaxInt64)
	if err := in.read(&before); err != nil {
		return nil, err
	}
	gists, err := a.admin.LastGists(ctx, gistdeal.GistQuery{
		Visitor: gistdeal.CallerOf(ctx).Name, OnlyNew: in.Show == "new", Since: in.NoticedSince, NoBackfill: !in.Backfill, Before: before, Limit: in.Limit,
	})
	if err != nil {
		return nil, err
	}
	list := recentGistList{Gists: gists}
	if len(gists) == in.Limit {
		list.Next = cursor(gists[len(gists)-1].Seq)
	}
	return &reply[recentGistList]{list}, nil
}

type visitInput struct {
	OneUser
	Body struct {
		Seq int64 `json:"seq" minimum:"0" doc:"The highest seq of the gists that you were shown."`
	}
}

type visit struct {
	Seen int64 `json:"seen" doc:"The recorded seq. It never decreases."`
}

func (a *API) recordVisit(ctx context.Context, in *visitInput) (*reply[visit], error) {
	seen, err := a.admin.Visit(ctx, in.Login, gistdeal.CallerOf(ctx).Name, in.Body.Seq, time.Now())
	return &reply[visit]{visit{seen}}, err
}
