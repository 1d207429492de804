package gistdeal

import "time"

// OperationKind is the kind of work of an operation.
type OperationKind string

// The kinds of operations.
const (
	OperationAddUsers    OperationKind = "add_users"
	OperationChangeUsers OperationKind = "change_users"
	OperationRetryDeals  OperationKind = "retry_deals"
	OperationSkipDeals   OperationKind = "skip_deals"
	OperationDecideDeals OperationKind = "decide_deals" // by the rules
)

// OperationState says how far an operation is.
type OperationState string

// The states of an operation.
const (
	OperationQueued    OperationState = "queued"
	OperationRunning   OperationState = "running"
	OperationCanceling OperationState = "canceling" // some items that had begun have no result yet
	OperationCompleted OperationState = "completed"
	OperationCanceled  OperationState = "canceled"
)

// Operation is one change of many users or deals, which the leader works off. Each of them
// is an item with a result of its own.
type Operation struct {
	ID       string         `json:"id"`
	Kind     OperationKind  `json:"kind" enum:"add_users,change_users,retry_deals,skip_deals,decide_deals"`
	State    OperationState `json:"state" enum:"queued,running,canceling,completed,canceled"`
	Change   string         `json:"change,omitempty" enum:"pause,resume,remove,approve,scan" doc:"The change of users."`
	Backfill Backfill       `json:"backfill,omitempty" doc:"The existing gists of added users that get a deal."`
	States   []DealState    `json:"-"` // deals in other states are left alone; nil means none are
	Note     string         `json:"note,omitempty" doc:"Why deals are skipped."`
	Caller   string         `json:"caller,omitempty" doc:"The name of the token that began it; left out without a token."`
	Source   Source         `json:"-"`
	Address  string         `json:"-"`
	Total    int            `json:"total" doc:"How many users or deals it is for."`
	Done     int            `json:"done" doc:"How many of them have a result."`
	Problems int            `json:"problems" doc:"How many of these could not be done."`
	Results  map[string]int `json:"results" doc:"How many have each result."`

	CreatedAt  time.Time `json:"created_at"`
	StartedAt  time.Time `json:"started_at,omitzero"`
	CanceledAt time.Time `json:"canceled_at,omitzero"`
	EndedAt    time.Time `json:"ended_at,omitzero"`
}

// state derives the state from the times.
func (o Operation) state() OperationState {
	switch ended, canceled := !o.EndedAt.IsZero(), !o.CanceledAt.IsZero(); {
	case ended && canceled:
		return OperationCanceled
	case ended:
		return OperationCompleted
	case canceled:
		return OperationCanceling
	case !o.StartedAt.IsZero():
		return OperationRunning
	}
	return OperationQueued
}

// WithState returns o with the state that its times mean.
func (o Operation) WithState() Operation {
	o.State = o.state()
	return o
}

// OperationItem is one of the users or deals of an operation.
type OperationItem struct {
	N       int    // its place in the operation, from 1
	Input   string // as it was given; "" once the person was erased
	Key     string // what it names: a login in lower case, id: and a number, or a gist id; "" if it names nothing
	Tags    string // that an added user gets, with spaces between
	Request int64  // the number of its scan request; 0 if there is none
	Result  string // "" while it is pending
	Reason  string
	Problem bool // it could not be done
}

// IdempotencyKey names a request of a caller that must not run twice.
type IdempotencyKey struct {
	Caller  string
	Key     string
	Request string // a hash of the request
}

// IdempotentAnswer is the answer to a request with a key.
type IdempotentAnswer struct {
	Request  string // a hash of the request
	Status   int    // 0 while it is in progress
	Location string
	Body     string // "" if it held a secret
}
