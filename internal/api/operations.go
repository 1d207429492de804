package api

import (
	"cmp"
	"context"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"gistdeal"
	"gistdeal/internal/operation"
)

// addOperationRoutes adds the routes for bulk operations.
func (a *API) addOperationRoutes() {
	add(a, route{method: http.MethodGet, path: "/operations", id: "list-operations", scope: gistdeal.ScopeRead, summary: "List bulk operations, the newest first"}, a.listOperations)
	add(a, route{method: http.MethodGet, path: "/operations/{id}", id: "get-operation", scope: gistdeal.ScopeRead, summary: "Show the progress of an operation"}, a.operation)
	add(a, route{
		method: http.MethodGet, path: "/operations/{id}/results", id: "list-operation-results", scope: gistdeal.ScopeRead,
		summary: "List the results of an operation, problems first",
	}, a.operationResults)
	add(a, route{
		method: http.MethodPost, path: "/operations/{id}/cancel", id: "cancel-operation", scope: gistdeal.ScopeWrite,
		summary: "Cancel what is pending of an operation; what was done stays",
	}, a.cancelOperation)
}

type operationList struct {
	Operations []gistdeal.Operation `json:"operations"`
	Next       string               `json:"next,omitempty" doc:"The cursor of the next page; left out on the last page."`
}

// operationMark is a place in the list of operations.
type operationMark struct {
	At int64  `json:"t"` // Unix milliseconds
	ID string `json:"i"`
}

type listOperationsInput struct {
	Page
	InProgress bool `query:"in_progress" doc:"Only operations that have not ended."`
}

func (a *API) listOperations(ctx context.Context, in *listOperationsInput) (*reply[operationList], error) {
	var after operationMark
	if err := in.read(&after); err != nil {
		return nil, err
	}
	place := gistdeal.Operation{ID: after.ID}
	if after.At != 0 {
		place.CreatedAt = time.UnixMilli(after.At)
	}
	all, err := a.operations.List(ctx, place, in.InProgress, in.Limit)
	list := operationList{Operations: all}
	if len(all) == in.Limit {
		last := all[len(all)-1]
		list.Next = cursor(operationMark{last.CreatedAt.UnixMilli(), last.ID})
	}
	return &reply[operationList]{list}, err
}

// OneOperation is the operation in the path of a request. It is exported because huma
// ignores unexported embedded types.
type OneOperation struct {
	ID string `path:"id" maxLength:"100" doc:"The id of the operation."`
}

func (a *API) operation(ctx context.Context, in *OneOperation) (*reply[gistdeal.Operation], error) {
	op, err := a.operations.Get(ctx, in.ID)
	return &reply[gistdeal.Operation]{op}, err
}

func (a *API) cancelOperation(ctx context.Context, in *OneOperation) (*reply[gistdeal.Operation], error) {
	op, err := a.operations.Cancel(ctx, in.ID)
	return &reply[gistdeal.Operation]{op}, err
}

// operationResult is the result of one user or deal of an operation.
type operationResult struct {
	N      int    `json:"n" doc:"Its place in the operation, from 1."`
	Input  string `json:"input" doc:"As it was given; empty once the person was erased."`
	Result string `json:"result" doc:"pending, or the result."`
	Reason string `json:"reason,omitempty"`
}

type operationResults struct {
	Results []operationResult `json:"results"`
	Next    string            `json:"next,omitempty" doc:"The cursor of the next page; left out on the last page."`
}

// itemMark is a place in the list of results.
type itemMark struct {
	N       int  `json:"n"`
	Problem bool `json:"p"`
}

type operationResultsInput struct {
	OneOperation
	Page
}

func (a *API) operationResults(ctx context.Context, in *operationResultsInput) (*reply[operationResults], error) {
	var after itemMark
	if err := in.read(&after); err != nil {
		return nil, err
	}
	items, err := a.operations.Items(ctx, in.ID, gistdeal.OperationItem{N: after.N, Problem: after.Problem}, in.Limit)
	if err != nil {
		return nil, err
	}
	page := operationResults{Results: make([]operationResult, len(items))}
	for i, item := range items {
		page.Results[i] = operationResult{item.N, item.Input, cmp.Or(item.Result, "pending"), item.Reason}
	}
	if len(items) == in.Limit {
		last := items[len(items)-1]
		page.Next = cursor(itemMark{last.N, last.Problem})
	}
	return &reply[operationResults]{page}, nil
}

// Preference is the header by which a client asks for an operation. It is exported because
// huma ignores unexported embedded types.
type Preference struct {
	Prefer string `header:"Prefer" maxLength:"200" doc:"respond-async (RFC 7240) answers with an operation, also for a few users or deals."`
}

// async reports whether a change of n users or deals becomes an operation.
func (p Preference) async(n int) bool { return n > operation.SyncItems || p.asked() }

// asked reports whether the client asked for an operation.
func (p Preference) asked() bool {
	for preference := range strings.SplitSeq(p.Prefer, ",") {
		name, _, _ := strings.Cut(preference, ";")
		if strings.EqualFold(strings.TrimSpace(name), "respond-async") {
			return true
		}
	}
	return false
}

// bulkReply answers a change of many: with 200 and its results, or with 202 and an
// operation.
type bulkReply struct {
	Status   int
	Location string `header:"Location"`
	Applied  string `header:"Preference-Applied"`
	Body     any
}

// results answers with the results of a change.
func results[T any](body T, err error) (*bulkReply, error) {
	return &bulkReply{Status: http.StatusOK, Body: body}, err
}

// accepted answers with an operation.
func (p Preference) accepted(op gistdeal.Operation, err error) (*bulkReply, error) {
	r := bulkReply{Status: http.StatusAccepted, Location: Path + "/operations/" + op.ID, Body: op}
	if p.asked() {
		r.Applied = "respond-async"
	}
	return &r, err
}

// bulk documents both answers to a change of many.
func bulk[T any](a *API, op *huma.Operation) {
	registry := a.huma.OpenAPI().Components.Schemas
	answer := func(description string, t reflect.Type) *huma.Response {
		return &huma.Response{Description: description, Content: map[string]*huma.MediaType{"application/json": {Schema: registry.Schema(t, true, "")}}}
	}
	op.Responses = map[string]*huma.Response{
		"200": answer("The results of a change of up to 100 users or deals.", reflect.TypeFor[T]()),
		"202": answer("The operation that makes a larger change.", reflect.TypeFor[gistdeal.Operation]()),
	}
	op.Responses["202"].Headers = map[string]*huma.Param{"Location": {Description: "The route of the operation.", Schema: &huma.Schema{Type: huma.TypeString}}}
}
