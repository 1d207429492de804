package sim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// control adds the routes through which another process controls the simulator.
func (s *Sim) control(mux *http.ServeMux) {
	add := func(pattern string, do func(*http.Request) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { serveControl(w, r, do) })
	}
	add("GET /_sim/report", func(*http.Request) (any, error) { return s.Report(), nil })
	add("GET /_sim/faults", func(*http.Request) (any, error) { return s.listFaults(), nil })
	add("POST /_sim/faults", s.postFault)
	add("DELETE /_sim/faults", func(*http.Request) (any, error) { s.ClearFaults(); return s.listFaults(), nil })
	add("POST /_sim/users", s.postUser)
	add("POST /_sim/gists", s.postGist)
	add("POST /_sim/gists/{id}/public", func(r *http.Request) (any, error) {
		return changeGist(r, s.MakePublic(r.PathValue("id")))
	})
	add("DELETE /_sim/gists/{id}", func(r *http.Request) (any, error) {
		return changeGist(r, s.DeleteGist(r.PathValue("id")))
	})
	add("POST /_sim/strangers", s.postStrangers)
	add("POST /_sim/synthetic", s.postSynthetic)
	add("POST /_sim/publish", s.postPublish)
	add("POST /_sim/feed/omitted", s.postOmitted)
	add("POST /_sim/knobs", s.postKnobs)
	add("POST /_sim/deals/{id}/archive", func(r *http.Request) (any, error) { return changeDeal(r, s.ArchiveDeal) })
	add("DELETE /_sim/deals/{id}", func(r *http.Request) (any, error) { return changeDeal(r, s.DeleteDeal) })
}

var errNotFound = errors.New("not found")

// serveControl responds to a control request with JSON. It refuses requests from
// pages of other sites.
func serveControl(w http.ResponseWriter, r *http.Request, do func(*http.Request) (any, error)) {
	if r.Header.Get("Sec-Fetch-Site") == "cross-site" {
		http.Error(w, "requests from another site are not allowed", http.StatusForbidden)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	value, err := do(r)
	a := reply(http.StatusOK, value)
	switch {
	case errors.Is(err, errNotFound):
		a = reply(http.StatusNotFound, map[string]string{"error": err.Error()})
	case err != nil:
		a = reply(http.StatusBadRequest, map[string]string{"error": err.Error()})
	}
	w.Header().Set("Content-Type", a.header.Get("Content-Type"))
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // fails only if the client has disconnected
}

// decodeBody decodes a JSON body and rejects unknown names. An empty body leaves
// the value unchanged.
func decodeBody(r *http.Request, into any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("body: %w", err)
	}
	return nil
}

func changeDeal(r *http.Request, do func(int64) bool) (any, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil || !do(id) {
		return nil, fmt.Errorf("deal %q: %w", r.PathValue("id"), errNotFound)
	}
	return map[string]int64{"id": id}, nil
}

func changeGist(r *http.Request, done bool) (any, error) {
	id := r.PathValue("id")
	if !done {
		return nil, fmt.Errorf("gist %q: %w", id, errNotFound)
	}
	return map[string]string{"id": id}, nil
}

func (s *Sim) listFaults() map[string][]Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []Fault{}
	for _, a := range s.faults.active {
		list = append(list, a.Fault)
	}
	return map[string][]Fault{"faults": list}
}

func (s *Sim) postFault(r *http.Request) (any, error) {
	var f Fault
	if err := decodeBody(r, &f); err != nil {
		return nil, err
	}
	s.AddFault(f)
	return s.listFaults(), nil
}

func (s *Sim) postUser(r *http.Request) (any, error) {
	var u struct {
		Login string `json:"login"`
		Type  string `json:"type"`
		Gists int    `json:"gists"`
	}
	if err := decodeBody(r, &u); err != nil {
		return nil, err
	}
	if u.Login == "" || u.Gists < 0 {
		return nil, errors.New("login is missing, or gists is negative")
	}
	id := s.AddUser(User{Login: u.Login, Type: u.Type})
	s.MakeGists(u.Login, u.Gists)
	return map[string]any{"login": u.Login, "id": id}, nil
}

func (s *Sim) postGist(r *http.Request) (any, error) {
	var body struct {
		Login       string          `json:"login"`
		Description json.RawMessage `json:"description"` // generated if absent
		Files       []string        `json:"files"`
	}
	if err := decodeBody(r, &body); err != nil {
		return nil, err
	}
	if body.Login == "" {
		return nil, errors.New("login is missing")
	}
	var g Gist
	if body.Description != nil {
		if err := json.Unmarshal(body.Description, &g.Description); err != nil {
			return nil, fmt.Errorf("description: %w", err)
		}
		g.NullDescription = string(body.Description) == "null"
		g.EmptyDescription = g.Description == ""
	}
	for _, name := range body.Files {
		g.Files = append(g.Files, File{Name: name, Size: len(name)})
	}
	return map[string]string{"id": s.AddGist(body.Login, g)}, nil
}

// knobs are the options that a control request can change. Absent options keep
// their values.
type knobs struct {
	ListDelay      *duration `json:"list_delay"`
	SearchDelay    *duration `json:"search_delay"`
	Latency        *duration `json:"latency"`
	Jitter         *duration `json:"jitter"`
	Burst          *int      `json:"burst"`
	DailyTokens    *int      `json:"daily_tokens"`
	GitHubLimit    *int      `json:"github_limit"`
	GitHubHour     *duration `json:"github_hour"`
	Token          *string   `json:"token"`
	GitHubToken    *string   `json:"github_token"`
	TokenUser      *string   `json:"token_user"`
	CreateStatus   *int      `json:"create_status"`
	DeletedDeal404 *bool     `json:"deleted_deal_404"`
	NoRateHeaders  *bool     `json:"no_rate_headers"`

	IgnoreDeletedFields *bool     `json:"ignore_deleted_fields"`
	KeepUpdateTime      *bool     `json:"keep_update_time"`
	CursorLife          *duration `json:"cursor_life"`
	MaxOpenDeals        *int      `json:"max_open_deals"`
	MaxCustomFields     *int      `json:"max_custom_fields"`

	Regular          *bool     `json:"regular"`
	Cannot           *[]string `json:"cannot"`
	VisibilityGroups *bool     `json:"visibility_groups"`
	FreeRefusals     *bool     `json:"free_refusals"`

	FeedByUpdate *bool     `json:"feed_by_update"`
	FeedLagMin   *duration `json:"feed_lag_min"`
	FeedLagMax   *duration `json:"feed_lag_max"`
	FeedOmits    *float64  `json:"feed_omits"`
	QuietFlips   *bool     `json:"quiet_flips"`

	GraphQLLimit    *int      `json:"graphql_limit"`
	GraphQLTime     *duration `json:"graphql_time"`
	GraphQLUsers    *int      `json:"graphql_users"`
	GraphQLInFlight *int      `json:"graphql_in_flight"`
	SecondaryOK     *bool     `json:"secondary_ok"`
	NewNodeIDs      *bool     `json:"new_node_ids"`

	Waitlist        *bool `json:"waitlist"`
	SpentRetryAfter *int  `json:"spent_retry_after"`
	BanAfter        *int  `json:"ban_after"`
}

// duration is a time.Duration that is a text in JSON, for time.ParseDuration.
type duration time.Duration

// UnmarshalJSON implements json.Unmarshaler.
func (d *duration) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return fmt.Errorf("duration: %w", err)
	}
	parsed, err := time.ParseDuration(text)
	*d = duration(parsed)
	return err
}

func (s *Sim) postKnobs(r *http.Request) (any, error) {
	var k knobs
	if err := decodeBody(r, &k); err != nil {
		return nil, err
	}
	s.Set(func(o *Options) {
		assign(&o.ListDelay, (*time.Duration)(k.ListDelay))
		assign(&o.SearchDelay, (*time.Duration)(k.SearchDelay))
		assign(&o.Latency, (*time.Duration)(k.Latency))
		assign(&o.Jitter, (*time.Duration)(k.Jitter))
		assign(&o.Burst, k.Burst)
		assign(&o.DailyTokens, k.DailyTokens)
		assign(&o.GitHubLimit, k.GitHubLimit)
		assign(&o.GitHubHour, (*time.Duration)(k.GitHubHour))
		assign(&o.Token, k.Token)
		assign(&o.GitHubToken, k.GitHubToken)
		assign(&o.TokenUser, k.TokenUser)
		assign(&o.CreateStatus, k.CreateStatus)
		assign(&o.DeletedDeal404, k.DeletedDeal404)
		assign(&o.NoRateHeaders, k.NoRateHeaders)
		assign(&o.IgnoreDeletedFields, k.IgnoreDeletedFields)
		assign(&o.KeepUpdateTime, k.KeepUpdateTime)
		assign(&o.CursorLife, (*time.Duration)(k.CursorLife))
		assign(&o.MaxOpenDeals, k.MaxOpenDeals)
		assign(&o.MaxCustomFields, k.MaxCustomFields)
		assign(&o.Regular, k.Regular)
		assign(&o.Cannot, k.Cannot)
		assign(&o.VisibilityGroups, k.VisibilityGroups)
		assign(&o.FreeRefusals, k.FreeRefusals)
		k.assignFeed(o)
		k.assignGraphQL(o)
		assign(&o.Waitlist, k.Waitlist)
		assign(&o.SpentRetryAfter, k.SpentRetryAfter)
		assign(&o.BanAfter, k.BanAfter)
	})
	return map[string]bool{"set": true}, nil
}

func (k *knobs) assignFeed(o *Options) {
	assign(&o.FeedByUpdate, k.FeedByUpdate)
	assign(&o.FeedLagMin, (*time.Duration)(k.FeedLagMin))
	assign(&o.FeedLagMax, (*time.Duration)(k.FeedLagMax))
	assign(&o.FeedOmits, k.FeedOmits)
	assign(&o.QuietFlips, k.QuietFlips)
}

func (k *knobs) assignGraphQL(o *Options) {
	assign(&o.GraphQLLimit, k.GraphQLLimit)
	assign(&o.GraphQLTime, (*time.Duration)(k.GraphQLTime))
	assign(&o.GraphQLUsers, k.GraphQLUsers)
	assign(&o.GraphQLInFlight, k.GraphQLInFlight)
	assign(&o.SecondaryOK, k.SecondaryOK)
	assign(&o.NewNodeIDs, k.NewNodeIDs)
}

// assign sets *to to *value unless value is nil.
func assign[T any](to *T, value *T) {
	if value != nil {
		*to = *value
	}
}
