package api

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"gistdeal"
	"gistdeal/internal/admin"
	"gistdeal/internal/operation"
)

// addDealRoutes adds the routes for deals.
func (a *API) addDealRoutes() {
	add(a, route{method: http.MethodGet, path: "/deals", id: "list-deals", scope: gistdeal.ScopeRead, summary: "List deals"}, a.listDeals)
	add(a, route{
		method: http.MethodGet, path: "/deals.csv", id: "export-deals", scope: gistdeal.ScopeRead,
		summary: "Download deals as CSV; cells that a spreadsheet could run as a formula begin with an apostrophe", modifyRequest: answerCSV,
	}, a.exportDeals)
	add(a, route{
		method: http.MethodGet, path: "/deals/{gist}", id: "explain-deal", scope: gistdeal.ScopeRead,
		summary: "Show the history of a gist and its deal",
	}, a.explain)
	add(a, route{
		method: http.MethodPost, path: "/deals/retry", id: "retry-deals", scope: gistdeal.ScopeWrite,
		summary: "Queue deals again that failed, were skipped or await approval; without a selection, all failed deals", once: true,
		modifyRequest: func(op *huma.Operation) { bulk[admin.DealResults](a, op) },
	}, a.retry)
	add(a, route{
		method: http.MethodPost, path: "/deals/skip", id: "skip-deals", scope: gistdeal.ScopeWrite,
		summary: "Skip deals that are not sent yet", once: true,
		modifyRequest: func(op *huma.Operation) { bulk[admin.DealResults](a, op) },
	}, a.skip)
	add(a, route{
		method: http.MethodGet, path: "/failures", id: "list-failures", scope: gistdeal.ScopeRead,
		summary: "Count failed deals by cause",
	}, a.failures)
	add(a, route{
		method: http.MethodGet, path: "/duplicates", id: "list-duplicates", scope: gistdeal.ScopeRead,
		summary: "List duplicate deals in Pipedrive",
	}, a.duplicates)
}

type dealList struct {
	Deals []admin.Deal `json:"deals"`
	Next  string       `json:"next,omitempty" doc:"The cursor of the next page; left out on the last page."`
}

// ListedDeals selects the deals of a list. It is exported because huma ignores unexported
// embedded types.
type ListedDeals struct {
	State        []string  `query:"state" enum:"awaiting_approval,queued,sending,created,failed,skipped" doc:"Only deals in these states."`
	User         string    `query:"user" maxLength:"100" doc:"Only deals of this user's gists."`
	Problem      string    `query:"problem" maxLength:"2000" doc:"Only deals with exactly this problem, as listed by /failures."`
	Search       string    `query:"search" maxLength:"200" doc:"Only deals with this text in the description of the gist or in the login, in any case, or with this gist id or number in Pipedrive."`
	Rule         string    `query:"rule" maxLength:"100" doc:"Only deals that this rule decided about; everything else for those that no rule matched."`
	UpdatedSince time.Time `query:"updated_since" doc:"Only deals that changed at this time or later."`
	Sort         string    `query:"sort" enum:"gist,-gist,created,-created,updated,-updated" default:"gist" doc:"The order of the list; a leading - reverses it."`
}

func (l ListedDeals) selection() (admin.DealSelection, error) {
	if _, err := parseNames(l.State, gistdeal.DealStates); err != nil {
		return admin.DealSelection{}, err
	}
	return admin.DealSelection{States: l.State, User: l.User, Problem: l.Problem, Search: l.Search, Rule: l.Rule, UpdatedSince: l.UpdatedSince, Order: gistdeal.DealOrder(l.Sort)}, nil
}

type listDealsInput struct {
	Page
	ListedDeals
}

func (a *API) listDeals(ctx context.Context, in *listDealsInput) (*reply[dealList], error) {
	var after gistdeal.DealPlace
	if err := in.read(&after); err != nil {
		return nil, err
	}
	s, err := in.selection()
	if err != nil {
		return nil, err
	}
	deals, more, err := a.admin.Deals(ctx, s, after, in.Limit)
	if err != nil {
		return nil, err
	}
	list := dealList{Deals: deals}
	if more {
		list.Next = cursor(s.Order.Place(deals[len(deals)-1].DealSummary))
	}
	return &reply[dealList]{list}, nil
}

func (a *API) exportDeals(ctx context.Context, in *ListedDeals) (*huma.StreamResponse, error) {
	s, err := in.selection()
	if err != nil {
		return nil, err
	}
	if _, _, err := a.admin.Deals(ctx, s, gistdeal.DealPlace{}, 1); err != nil {
		return nil, err // Later, the answer has begun.
	}
	return download("gistdeal-deals.csv", func(w io.Writer) error { return admin.WriteDeals(w, a.admin.AllDeals(ctx, s)) }), nil
}

type explainInput struct {
	Gist string `path:"gist" maxLength:"100" doc:"The gist's id."`
}

func (a *API) explain(ctx context.Context, in *explainInput) (*reply[admin.History], error) {
	h, err := a.admin.History(ctx, in.Gist)
	return &reply[admin.History]{h}, err
}

// DealSelection selects the deals that match every field that is set. It is
// exported because huma ignores unexported embedded types.
type DealSelection struct {
	Gists   []string `json:"gists,omitempty" maxItems:"1000" doc:"Gist ids or URLs; each has its own result."`
	States  []string `json:"states,omitempty" enum:"awaiting_approval,queued,sending,created,failed,skipped"`
	User    string   `json:"user,omitempty" maxLength:"100"`
	Problem string   `json:"problem,omitempty" maxLength:"2000" doc:"The exact problem, as listed by /failures."`
}

func (s DealSelection) selection() admin.DealSelection {
	return admin.DealSelection{Gists: s.Gists, States: s.States, User: s.User, Problem: s.Problem}
}

type retryInput struct {
	Preference
	Body struct {
		DealSelection
		DryRun bool `json:"dry_run,omitempty" doc:"Change nothing, and answer how many deals would be queued."`
	}
}

func (a *API) retry(ctx context.Context, in *retryInput) (*bulkReply, error) {
	s := in.Body.selection().OrFailed()
	if in.Body.DryRun {
		n, err := a.admin.Retryable(ctx, s)
		return results(admin.DealResults{Deals: n, Results: []admin.Result{}}, err)
	}
	async, err := a.asyncDeals(ctx, in.Preference, s)
	if err != nil {
		return nil, err
	}
	if async {
		return in.accepted(a.operations.ChangeDeals(ctx, operationID(ctx), gistdeal.OperationRetryDeals, s, ""))
	}
	defer a.options.Wake()
	return results(a.admin.Retry(ctx, s))
}

type skipInput struct {
	Preference
	Body struct {
		DealSelection
		Note string `json:"note" minLength:"1" maxLength:"500" doc:"The reason, shown with the deals."`
	}
}

func (a *API) skip(ctx context.Context, in *skipInput) (*bulkReply, error) {
	s := in.Body.selection()
	if len(s.Gists)+len(s.States) == 0 && s.User == "" && s.Problem == "" {
		return nil, gistdeal.Errorf(gistdeal.Invalid, "select deals by gists, states, user or problem")
	}
	async, err := a.asyncDeals(ctx, in.Preference, s)
	if err != nil {
		return nil, err
	}
	if async {
		return in.accepted(a.operations.ChangeDeals(ctx, operationID(ctx), gistdeal.OperationSkipDeals, s, in.Body.Note))
	}
	return results(a.admin.Skip(ctx, s, in.Body.Note))
}

// asyncDeals reports whether a change of the selected deals becomes an operation.
func (a *API) asyncDeals(ctx context.Context, p Preference, s admin.DealSelection) (bool, error) {
	if len(s.Gists) > 0 || p.asked() {
		return p.async(len(s.Gists)), nil
	}
	_, more, err := a.admin.Deals(ctx, s, gistdeal.DealPlace{}, operation.SyncItems)
	return more, err
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
	Next       string                  `json:"next,omitempty" doc:"The cursor of the next page; left out on the last page."`
}

func (a *API) duplicates(ctx context.Context, in *struct{ Page }) (*reply[duplicateList], error) {
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
