package api

import (
	"context"
	"net/http"

	"gistdeal"
)

// addAuditRoutes adds the routes for audits.
func (a *API) addAuditRoutes() {
	add(a, route{
		method: http.MethodPost, path: "/audits", id: "request-audit", scope: gistdeal.ScopeAdmin, status: http.StatusAccepted, once: true,
		summary: "Request an audit, which compares the database with Pipedrive's deals",
	}, a.requestAudit)
	add(a, route{
		method: http.MethodGet, path: "/audits/{id}", id: "get-audit", scope: gistdeal.ScopeRead,
		summary: "Show the report of an audit; without ended_at the audit is pending or in progress",
	}, a.audit)
	add(a, route{
		method: http.MethodGet, path: "/plan/audit", id: "get-audit-cost", scope: gistdeal.ScopeRead,
		summary: "Estimate the tokens that an audit of all archived deals would take at most; this changes nothing",
	}, a.auditCost)
}

type requestAuditInput struct {
	Body struct {
		Archived        bool   `json:"archived,omitempty" doc:"List all archived deals, not only those that changed since the last catch-up; see GET /plan/audit for its price."`
		Repair          bool   `json:"repair,omitempty" doc:"Adopt, relink and queue deals where that is safe. It recreates no deal that existed before, and deletes none."`
		Recreate        string `json:"recreate,omitempty" maxLength:"100" doc:"Compare nothing, and recreate the deal of this gist, which is gone from Pipedrive."`
		DeleteDuplicate int64  `json:"delete_duplicate,omitempty" minimum:"0" doc:"Compare nothing, and delete this deal, a duplicate of the deal of its gist, in Pipedrive."`
	}
}

func (a *API) requestAudit(ctx context.Context, in *requestAuditInput) (*placed[gistdeal.Audit], error) {
	id := operationID(ctx)
	err := a.admin.RequestAudit(ctx, gistdeal.AuditRequest{
		ID: id, Archived: in.Body.Archived, Repair: in.Body.Repair, Recreate: in.Body.Recreate, DeleteDuplicate: in.Body.DeleteDuplicate,
	})
	if err != nil {
		return nil, err
	}
	a.options.Wake()
	report, err := a.admin.AuditReport(ctx, id)
	return &placed[gistdeal.Audit]{Path + "/audits/" + id, report}, err
}

func (a *API) audit(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"100" doc:"The id of the audit."`
},
) (*reply[gistdeal.Audit], error) {
	report, err := a.admin.AuditReport(ctx, in.ID)
	return &reply[gistdeal.Audit]{report}, err
}

// auditCost is the cost of an audit.
type auditCost struct {
	ArchivedTokens int `json:"archived_tokens" doc:"The tokens of Pipedrive's day that a list of all archived deals takes at most."`
}

func (a *API) auditCost(ctx context.Context, _ *struct{}) (*reply[auditCost], error) {
	tokens, err := a.admin.ArchivedTokens(ctx)
	return &reply[auditCost]{auditCost{tokens}}, err
}
