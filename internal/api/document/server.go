package document

import (
	"net/http"
	"reflect"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// outside marks an operation that package server answers, outside /api/v1.
const outside = "outside"

// The answers of package server. It encodes them itself, since their form never
// changes; a test compares its answers with these types.
type (
	compatGists struct {
		Old []compatGist `json:"old_gists" doc:"The gists that you were shown before."`
		New []compatGist `json:"new_gists" doc:"The gists that you are shown for the first time."`
	}
	compatGist struct {
		ID          string     `json:"id"`
		Username    string     `json:"username" doc:"The login of the user."`
		Description string     `json:"description"`
		Files       []string   `json:"files" doc:"The raw addresses of the files."`
		URL         string     `json:"url" format:"uri"`
		CreatedAt   time.Time  `json:"created_at"`
		Deal        compatDeal `json:"deal"`
	}
	compatDeal struct {
		State  string `json:"state" enum:"awaiting_approval,queued,sending,created,failed,skipped"`
		ID     int64  `json:"id,omitempty" doc:"The id of the deal in Pipedrive; left out until it is created."`
		URL    string `json:"url,omitempty" format:"uri" doc:"The page of the deal in Pipedrive."`
		Reason string `json:"reason,omitempty" doc:"Why the deal failed or waits."`
	}
	liveness struct {
		Status string `json:"status" enum:"live"`
	}
	readiness struct {
		Status  string  `json:"status" doc:"ready, or why this instance is not."`
		Details details `json:"details,omitempty" doc:"What works and what waits; only for callers with access."`
	}
	details struct {
		Leader bool   `json:"leader" doc:"Whether this instance holds the lease."`
		Pushes string `json:"pushes" doc:"on, or why no deals are created now."`
		GitHub string `json:"github" doc:"Whether users are scanned, and if not, why."`
	}
	logIn struct {
		Token string `json:"token" minLength:"1" maxLength:"200" doc:"An API token."`
	}
	session struct {
		Name  string `json:"name" doc:"The name of the token."`
		Scope string `json:"scope" enum:"feed,read,write,admin"`
	}
)

// addServerRoutes adds the routes that package server answers.
func addServerRoutes(doc *huma.OpenAPI) {
	token := []map[string][]string{{"bearer": {}}, {"cookie": {}}, {}}
	login := &huma.Param{Name: "login", In: "path", Required: true, Description: "The login of a GitHub user.", Example: "octocat", Schema: text("^[A-Za-z0-9][A-Za-z0-9_-]{0,38}$", 1, 39)}
	peek := &huma.Param{Name: "peek", In: "query", Description: "true records no visit and tracks nobody.", Schema: &huma.Schema{Type: huma.TypeBoolean}}
	show := func(method, id, summary string) {
		op := answered[compatGists](doc, method, "/user/{login}", id, tagCompatibility, summary, 303, 400, 401, 403, 404, 405, 413, 429, 500, 502, 503)
		op.Parameters, op.Security = []*huma.Param{login, peek}, token
		op.Responses["202"] = &huma.Response{Description: "The user is tracked, and its first scan has not ended: try again.", Headers: headersOf("RetryAfter"), Content: op.Responses["200"].Content}
		op.Responses["303"] = &huma.Response{Description: "A person followed a link to a user that is not tracked: the page asks first.", Headers: headersOf("Location")}
	}
	show(http.MethodGet, "show-user-gists", "Track a user if it is new, and show its old and new gists")
	show(http.MethodPost, "track-user-gists", "The same as GET, for clients that send POST")
	answered[[]string](doc, http.MethodGet, "/trackedusers", "list-logins", tagCompatibility, "List the logins of tracked users", 401, 405, 429, 500, 503).Security = token
	answered[liveness](doc, http.MethodGet, "/livez", "get-liveness", tagHealth, "Tell that the process answers", 405, 429)
	ready := answered[readiness](doc, http.MethodGet, "/readyz", "get-readiness", tagHealth, "Tell whether this instance can serve requests", 405, 429)
	ready.Security = append(ready.Security, token[:2]...)
	ready.Responses["503"] = &huma.Response{Description: "This instance cannot serve requests now.", Content: ready.Responses["200"].Content}
	metrics := answered[string](doc, http.MethodGet, "/metrics", "get-metrics", tagHealth, "Show the metrics in the format of Prometheus", 401, 405, 429, 500, 503)
	metrics.Security = token
	metrics.Responses["200"].Content = map[string]*huma.MediaType{"text/plain": {Schema: &huma.Schema{Type: huma.TypeString, MaxLength: whole(10_000_000)}}}
	in := answered[session](doc, http.MethodPost, "/login", "log-in", tagSessions, "Log in with a token; the answer sets a cookie", 400, 401, 403, 405, 413, 429, 500, 503)
	in.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: schemaOf[logIn](doc)}}}
	out := answered[session](doc, http.MethodPost, "/logout", "log-out", tagSessions, "End the log-in and clear its cookie", 403, 405, 413, 429, 500, 503)
	delete(out.Responses, "200")
	out.Responses["204"] = &huma.Response{Description: "The log-in has ended."}
}

// answered adds an operation that answers with T, or with problems of the statuses.
func answered[T any](doc *huma.OpenAPI, method, path, id, tag, summary string, statuses ...int) *huma.Operation {
	op := &huma.Operation{
		Method: method, Path: path, OperationID: id, Tags: []string{tag}, Summary: summary, Description: described[path], Metadata: map[string]any{outside: true},
		Security:  []map[string][]string{{}},
		Responses: map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{"application/json": {Schema: schemaOf[T](doc)}}}},
	}
	for _, status := range statuses {
		if problems[status] != "" {
			op.Responses[strconv.Itoa(status)] = &huma.Response{Description: http.StatusText(status)}
		}
	}
	doc.AddOperation(op)
	return op
}

func schemaOf[T any](doc *huma.OpenAPI) *huma.Schema {
	return doc.Components.Schemas.Schema(reflect.TypeFor[T](), true, "")
}

// described describe the routes by their path.
var described = map[string]string{
	"/user/{login}": "Waits for the first scan of a new user, and then answers with its gists. New gists are those that you were not shown before; the answer records a visit. Tracking a user needs the scope write.",
	"/trackedusers": "A list of logins, for the clients of the system before gistdeal.",
	"/livez":        "Needs no token and reads nothing.",
	"/readyz":       "Needs no token. Callers with access also see details.",
	"/metrics":      "Needs a token with any scope.",
	"/login":        "For browsers: the cookie is sent with each later request, and scripts cannot read it.",
	"/logout":       "Answers the same without a log-in.",
}
