package api

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"gistdeal"
	"gistdeal/internal/admin"
	"gistdeal/internal/admin/activity"
	"gistdeal/internal/admin/estimate"
	"gistdeal/internal/admin/settings"
	"gistdeal/internal/problem"
	"gistdeal/internal/store"
)

// Path is where all routes begin.
const Path = "/api/v1"

// Options are the settings of an API; the zero value works.
type Options struct {
	Version string        // of gistdeal
	Wait    time.Duration // how long an answer waits for the leader; 0 means 25 s
	Wake    func()        // makes the engine of this process read new rows at once; nil if there is none
	Log     *slog.Logger  // nil means none
	// Estimate works out the cost of tracking users; nil if this process cannot.
	Estimate func(ctx context.Context, logins []string, backfill gistdeal.Backfill) (estimate.Estimate, error)
}

// API answers the routes below Path. The caller is in the request's context; see
// gistdeal.WithCaller.
type API struct {
	admin    *admin.Admin
	activity *activity.Activity
	offered  *settings.Settings
	options  Options
	log      *slog.Logger
	mux      *http.ServeMux
	huma     huma.API
	text     func() ([]byte, error) // the OpenAPI document, written once
	changes  *changes
	streams  streams
	ping     time.Duration // between signs of life of a stream
}

// New returns the API over the database. Close ends its streams and the goroutine
// that feeds them.
func New(db *store.Store, c settings.Configured, o Options) *API {
	if o.Wait == 0 {
		o.Wait = 25 * time.Second
	}
	if o.Wake == nil {
		o.Wake = func() {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	a := &API{admin: admin.New(db), activity: activity.New(db), offered: settings.New(db, c), options: o, log: o.Log, mux: http.NewServeMux(), ping: pingEvery}
	a.changes = newChanges(a.activity, o.Log)
	a.huma = humago.New(a.mux, config(o.Version))
	a.text = sync.OnceValues(func() ([]byte, error) { return a.huma.OpenAPI().MarshalJSON() })
	a.users()
	a.gists()
	a.deals()
	a.state()
	a.runs()
	a.tokens()
	a.settings()
	a.estimates()
	a.events()
	a.allowNull()
	a.mux.HandleFunc("GET "+Path+"/openapi.json", a.document)
	return a
}

// config is huma's, without its pages and its $schema links.
func config(version string) huma.Config {
	c := huma.DefaultConfig("gistdeal", version)
	c.OpenAPIPath, c.DocsPath, c.SchemasPath, c.CreateHooks = "", "", "", nil
	c.Info.Description = "Watches public gists of GitHub users and makes exactly one Pipedrive deal for each. " +
		"Errors are application/problem+json (RFC 9457), times RFC 3339 in UTC; a time that is not known is left out. Lists come in pages: `next`, if there, is the `cursor` of the next one."
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer": {Type: "http", Scheme: "bearer", Description: "A token of `gistdeal tokens add`. On the same machine none is needed."},
		"cookie": {Type: "apiKey", In: "cookie", Name: "gistdeal", Description: "The same token, as `POST /login` gives it to a browser. Over TLS its name is __Host-gistdeal."},
	}
	format := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: unmarshal}
	c.Formats = map[string]huma.Format{"application/json": format, "json": format}
	c.RejectUnknownQueryParameters = true
	return c
}

// mayBeNull are the lists that are null while their content is not known. No other is.
var mayBeNull = map[string][]string{
	"Accounts": {"pipelines"}, "AccessPipeline": {"stages"}, "PipedriveAccess": {"fields"}, "Setting": {"options"},
}

func (a *API) allowNull() {
	schemas := a.huma.OpenAPI().Components.Schemas.Map()
	for name, lists := range mayBeNull {
		for _, list := range lists {
			schemas[name].Properties[list].Nullable = true
		}
	}
}

// ServeHTTP answers a request below Path.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if _, pattern := a.mux.Handler(r); pattern == "" {
		a.unknown(w, r)
		return
	}
	r = r.WithContext(context.WithValue(r.Context(), requestID{}, w.Header().Get(problem.HeaderRequestID)))
	if r.Method == http.MethodGet && !strings.HasSuffix(r.URL.Path, "/events") {
		tagged(a.mux, w, r)
		return
	}
	a.mux.ServeHTTP(w, r)
}

// requestID is the key of the request's id in its context.
type requestID struct{}

// unknown answers a request that no route is for.
func (a *API) unknown(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := a.mux.Handler(other); pattern != "" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) > 0 {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		problem.Write(w, problem.Problem{
			Type: "about:blank", Title: "Method not allowed", Status: http.StatusMethodNotAllowed,
			Detail: r.Method + " is not possible here, but " + strings.Join(allowed, ", "),
		})
		return
	}
	problem.Write(w, problem.Problem{Type: "about:blank", Title: "Not found", Status: http.StatusNotFound, Detail: "there is no such route; " + Path + "/openapi.json names all"})
}

// Document returns the OpenAPI document.
func (a *API) Document() ([]byte, error) { return a.text() }

func (a *API) document(w http.ResponseWriter, _ *http.Request) {
	text, err := a.Document()
	if err != nil {
		problem.Write(w, problem.Of(err))
		return
	}
	w.Header().Set("Content-Type", "application/openapi+json")
	_, _ = w.Write(text) // If it cannot be written the client has gone.
}

// route is how an operation is described.
type route struct {
	method, path  string
	id, summary   string
	scope         gistdeal.Scope
	status        int // of an answer that is no problem; 0 means 200
	modifyRequest func(*huma.Operation)
}

// reply is an answer with a body.
type reply[T any] struct{ Body T }

// add adds a route. An error of f becomes a problem.
func add[I, O any](a *API, r route, f func(ctx context.Context, in *I) (*O, error)) {
	op := huma.Operation{
		OperationID: r.id, Method: r.method, Path: Path + r.path, Summary: r.summary, DefaultStatus: r.status,
		Description: needs(r.scope),
		Tags:        []string{strings.SplitN(strings.TrimPrefix(r.path, "/"), "/", 2)[0]},
		Security:    secured(r.scope),
		Middlewares: huma.Middlewares{scoped(r.scope), readable},
		Errors:      []int{400, 401, 403, 404, 413, 422, 429, 502, 503},
	}
	if r.method != http.MethodGet && r.method != http.MethodDelete {
		op.Errors = append(op.Errors, http.StatusUnsupportedMediaType)
	}
	if r.modifyRequest != nil {
		r.modifyRequest(&op)
	}
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := f(ctx, in)
		if err != nil {
			return nil, a.problem(ctx, err)
		}
		return out, nil
	})
}

// needs describes the scope for people, as secured does for programs.
func needs(scope gistdeal.Scope) string { return "Needs the scope " + string(scope) + "." }

// secured lists the ways to authenticate; the scope stands in the place of roles in
// OpenAPI 3.1.
func secured(scope gistdeal.Scope) []map[string][]string {
	roles := []string{string(scope)}
	return []map[string][]string{{"bearer": roles}, {"cookie": roles}, {}}
}

// scoped lets those through that have the scope, before anything else is looked at.
func scoped(scope gistdeal.Scope) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		if gistdeal.CallerOf(ctx.Context()).Scope.Allows(scope) {
			next(ctx)
			return
		}
		refuse(ctx, problem.Problem{
			Type: "urn:gistdeal:problem:scope-too-small", Title: "Scope too small", Status: http.StatusForbidden,
			Detail: "this needs a token of the scope " + string(scope),
		})
	}
}

// refuse answers a request that no operation gets to see.
func refuse(ctx huma.Context, p problem.Problem) {
	_, w := humago.Unwrap(ctx)
	problem.Write(w, p)
}

// stateNames checks states that a query names.
func stateNames[S ~string](names []string, known []S) ([]S, error) {
	states := make([]S, len(names))
	for i, name := range names {
		if states[i] = S(name); !slices.Contains(known, S(name)) {
			return nil, gistdeal.Errorf(gistdeal.Invalid, "there is no %q here", name)
		}
	}
	return states, nil
}
