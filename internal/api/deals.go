package api

import (
	"context"
	"net/http"

	"gistdeal"
	"gistdeal/internal/admin"
)

// deals adds the routes about deals.
func (a *API) deals() {
	add(a, route{method: http.MethodGet, path: "/deals", id: "list-deals", scope: gistdeal.ScopeRead, summary: "List deals by gist id"}, a.listDeals)
	add(a, route{
		method: http.MethodGet, path: "/deals/{gist}", id: "explain-deal", scope: gistdeal.ScopeRead,
		summary: "Show the history of a gist and its deal",
	}, a.explain)
	add(a, route{
		method: http.MethodPost, path: "/deals/retry", id: "retry-deals", scope: gistdeal.ScopeWrite,
		summary: "Make failed, skipped and held deals wait for their turn again; without a choice all that failed",
	}, a.retry)
	add(a, route{
		method: http.MethodPost, path: "/deals/skip", id: "skip-deals", scope: gistdeal.ScopeWrite,
		summary: "Make no deals for gists whose deal is not sent yet",
	}, a.skip)
	add(a, route{
		method: http.MethodGet, path: "/failures", id: "list-failures", scope: gistdeal.ScopeRead,
		summary: "Count failed deals by their cause",
	}, a.failures)
	add(a, route{
		method: http.MethodGet, path: "/duplicates", id: "list-duplicates", scope: gistdeal.ScopeRead,
		summary: "List deals in Pipedrive beyond the one that their gist should have",
	}, a.duplicates)
}

type dealList struct {
	Deals []admin.Deal `json:"deals"`
	Next  string       `json:"next,omitempty" doc:"The cursor of the next part."`
}

type listDealsInput struct {
	Part
	State   []string `query:"state" enum:"awaiting_approval,queued,sending,created,failed,skipped" doc:"Only deals in these states."`
	User    string   `query:"user" maxLength:"100" doc:"Only deals of this user's gists."`
	Problem string   `query:"problem" maxLength:"2000" doc:"Only deals with this problem, as a failure names it."`
}

func (a *API) listDeals(ctx context.Context, in *listDealsInput) (*reply[dealList], error) {
	after := ""
	if err := in.read(&after); err != nil {
		return nil, err
	}
	if _, err := stateNames(in.State, gistdeal.DealStates); err != nil {
		return nil, err
	}
	deals, more, err := a.admin.Deals(ctx, admin.DealSelection{States: in.State, User: in.User, Problem: in.Problem}, after, in.Limit)
	if err != nil {
		return nil, err
	}
	list := dealList{Deals: deals}
	if more {
		list.Next = cursor(deals[len(deals)-1].GistID)
	}
	return &reply[dealList]{list}, nil
}

type explainInput struct {
	Gist string `path:"gist" maxLength:"100" doc:"The gist's id."`
}

func (a *API) explain(ctx context.Context, in *explainInput) (*reply[admin.History], error) {
	s, err := a.admin.History(ctx, in.Gist)
	return &reply[admin.History]{s}, err
}

// DealSelection selects deals: those that match everything that is set.
type DealSelection struct {
	Gists   []string `json:"gists,omitempty" maxItems:"1000" doc:"Ids or addresses; each gets a result of its own."`
	States  []string `json:"states,omitempty" enum:"awaiting_approval,queued,failed,skipped"`
	User    string   `json:"user,omitempty" maxLength:"100"`
	Problem string   `json:"problem,omitempty" maxLength:"2000" doc:"As a failure names it."`
}

func (c DealSelection) selection() admin.DealSelection {
	return admin.DealSelection{Gists: c.Gists, States: c.States, User: c.User, Problem: c.Problem}
}

type retryInput struct{ Body DealSelection }

func (a *API) retry(ctx context.Context, in *retryInput) (*reply[admin.DealResults], error) {
	t, err := a.admin.Retry(ctx, in.Body.selection())
	a.options.Wake()
	return &reply[admin.DealResults]{t}, err
}

type skipInput struct {
	Body struct {
		DealSelection
		Note string `json:"note" minLength:"1" maxLength:"500" doc:"The reason, shown with the deals."`
	}
}

func (a *API) skip(ctx context.Context, in *skipInput) (*reply[admin.DealResults], error) {
	s := in.Body.selection()
	if len(s.Gists)+len(s.States) == 0 && s.User == "" && s.Problem == "" {
		return nil, gistdeal.Errorf(gistdeal.Invalid, "select deals by gists, states, a user or a problem")
	}
	t, err := a.admin.Skip(ctx, s, in.Body.Note)
	return &reply[admin.DealResults]{t}, err
}

type failureList struct {
	Failures []gistdeal.Failure `json:"failures"`
}

func (a *API) failures(ctx context.Context, _ *struct{}) (*reply[failureList], error) {
	f, err := a.activity.Failures(ctx)
	return &reply[failureList]{failureList{f}}, err
}

type duplicateList struct {
	Duplicates []admin.ListedDuplicate `json:"duplicates"`
	Next       string                  `json:"next,omitempty" doc:"The cursor of the next part."`
}

func (a *API) duplicates(ctx context.Context, in *struct{ Part }) (*reply[duplicateList], error) {
	after := int64(0)
	if err := in.read(&after); err != nil {
		return nil, err
	}
	deals, err := a.admin.Duplicates(ctx, after, in.Limit)
	if err != nil {
		return nil, err
	}
	list := duplicateList{Duplicates: deals}
	if len(deals) == in.Limit {
		list.Next = cursor(deals[len(deals)-1].DealID)
	}
	return &reply[duplicateList]{list}, nil
}
