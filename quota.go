package gistdeal

import (
	"errors"
	"fmt"
	"time"
)

// ErrQuotaSpent is in the chain of each Limited error that a spent Quota causes. Such
// a limit outlives the process, because the quotas are stored.
var ErrQuotaSpent = errors.New("the quota is spent")

// ErrKeyRefused is in the chain of each Unauthorized error after which another API key is
// needed. The others need a permission, a payment or a setting.
var ErrKeyRefused = errors.New("the API key is refused")

// Quota is the state of one quota of a remote, as its newest answer reports it.
type Quota struct {
	Name      string    `json:"name"`
	Limit     int       `json:"limit"` // 0 if unknown
	Remaining int       `json:"remaining"`
	Reserved  int       `json:"reserved"` // share of Limit for interactive use and other people
	Reset     time.Time `json:"reset,omitzero" doc:"When the full quota is available again, on the remote's clock."`
	SeenAt    time.Time `json:"seen_at,omitzero" doc:"When the remote reported the quota; left out if it never did."`
}

// KeyQuotas is the name of the setting that stores Quotas, as JSON.
const KeyQuotas = "quotas"

// Quotas has the remotes' quotas and all backoffs, as the leader last stored them for
// the next leader and for display.
type Quotas struct {
	Quotas []Quota `json:"quotas"`
	Pushes Backoff `json:"pushes"`
	GitHub Backoff `json:"github"`
	// Database is the wait of the pushes after a fault of gistdeal or of its database.
	Database Backoff `json:"database"`
	// Outages has the remotes that do not answer.
	Outages []Outage `json:"outages,omitempty" doc:"The remotes whose last request had no answer, or one that tells of a fault of the remote."`
	// Sweep is the leader's plan; nil before it has made one.
	Sweep *SweepPlan `json:"sweep,omitempty"`
}

// Outage is a remote whose last request had no answer, or one with a status of 500 or more. Most
// outages begin no backoff: what failed is tried again by itself.
type Outage struct {
	Remote string    `json:"remote" enum:"GitHub,Pipedrive"`
	Since  time.Time `json:"since" doc:"When the first of the requests in a row failed."`
	Reason string    `json:"reason" doc:"Why the last one failed."`
}

// Backoff is the wait of all work with a remote after the remote refused a request, or of
// the pushes after a fault of our own.
// The zero value means that there is no wait.
type Backoff struct {
	Stage  string    `json:"stage,omitempty"` // the step with the refused request; "" if there is no wait
	Kind   string    `json:"kind,omitempty"`  // the error's Kind, as text
	Spent  bool      `json:"spent,omitempty"` // a quota is spent, as opposed to too many requests at once
	NewKey bool      `json:"new_key,omitempty" doc:"Pipedrive refuses the API key itself: another one is needed."`
	Reason string    `json:"reason,omitempty"`
	Until  time.Time `json:"until,omitzero"` // when the next try is due
}

// String returns "on", or the reason and the end of the wait.
func (b Backoff) String() string {
	if b.Stage == "" {
		return "on"
	}
	return fmt.Sprintf("in backoff: %s; next try at %s", b.Reason, b.Until.UTC().Format(time.RFC3339))
}

// Active reports whether the wait lasts beyond now.
func (b Backoff) Active(now time.Time) bool { return b.Stage != "" && now.Before(b.Until) }
