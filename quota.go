package gistdeal

import (
	"errors"
	"fmt"
	"time"
)

// ErrQuotaSpent is in the chain of a Limited error that comes of a Budget: the next
// process knows it from there.
var ErrQuotaSpent = errors.New("the budget is spent")

// Quota is a quota of a remote with its remaining part, from the newest answer.
type Quota struct {
	Name      string    `json:"name"`
	Limit     int       `json:"limit"` // 0 while it is not known
	Remaining int       `json:"remaining"`
	Reserved  int       `json:"reserved"` // part of Remaining for interactive use and other people
	Reset     time.Time `json:"reset,omitzero" doc:"Time at which the full quota is available again, by the remote's clock."`
	SeenAt    time.Time `json:"seen_at,omitzero" doc:"When the answer came; left out if none told."`
}

// KeyQuotas is the name of the setting that keeps Quotas, as JSON.
const KeyQuotas = "quotas"

// Quotas is the leader's newest knowledge of the remotes' limits. It is kept in
// the database for the next leader and for people.
type Quotas struct {
	Quotas []Quota `json:"quotas"`
	Pushes Backoff `json:"pushes"`
	GitHub Backoff `json:"github"`
}

// Backoff says that all work with a remote waits, because the remote refused a
// request; the zero value means that nothing waits.
type Backoff struct {
	Stage  string    `json:"stage,omitempty"` // of the work, for which the remote refused
	Kind   string    `json:"kind,omitempty"`  // of the error
	Reason string    `json:"reason,omitempty"`
	Until  time.Time `json:"until,omitzero"` // when the next request is due
}

// String says in words whether work goes on, and if not, why and until when.
func (b Backoff) String() string {
	if b.Stage == "" {
		return "on"
	}
	return fmt.Sprintf("paused: %s; next try at %s", b.Reason, b.Until.UTC().Format(time.RFC3339))
}

// Active reports whether nothing is tried at now.
func (b Backoff) Active(now time.Time) bool { return b.Stage != "" && now.Before(b.Until) }
