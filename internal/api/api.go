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
	"gistdeal/internal/admin/rulesets"
	"gistdeal/internal/admin/settings"
	"gistdeal/internal/api/document"
	"gistdeal/internal/operation"
	"gistdeal/internal/problem"
	"gistdeal/internal/store"
)

// Path is the prefix of all routes.
const Path = "/api/v1"

// Options configure an API; the zero value is usable.
type Options struct {
	Version   string        // version of gistdeal
	Wait      time.Duration // how long a request waits for the leader; 0 means 25 s
	Wake      func()        // makes the engine of this process read new rows now; nil without an engine
	Log       *slog.Logger  // nil means none
	PublicURL string        // the address of the page, to which notices link; "" if unknown
	// Operations are those of the database; nil means that the API makes its own, which wakes
	// no leader.
	Operations *operation.Operations
	// Estimate estimates the cost of tracking users; if it is nil the route answers 404.
	Estimate func(ctx context.Context, q estimate.Question) (estimate.Estimate, error)
	// Cost returns the cost of creating deals; if it is nil the route answers 404.
	Cost func(ctx context.Context, deals int) (estimate.Cost, error)
}

// API serves the routes below Path. The context of a request holds its caller;
// see gistdeal.WithCaller.
type API struct {
	db           *store.Store
	admin        *admin.Admin
	operations   *operation.Operations
	rules        *rulesets.RuleSets
	activity     *activity.Activity
	settings     *settings.Settings
	options      Options
	log          *slog.Logger
	mux          *http.ServeMux
	huma         huma.API
	openAPI      func() ([]byte, error) // the OpenAPI document, encoded once
	broadcaster  *broadcaster
	streams      streams
	pingInterval time.Duration
	once         map[string]route // routes that take idempotency keys, by pattern
}

// New returns the API of the database. Close ends its streams and the goroutine
// that reads events for them.
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
	if o.Operations == nil {
		o.Operations = operation.New(db, o.Log)
	}
	a := &API{db: db, admin: admin.New(db), operations: o.Operations, once: map[string]route{}, rules: rulesets.New(db), activity: activity.New(db), settings: settings.New(db, c), options: o, log: o.Log, mux: http.NewServeMux(), pingInterval: pingInterval}
	a.broadcaster = newBroadcaster(a.activity, o.Log)
	a.huma = humago.New(a.mux, config())
	a.openAPI = sync.OnceValues(func() ([]byte, error) { return a.huma.OpenAPI().MarshalJSON() })
	a.addUserRoutes()
	a.addGistRoutes()
	a.addDealRoutes()
	a.addFeedRoutes()
	a.addStateRoutes()
	a.addRunRoutes()
	a.addRequestRoutes()
	a.addOperationRoutes()
	a.addTokenRoutes()
	a.addWebhookRoutes()
	a.addAuditRoutes()
	a.addAuditLogRoutes()
	a.addPeopleRoutes()
	a.addSettingRoutes()
	a.addRuleRoutes()
	a.addEstimateRoutes()
	a.addEventRoutes()
	a.allowNull()
	document.Complete(a.huma.OpenAPI())
	a.mux.HandleFunc("GET "+Path+"/openapi.json", a.document)
	return a
}

// config returns huma's default configuration without its pages and $schema links.
func config() huma.Config {
	c := huma.DefaultConfig("gistdeal", document.Version)
	c.OpenAPIPath, c.DocsPath, c.SchemasPath, c.CreateHooks = "", "", "", nil
	document.Describe(c.OpenAPI)
	format := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: unmarshal}
	c.Formats = map[string]huma.Format{"application/json": format, "json": format}
	c.RejectUnknownQueryParameters = true
	return c
}

// mayBeNull names the lists that are null while their content is unknown, by
// schema. All other lists are never null.
var mayBeNull = map[string][]string{
	"Accounts": {"pipelines"}, "AccessPipeline": {"stages"}, "PipedriveAccess": {"fields"}, "ListedSetting": {"options"},
}

func (a *API) allowNull() {
	schemas := a.huma.OpenAPI().Components.Schemas.Map()
	for name, lists := range mayBeNull {
		for _, list := range lists {
			schemas[name].Properties[list].Nullable = true
		}
	}
}

// Pattern returns the pattern of the route of r, "" if there is none.
func (a *API) Pattern(r *http.Request) string {
	_, pattern := a.mux.Handler(r)
	return pattern
}

// ServeHTTP serves a request below Path.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	pattern := a.Pattern(r)
	if pattern == "" {
		a.refuseUnknownRoute(w, r)
		return
	}
	r = r.WithContext(context.WithValue(r.Context(), requestID{}, w.Header().Get(problem.HeaderRequestID)))
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	if reads && !strings.HasSuffix(r.URL.Path, "/events") && !strings.HasSuffix(r.URL.Path, ".csv") {
		serveTagged(a.mux, w, r)
		return
	}
	if once, ok := a.once[pattern]; ok && len(r.Header.Values(keyHeader)) > 0 && gistdeal.CallerOf(r.Context()).Scope.Allows(once.scope) {
		a.serveOnce(w, r, once.secret)
		return
	}
	a.mux.ServeHTTP(w, r)
}

// requestID is the key of the request's id in its context.
type requestID struct{}

// refuseUnknownRoute answers a request that matches no route.
func (a *API) refuseUnknownRoute(w http.ResponseWriter, r *http.Request) {
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
			Detail: "this route accepts " + strings.Join(allowed, ", ") + ", not " + r.Method,
		})
		return
	}
	problem.Write(w, problem.Problem{Type: "about:blank", Title: "Not found", Status: http.StatusNotFound, Detail: "there is no such route; " + Path + "/openapi.json lists all routes"})
}

// Document returns the OpenAPI document.
func (a *API) Document() ([]byte, error) { return a.openAPI() }

func (a *API) document(w http.ResponseWriter, _ *http.Request) {
	text, err := a.Document()
	if err != nil {
		problem.Write(w, problem.Of(err))
		return
	}
	w.Header().Set("Content-Type", "application/openapi+json")
	_, _ = w.Write(text) // An error means that the client has disconnected.
}

// route describes an operation.
type route struct {
	method, path  string
	id, summary   string
	scope         gistdeal.Scope
	status        int   // of a successful answer; 0 means 200
	errors        []int // statuses of problems beside those of every operation
	tagged        bool  // a change that answers with an ETag
	once          bool  // it takes idempotency keys
	secret        bool  // its answer is not stored
	modifyRequest func(*huma.Operation)
	middlewares   huma.Middlewares // after those of every operation
}

// reply is a successful answer with a body.
type reply[T any] struct{ Body T }

// placed is a successful answer about a thing at another address.
type placed[T any] struct {
	Location string `header:"Location"`
	Body     T
}

// add registers an operation. An error of f is answered as a problem.
func add[I, O any](a *API, r route, f func(ctx context.Context, in *I) (*O, error)) {
	op := huma.Operation{
		OperationID: r.id, Method: r.method, Path: Path + r.path, Summary: r.summary, DefaultStatus: r.status,
		Description: needs(r.scope),
		Tags:        []string{document.Tag(r.path)},
		Security:    secured,
		Middlewares: append(huma.Middlewares{scoped(r.scope), requireValidText}, r.middlewares...),
		Errors:      append([]int{http.StatusNotFound, http.StatusBadGateway}, r.errors...),
	}
	if r.method != http.MethodGet && r.method != http.MethodDelete {
		op.Errors = append(op.Errors, http.StatusUnsupportedMediaType)
	}
	if r.tagged {
		op.Metadata = map[string]any{document.Tagged: true}
	}
	if r.once {
		a.once[op.Method+" "+op.Path] = r
		documentKey(&op)
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

// needs returns the sentence that describes the scope to readers. The page finds
// the scope of an operation by this sentence.
func needs(scope gistdeal.Scope) string { return "Needs the scope " + string(scope) + "." }

// secured are the security requirements of every operation: a token, a log-in, or
// none of them if the server allows it.
var secured = []map[string][]string{{"bearer": {}}, {"cookie": {}}, {}}

// scoped returns a middleware that refuses callers without the scope, before the
// request is validated.
func scoped(scope gistdeal.Scope) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		if gistdeal.CallerOf(ctx.Context()).Scope.Allows(scope) {
			next(ctx)
			return
		}
		refuse(ctx, scopeTooSmall(scope).Problem)
	}
}

// scopeTooSmall returns the answer for callers without the scope.
func scopeTooSmall(scope gistdeal.Scope) *Problem {
	return &Problem{Problem: problem.Problem{
		Type: "urn:gistdeal:problem:scope-too-small", Title: "Scope too small", Status: http.StatusForbidden,
		Detail: "this request needs a token with the scope " + string(scope),
	}}
}

// refuse answers a request with p before its operation runs.
func refuse(ctx huma.Context, p problem.Problem) {
	_, w := humago.Unwrap(ctx)
	problem.Write(w, p)
}

// parseNames converts names to values of S. It returns an error of kind Invalid
// if one of them is not known.
func parseNames[S ~string](names []string, known []S) ([]S, error) {
	values := make([]S, len(names))
	for i, name := range names {
		if values[i] = S(name); !slices.Contains(known, S(name)) {
			return nil, gistdeal.Errorf(gistdeal.Invalid, "%q is unknown, want one of %v", name, known)
		}
	}
	return values, nil
}
