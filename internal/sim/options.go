package sim

import (
	"cmp"
	"net/http"
	"time"
)

// Options configure the two services. The zero value is a new Lite account of
// Pipedrive and GitHub with its usual limits.
type Options struct {
	Seed uint64           // the same seed and calls give the same data
	Now  func() time.Time // default time.Now

	Token       string // the only accepted Pipedrive key; "" accepts any
	GitHubToken string // the only accepted GitHub token; "" accepts any
	TokenUser   string // login of the owner of all GitHub tokens; requests with a token list its secret gists
	AppToken    bool   // GitHub tokens are those of a GitHub App or of Actions: no gists, no user
	TokenScopes string // scopes of a classic GitHub token, in GitHub's format; "" sends no scopes header

	// The documentation is contradictory or silent about these.
	CreateStatus   int  // status of a created deal: 200 (default) or 201
	DeletedDeal404 bool // the response for a deleted deal is a 404 instead of is_deleted: true
	NoRateHeaders  bool // Pipedrive sends no headers about its limits
	FreeRefusals   bool // refused requests cost no tokens

	Waitlist        bool // the plan is full, and new deals go to a waiting list that no call shows
	SpentRetryAfter int  // seconds in the Retry-After of a spent day; 0 sends no such header
	BanAfter        int  // so many refusals in a row on a spent day earn Cloudflare's page; 0 means never

	Keys             map[string]Key // the users of some Pipedrive keys
	Regular          bool           // the users of all other keys are not admins; see Key
	Cannot           []string       // and lack these permissions
	VisibilityGroups bool           // the plan has visibility groups

	Burst       int // Pipedrive requests in any 2 s; default 20, negative = no limit
	DailyTokens int // Pipedrive tokens per UTC day; default 30,000, negative = no limit
	DailyPosts  int // POSTs to Pipedrive per UTC day, if DailyTokens has a limit; default 10,000
	GitHubLimit int // GitHub requests per hour with a token, default 5,000, negative = no limit; at most 60 without a token

	// The gists of a login that its user gave up are an empty list instead of a 404. Others
	// have measured both at lists of the same kind.
	FormerLists bool

	EmptySynthetic bool // synthetic users have no gists but those that they publish

	// The feed, GET /gists/public. A gist appears in it after a lag between the two; 6 to
	// 33 s were recorded. Nothing says how many gists it leaves out.
	FeedByUpdate           bool // sorted by updated_at, as documented, and not by created_at, as recorded
	FeedLagMin, FeedLagMax time.Duration
	FeedOmits              float64 // share of gists that never appear
	QuietFlips             bool    // making a secret gist public does not change its updated_at

	// GraphQL. A token has points of its own for it; there is none without a token.
	GraphQLLimit    int           // points per hour, default 5,000, negative = no limit, also none per minute
	GraphQLTime     time.Duration // processing time of each user in a query; a query ends with a 502 after 10 s
	GraphQLUsers    int           // users in a query that exceed its resources: those over it are null; 0 = no limit
	GraphQLInFlight int           // queries at once that exceed the secondary limit; 0 = no limit
	SecondaryOK     bool          // the secondary limit is a 200 without a retry-after, not a 403
	NewNodeIDs      bool          // node ids have the newer format, also for clients that do not ask for it

	GitHubHour time.Duration // length of GitHub's quota windows in whole seconds; default an hour

	// Nothing says which of both a live account does.
	IgnoreDeletedFields bool          // a deleted custom field in a body is ignored instead of refused
	KeepUpdateTime      bool          // a deal keeps its update_time when it is deleted
	CursorLife          time.Duration // age at which a cursor is refused; 0 means never

	// Limits of the plan; 0 means none.
	MaxOpenDeals    int
	MaxCustomFields int

	ListDelay   time.Duration // age at which a new deal appears in lists
	SearchDelay time.Duration // age at which a new deal appears in searches
	DateShift   time.Duration // how far the Date of answers, which a proxy may write, is ahead
	Latency     time.Duration // delay of every response of both APIs
	Jitter      time.Duration // longest delay of requests to Pipedrive before they count; each has a random one

	CompanyID     int64  // default CompanyID
	CompanyDomain string // default "gistdeal-sim"
}

// CompanyID is the default of Options.CompanyID, Pipedrive's number of the
// simulated company.
const CompanyID = 7654321

const (
	defaultBurst       = 20     // Pipedrive docs, "Rate limiting": API token, Lite
	defaultDailyTokens = 30_000 // Pipedrive docs, "Rate limiting": 30,000 x 1 (Lite) x one seat
	defaultDailyPosts  = 10_000 // Pipedrive docs, "Rate limiting": fair use
	defaultHourly      = 5_000  // GitHub docs, "Rate limits for the REST API", and points of the GraphQL API
	anonymousHourly    = 60     // GitHub docs, "Rate limits for the REST API", without a token
)

// fill sets zero options to their defaults.
func (o *Options) fill() {
	if o.Now == nil {
		o.Now = time.Now
	}
	o.CreateStatus = cmp.Or(o.CreateStatus, http.StatusOK)
	o.Burst = cmp.Or(o.Burst, defaultBurst)
	o.DailyTokens = cmp.Or(o.DailyTokens, defaultDailyTokens)
	o.DailyPosts = cmp.Or(o.DailyPosts, defaultDailyPosts)
	o.GitHubLimit = cmp.Or(o.GitHubLimit, defaultHourly)
	o.GraphQLLimit = cmp.Or(o.GraphQLLimit, defaultHourly)
	o.GitHubHour = cmp.Or(o.GitHubHour, time.Hour)
	o.CompanyID = cmp.Or(o.CompanyID, CompanyID)
	o.CompanyDomain = cmp.Or(o.CompanyDomain, "gistdeal-sim")
}
