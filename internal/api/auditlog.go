package api

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"gistdeal"
	"gistdeal/internal/admin/activity"
)

// addAuditLogRoutes adds the routes for the audit log.
func (a *API) addAuditLogRoutes() {
	add(a, route{
		method: http.MethodGet, path: "/audit-log", id: "list-audit-log", scope: gistdeal.ScopeAdmin,
		summary: "List the changes that people and programs made, and log-ins, the last one first",
	}, a.listAuditLog)
	add(a, route{
		method: http.MethodGet, path: "/audit-log.csv", id: "export-audit-log", scope: gistdeal.ScopeAdmin,
		summary: "Download the audit log as CSV; cells that a spreadsheet could run as a formula begin with an apostrophe", modifyRequest: answerCSV,
	}, a.exportAuditLog)
}

type auditLog struct {
	Entries []gistdeal.AuditEntry `json:"entries"`
	Next    string                `json:"next,omitempty" doc:"The cursor of the next page; left out on the last page."`
}

// AuditSelection selects entries. It is exported because huma ignores unexported embedded
// types.
type AuditSelection struct {
	Actor  []string  `query:"actor" maxItems:"50" doc:"Only changes of these actors."`
	Source []string  `query:"source" enum:"api,page,command,configuration" doc:"Only changes from these sources."`
	Action []string  `query:"action" maxItems:"50" doc:"Only these actions, such as user.pause."`
	Target string    `query:"target" maxLength:"255" doc:"Only changes of this login, setting or token."`
	Since  time.Time `query:"since" doc:"Only changes at this time or later."`
	Until  time.Time `query:"until" doc:"Only changes before this time."`
}

func (s AuditSelection) filter() (f gistdeal.AuditFilter, err error) {
	f = gistdeal.AuditFilter{Actors: s.Actor, Target: s.Target, Since: s.Since, Until: s.Until}
	if f.Sources, err = parseNames(s.Source, gistdeal.Sources); err != nil {
		return f, err
	}
	f.Actions, err = parseNames(s.Action, gistdeal.Actions)
	return f, err
}

type listAuditLogInput struct {
	Page
	AuditSelection
}

func (a *API) listAuditLog(ctx context.Context, in *listAuditLogInput) (*reply[auditLog], error) {
	before := int64(0)
	if err := in.read(&before); err != nil {
		return nil, err
	}
	f, err := in.filter()
	if err != nil {
		return nil, err
	}
	entries, err := a.activity.AuditLog(ctx, f, before, in.Limit)
	if err != nil {
		return nil, err
	}
	list := auditLog{Entries: entries}
	if len(entries) == in.Limit {
		list.Next = cursor(entries[len(entries)-1].ID)
	}
	return &reply[auditLog]{list}, nil
}

func (a *API) exportAuditLog(ctx context.Context, in *AuditSelection) (*huma.StreamResponse, error) {
	f, err := in.filter()
	if err != nil {
		return nil, err
	}
	if _, err := a.activity.AuditLog(ctx, f, 0, 1); err != nil {
		return nil, err // Later, the answer has begun.
	}
	return download("gistdeal-audit-log.csv", func(w io.Writer) error { return activity.WriteAuditLog(w, a.activity.AllAuditLog(ctx, f)) }), nil
}

// download answers with CSV.
func download(name string, write func(io.Writer) error) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(c huma.Context) {
		c.SetHeader("Content-Type", "text/csv; charset=utf-8")
		c.SetHeader("Content-Disposition", `attachment; filename="`+name+`"`)
		if err := write(export{c.BodyWriter()}); err != nil {
			panic(http.ErrAbortHandler) // A part must not look like the whole.
		}
	}}
}

// readPart is the time that a client has to read a part of an export.
const readPart = time.Minute

// export writes an answer that may take longer than others, as long as its client reads.
type export struct{ io.Writer }

// Write writes a part.
func (e export) Write(part []byte) (int, error) {
	if w, ok := e.Writer.(http.ResponseWriter); ok {
		// An error means that this writer has no deadline.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(readPart))
	}
	return e.Writer.Write(part)
}

// answerCSV makes the answer of an operation CSV in the document.
func answerCSV(op *huma.Operation) {
	op.Responses = map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: "string"}}}}}
}
