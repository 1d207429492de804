package sim

import (
	"cmp"
	"net/http"
	"time"
)

// Options say how the two services behave; the zero value is a new Lite account
// of Pipedrive and an ordinary GitHub.
type Options struct {
	Seed uint64           // same seed and same calls, same data
	Now  func() time.Time // default time.Now

	Token       string // if set, the only Pipedrive key that is accepted; else any
	GitHubToken string // if set, the only GitHub token that is accepted; else any
	TokenUser   string // login that each GitHub token belongs to: its secret gists are seen with a token
	TokenScopes string // of a classic GitHub token, as GitHub lists them; "" is a token that has none

	// The documents contradict themselves or are silent on these three.
	CreateStatus   int  // status of a created deal: 200 (default) or 201
	DeletedDeal404 bool // a deleted deal answers 404 instead of is_deleted: true
	NoRateHeaders  bool // Pipedrive says nothing of its limits

	Regular bool // the key's user is no admin, so does not see all deals

	Burst       int // Pipedrive requests in any 2 s; default 20, negative = no limit
	DailyTokens int // Pipedrive tokens a UTC day; default 30,000, negative = no limit
	GitHubLimit int // GitHub requests an hour with a token, default 5,000; negative = no limit; 60 at most without a token

	GitHubHour time.Duration // how long GitHub's hour lasts, whole seconds; default an hour

	ListDelay time.Duration // a new deal is in no list for so long
	Latency   time.Duration // each answer of both APIs comes so much later

	CompanyID     int64  // default CompanyID
	CompanyDomain string // default "gistdeal-sim"
}

// CompanyID is Pipedrive's number of the simulated company, if Options name no other.
const CompanyID = 7654321

const (
	defaultBurst       = 20     // Pipedrive docs, "Rate limiting": API token, Lite
	defaultDailyTokens = 30_000 // the same: 30,000 x 1 (Lite) x one seat
	defaultHourly      = 5_000  // GitHub docs, "Rate limits for the REST API"
	anonymousHourly    = 60     // the same, without a token
)

// fill sets the defaults of what is zero.
func (o *Options) fill() {
	if o.Now == nil {
		o.Now = time.Now
	}
	o.CreateStatus = cmp.Or(o.CreateStatus, http.StatusOK)
	o.Burst = cmp.Or(o.Burst, defaultBurst)
	o.DailyTokens = cmp.Or(o.DailyTokens, defaultDailyTokens)
	o.GitHubLimit = cmp.Or(o.GitHubLimit, defaultHourly)
	o.GitHubHour = cmp.Or(o.GitHubHour, time.Hour)
	o.CompanyID = cmp.Or(o.CompanyID, 7654321)
	o.CompanyDomain = cmp.Or(o.CompanyDomain, "gistdeal-sim")
}
