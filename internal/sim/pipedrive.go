package sim

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// userID is the id of the user of a key that Options.Keys does not name.
const userID = 101

// pipedrive is the Pipedrive account of one company.
type pipedrive struct {
	o         *Options
	rng       *rand.Rand
	deals     []*deal // the deal with id n is deals[n-1]
	notes     []*note
	fields    []*field
	pipelines []pipeline
	stages    []stage

	hiddenPipelines []int64     // from regular users
	lastOption      int64       // the highest id of an option of a field
	searches        []time.Time // times of the accepted searches of the last 2 s

	window  []time.Time // times of the accepted requests of the last 2 s
	day     string      // the UTC day of tokens and posts
	tokens  int
	posts   int
	refused int

	waiting   []*deal // deals on the waiting list
	inARow    int     // refusals by a limit since the last accepted request
	everSpent int     // tokens of all days
}

type pipeline struct {
	ID                       int64     `json:"id"`
	Name                     string    `json:"name"`
	OrderNr                  int       `json:"order_nr"`
	IsDeleted                bool      `json:"is_deleted"`
	IsDealProbabilityEnabled bool      `json:"is_deal_probability_enabled"`
	AddTime                  time.Time `json:"add_time"`
	UpdateTime               time.Time `json:"update_time"`
}

type stage struct {
	ID               int64     `json:"id"`
	OrderNr          int       `json:"order_nr"`
	Name             string    `json:"name"`
	IsDeleted        bool      `json:"is_deleted"`
	DealProbability  int       `json:"deal_probability"`
	PipelineID       int64     `json:"pipeline_id"`
	IsDealRotEnabled bool      `json:"is_deal_rot_enabled"`
	DaysToRotten     *int      `json:"days_to_rotten"`
	AddTime          time.Time `json:"add_time"`
	UpdateTime       time.Time `json:"update_time"`
}

func newPipedrive(o *Options) *pipedrive {
	p := &pipedrive{o: o, rng: rand.New(rand.NewPCG(o.Seed, 2)), fields: systemFields()}
	p.addPipeline("Pipeline", "Qualified", "Contact Made", "Demo Scheduled", "Proposal Made", "Negotiations Started")
	p.addPipeline("Gists", "New", "Done")
	return p
}

func (p *pipedrive) addPipeline(name string, stages ...string) {
	now := seconds(p.o.Now())
	n := len(p.pipelines) + 1
	p.pipelines = append(p.pipelines, pipeline{ID: int64(n), Name: name, OrderNr: n, AddTime: now, UpdateTime: now})
	for i, name := range stages {
		p.stages = append(p.stages, stage{
			ID: int64(len(p.stages) + 1), Name: name, OrderNr: i + 1, PipelineID: int64(n), DealProbability: 100,
			AddTime: now, UpdateTime: now,
		})
	}
}

// burstWindow is the window of the burst limit. Pipedrive docs, "Rate limiting".
const burstWindow = 2 * time.Second

// admit checks the key, the burst limit and the daily quota.
func (p *pipedrive) admit(c *call) (response, bool) {
	if key := c.Header.Get("X-Api-Token"); key == "" || p.o.Token != "" && key != p.o.Token {
		if !p.o.FreeRefusals {
			p.everSpent += c.route.cost
		}
		return p.errorResponse(http.StatusUnauthorized), false
	}
	if !p.key(c).may("can_use_api") {
		return forbidden(), false
	}
	p.expire(c.now)
	spent := p.o.DailyTokens > 0 && p.tokens >= p.o.DailyTokens
	if !p.o.FreeRefusals {
		p.spend(c)
	}
	if spent && p.banned() {
		return cloudflare(c, Fault{}), false
	}
	defer p.rateHeaders(c)
	burst := p.o.Burst > 0 && len(p.window) >= p.o.Burst
	if burst || spent {
		return p.overQuota(spent), false
	}
	p.inARow = 0
	p.window = append(p.window, c.now)
	if p.o.FreeRefusals {
		p.spend(c)
	}
	if c.Method == http.MethodPost {
		p.posts++
	}
	return response{}, true
}

// expire removes requests older than the burst window, and resets the daily
// counts at midnight UTC.
func (p *pipedrive) expire(now time.Time) {
	for len(p.window) > 0 && now.Sub(p.window[0]) >= burstWindow {
		p.window = p.window[1:]
	}
	if day := now.UTC().Format(time.DateOnly); day != p.day {
		p.day, p.tokens, p.posts = day, 0, 0
	}
}

// rateHeaders adds headers with the remaining quotas after this request, even if
// it was refused. A disabled limit has no headers.
func (p *pipedrive) rateHeaders(c *call) {
	if p.o.NoRateHeaders {
		return
	}
	if p.o.Burst > 0 {
		p.burstHeaders(c)
	}
	if p.o.DailyTokens > 0 {
		p.dailyHeaders(c)
	}
}

func (p *pipedrive) burstHeaders(c *call) {
	c.header.Set("X-RateLimit-Limit", strconv.Itoa(p.o.Burst))
	c.header.Set("X-RateLimit-Remaining", strconv.Itoa(max(0, p.o.Burst-len(p.window))))
	// Seconds from now, not an epoch.
	left := burstWindow
	if len(p.window) > 0 {
		left -= c.now.Sub(p.window[0])
	}
	c.header.Set("X-RateLimit-Reset", strconv.Itoa(int((left+time.Second-1)/time.Second)))
}

func (p *pipedrive) dailyHeaders(c *call) {
	c.header.Set("X-Daily-RateLimit-Token-Limit", strconv.Itoa(p.o.DailyTokens))
	c.header.Set("X-Daily-RateLimit-Token-Remaining", strconv.Itoa(max(0, p.o.DailyTokens-p.tokens)))
	c.header.Set("X-Daily-Requests-Left", strconv.Itoa(max(0, p.o.DailyPosts-p.posts)))
}

// finish returns the response unchanged: admit has added Pipedrive's headers.
func (p *pipedrive) finish(_ *call, a response) response { return a }

// success returns a success in Pipedrive's format.
func success(status int, value any) response {
	return reply(status, map[string]any{"success": true, "data": value})
}

// list returns a page in Pipedrive's format; next is "" on the last page.
func list(items any, next string) response {
	additional := map[string]any{"next_cursor": nil}
	if next != "" {
		additional["next_cursor"] = next
	}
	return reply(http.StatusOK, map[string]any{"success": true, "data": items, "additional_data": additional})
}

// failure returns an error in the older format. Pipedrive docs, "Responses".
func failure(status int, message, code string) response {
	body := map[string]any{
		"success": false, "error": message, "error_info": "Please check developers.pipedrive.com",
		"data": nil, "additional_data": nil,
	}
	if code != "" {
		body["code"] = code
	}
	return reply(status, body)
}

// refuse returns the response of API version 2 to an invalid request.
func refuse(reason string) response {
	return reply(http.StatusBadRequest, map[string]any{
		"success": false, "error": "Validation failed: " + reason, "code": "ERR_SCHEMA_VALIDATION_FAILED",
	})
}

func (p *pipedrive) errorResponse(status int) response {
	switch status {
	case http.StatusUnauthorized:
		return unauthorized()
	case http.StatusBadRequest:
		return refuse("title: The value is not a valid 'string'")
	case http.StatusPaymentRequired:
		return failure(status, "Company account is not open (possible reason: trial expired, payment details not entered)", "")
	case http.StatusForbidden:
		return failure(status, "Forbidden", "ERR_FORBIDDEN")
	case http.StatusNotFound:
		return failure(status, "Not found", "ERR_NOT_FOUND")
	}
	return failure(status, http.StatusText(status), "")
}

// unauthorized returns the gateway's response to a wrong key, as recorded by others.
func unauthorized() response {
	a := reply(http.StatusUnauthorized, map[string]any{
		"success": false, "error": "unauthorized access", "errorCode": 401,
		"error_info": "Please check developers.pipedrive.com",
	})
	a.header.Set("X-401-By-Gw", "true")
	a.header.Set("X-Correlation-Id", "00000000-0000-4000-8000-000000000401")
	return a
}

// overLimit returns a 429. Its body is not documented.
func overLimit() response { return failure(http.StatusTooManyRequests, "Request over limit", "") }

func (p *pipedrive) limited() response {
	a := overLimit()
	if p.o.NoRateHeaders {
		return a
	}
	a.header.Set("X-RateLimit-Limit", strconv.Itoa(max(p.o.Burst, 1)))
	a.header.Set("X-RateLimit-Remaining", "0")
	a.header.Set("X-RateLimit-Reset", "2")
	return a
}

// spent returns the 429 of the daily quota.
func (p *pipedrive) spent(time.Time) response {
	a := overLimit()
	if p.o.NoRateHeaders {
		return a
	}
	a.header.Set("X-Daily-RateLimit-Token-Limit", strconv.Itoa(max(p.o.DailyTokens, 1)))
	a.header.Set("X-Daily-RateLimit-Token-Remaining", "0")
	return a
}

// capped returns the refusal by the plan's limit of open deals. Pipedrive docs,
// "Responses".
func capped() response {
	return failure(http.StatusForbidden, "Couldn't add the deal. Open deals limit reached.", "feature_capping_deals_limit")
}

func (p *pipedrive) notFound(*call) response { return p.errorResponse(http.StatusNotFound) }
