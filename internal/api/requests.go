package api

import (
	"context"
	"net/http"

	"gistdeal"
	"gistdeal/internal/admin"
)

// addRequestRoutes adds the routes for pending scan requests.
func (a *API) addRequestRoutes() {
	add(a, route{method: http.MethodGet, path: "/requests", id: "list-requests", scope: gistdeal.ScopeRead, summary: "List the pending requests to track or scan users, by login"}, a.listRequests)
	add(a, route{method: http.MethodDelete, path: "/requests", id: "cancel-requests", scope: gistdeal.ScopeAdmin, summary: "Cancel all pending requests"}, a.cancelRequests)
	add(a, route{method: http.MethodDelete, path: "/requests/{login}", id: "cancel-request", scope: gistdeal.ScopeWrite, summary: "Cancel the pending request for a login"}, a.cancelRequest)
}

type requestList struct {
	Requests []gistdeal.PendingRequest `json:"requests"`
	Next     string                    `json:"next,omitempty" doc:"The cursor of the next page; left out on the last page."`
}

type requestPage struct{ Page }

func (a *API) listRequests(ctx context.Context, in *requestPage) (*reply[requestList], error) {
	after := ""
	if err := in.read(&after); err != nil {
		return nil, err
	}
	requests, err := a.admin.Requests(ctx, after, in.Limit)
	list := requestList{Requests: requests}
	if len(requests) == in.Limit {
		list.Next = cursor(requests[len(requests)-1].Login)
	}
	return &reply[requestList]{list}, err
}

type canceledRequests struct {
	Canceled int64 `json:"canceled" doc:"How many requests were canceled."`
}

func (a *API) cancelRequests(ctx context.Context, _ *struct{}) (*reply[canceledRequests], error) {
	n, err := a.admin.CancelAllRequests(ctx)
	return &reply[canceledRequests]{canceledRequests{n}}, err
}

func (a *API) cancelRequest(ctx context.Context, in *OneUser) (*reply[admin.Result], error) {
	r, err := a.admin.CancelRequest(ctx, in.Login)
	if err != nil {
		return nil, err
	}
	return answerOf(r)
}
