package main

import (
	"context"
	"iter"
	"time"

	"gistdeal"
	"gistdeal/internal/admin"
	"gistdeal/internal/admin/activity"
	"gistdeal/internal/admin/estimate"
	"gistdeal/internal/admin/settings"
)

// backend is the gistdeal that a command works on: a database, or a server.
type backend interface {
	users
	requestedScans
	deals
	audits
	events
	state
	tokens
	webhooks
	people
	operations
	changeable
	ruleBook
}

// users are the users of a gistdeal.
type users interface {
	Users(ctx context.Context, f gistdeal.UserFilter) iter.Seq2[gistdeal.User, error]
	KnownUser(ctx context.Context, input string) (admin.CountedUser, error)
	AddUsers(ctx context.Context, add admin.Addition) iter.Seq2[admin.Result, error]
	ChangeUsers(ctx context.Context, inputs []string, c admin.Change) ([]admin.Result, error)
	AwaitingApproval(ctx context.Context, inputs []string) (deals int, err error)
	ChangeTags(ctx context.Context, inputs, add, remove []string) ([]admin.Result, error)
	Erase(ctx context.Context, input string) (admin.Erased, error)
}

// requestedScans are the requests to track or scan users.
type requestedScans interface {
	admin.Scanner
	AllRequests(ctx context.Context) ([]gistdeal.PendingRequest, error)
	CancelRequest(ctx context.Context, input string) (admin.Result, error)
	CancelAllRequests(ctx context.Context) (int64, error)
}

// deals are the deals of a gistdeal.
type deals interface {
	Deals(ctx context.Context, s admin.DealSelection, limit int) (all []admin.Deal, more bool, err error)
	Retry(ctx context.Context, s admin.DealSelection) (admin.DealResults, error)
	Retryable(ctx context.Context, s admin.DealSelection) (int, error)
	Skip(ctx context.Context, s admin.DealSelection, note string) (admin.DealResults, error)
	History(ctx context.Context, gist string) (admin.History, error)
	Cost(ctx context.Context, deals int) (estimate.Cost, error)
}

// audits compare the database of a gistdeal with Pipedrive.
type audits interface {
	// Audit requests an audit and waits for its report. If ctx ends before, the request stays.
	Audit(ctx context.Context, o gistdeal.AuditRequest) (gistdeal.Audit, error)
	ArchivedTokens(ctx context.Context) (int, error)
	DuplicateOf(ctx context.Context, dealID int64) (gistID string, err error)
}

// events are the events of a gistdeal.
type events interface {
	// EventsAfter returns a page of events, of one user if user is not "". It waits up to the
	// given time for an event if there is none.
	EventsAfter(ctx context.Context, user string, q gistdeal.EventQuery, wait time.Duration) (activity.EventPage, error)
}

// state is the state of a gistdeal.
type state interface {
	PausePushes(ctx context.Context, reason string, scans bool) (activity.Pushes, error)
	ResumePushes(ctx context.Context) (activity.Pushes, error)
	Quotas(ctx context.Context) (gistdeal.Quotas, error)
	AllAuditLog(ctx context.Context, f gistdeal.AuditFilter) iter.Seq2[[]gistdeal.AuditEntry, error]
}

// tokens are the tokens of the API.
type tokens interface {
	AddToken(ctx context.Context, t gistdeal.Token) (admin.NewToken, error)
	RotateToken(ctx context.Context, name string, overlap time.Duration, expiresAt time.Time) (admin.NewToken, error)
	Tokens(ctx context.Context) ([]gistdeal.Token, error)
	RevokeToken(ctx context.Context, name string) (admin.Result, error)
}

// webhooks are the webhooks of a gistdeal.
type webhooks interface {
	Webhooks(ctx context.Context) ([]gistdeal.Webhook, error)
	AddWebhook(ctx context.Context, in admin.WebhookInput) (admin.NewWebhook, error)
	ChangeWebhook(ctx context.Context, name string, e admin.WebhookEdit) (gistdeal.Webhook, error)
	RotateWebhook(ctx context.Context, name string, overlap time.Duration) (admin.NewWebhook, error)
	DeleteWebhook(ctx context.Context, name string) (admin.Result, error)
	TestWebhook(ctx context.Context, name string) (gistdeal.Delivery, error)
	AllDeliveries(ctx context.Context, name string, states []gistdeal.DeliveryState, limit int) ([]gistdeal.Delivery, error)
	Redeliver(ctx context.Context, name string, r admin.Redelivery) (admin.Redelivered, error)
}

// people are the people who signed in.
type people interface {
	People(ctx context.Context) ([]gistdeal.KnownPerson, error)
	SignOut(ctx context.Context, name string) (admin.Result, error)
	ForgetPerson(ctx context.Context, name string) (admin.Result, error)
}

// operations are the changes of many users or deals.
type operations interface {
	AddMany(ctx context.Context, add admin.Addition) (gistdeal.Operation, error)
	Operations(ctx context.Context, limit int) ([]gistdeal.Operation, error)
	Operation(ctx context.Context, id string) (gistdeal.Operation, error)
	OperationResults(ctx context.Context, id string) ([]admin.Result, error)
	CancelOperation(ctx context.Context, id string) (gistdeal.Operation, error)
	HasLeader(ctx context.Context) (bool, error)
}

// changeable are the settings of a gistdeal.
type changeable interface {
	Settings(ctx context.Context) ([]settings.Setting, error)
	ChangeSettings(ctx context.Context, values map[gistdeal.Setting]string) ([]settings.Setting, error)
}
