package gistdeal

import (
	"errors"
	"time"
)

// EventType says what happened.
type EventType string

// The types of events.
const (
	EventGistNoticed          EventType = "gist.noticed"
	EventGistEdited           EventType = "gist.edited"   // its description or its files
	EventGistDeleted          EventType = "gist.deleted"  // GitHub lists all gists of the user without it: it was deleted or made secret
	EventGistRestored         EventType = "gist.restored" // GitHub lists it again
	EventDealQueued           EventType = "deal.queued"
	EventDealAwaitingApproval EventType = "deal.awaiting_approval"
	EventDealPostponed        EventType = "deal.postponed" // an attempt surely created nothing, and the deal is queued again
	EventDealCreated          EventType = "deal.created"
	EventDealUpdated          EventType = "deal.updated"  // it followed an edit or the deletion of its gist, as its rule says
	EventDealRelinked         EventType = "deal.relinked" // another deal in Pipedrive replaces the one that is gone
	EventDealFailed           EventType = "deal.failed"
	EventDealRetried          EventType = "deal.retried" // a failed, skipped or deleted deal is queued again
	EventDealSkipped          EventType = "deal.skipped"
	EventUserAdded            EventType = "user.added"
	EventUserGone             EventType = "user.gone"
	EventUserBack             EventType = "user.back" // GitHub knows a user again that was gone
	EventUserRenamed          EventType = "user.renamed"
	EventUserRemoved          EventType = "user.removed"
	EventUserPaused           EventType = "user.paused"
	EventUserResumed          EventType = "user.resumed"
	EventPushesPaused         EventType = "pushes.paused"
	EventPushesResumed        EventType = "pushes.resumed"
	EventQuotaSpent           EventType = "quota.spent"
	EventQuotaRestored        EventType = "quota.restored"
	EventDuplicate            EventType = "duplicate.found"
	EventAuditEnded           EventType = "audit.ended"
	EventWebhookDisabled      EventType = "webhook.disabled" // after three days of failures, or since its receiver is gone
	EventLeaderMissed         EventType = "leader.missed"    // no instance worked for more than a minute; now one does
)

// EventTypes lists all types.
var EventTypes = []EventType{
	EventGistNoticed, EventGistEdited, EventGistDeleted, EventGistRestored, EventDealQueued, EventDealAwaitingApproval, EventDealPostponed,
	EventDealCreated, EventDealUpdated, EventDealRelinked, EventDealFailed,
	EventDealRetried, EventDealSkipped, EventUserAdded, EventUserGone, EventUserBack, EventUserRenamed, EventUserRemoved, EventUserPaused,
	EventUserResumed, EventPushesPaused, EventPushesResumed, EventQuotaSpent, EventQuotaRestored, EventDuplicate, EventAuditEnded,
	EventWebhookDisabled, EventLeaderMissed,
}

// Event is something that happened. It is stored in the transaction of what happened.
type Event struct {
	ID       int64     `json:"id" doc:"Grows in the order of the events, over restarts and instances, with gaps."`
	At       time.Time `json:"at"`
	Type     EventType `json:"type" enum:"gist.noticed,gist.edited,gist.deleted,gist.restored,deal.queued,deal.awaiting_approval,deal.postponed,deal.created,deal.updated,deal.relinked,deal.failed,deal.retried,deal.skipped,user.added,user.gone,user.back,user.renamed,user.removed,user.paused,user.resumed,pushes.paused,pushes.resumed,quota.spent,quota.restored,duplicate.found,audit.ended,webhook.disabled,leader.missed"`
	UserID   int64     `json:"user_id,omitempty" doc:"The user's number on GitHub; left out if the event is about no user, or about a gist that was never read."`
	Login    string    `json:"login,omitempty" doc:"The user's login at the time of the event."`
	GistID   string    `json:"gist_id,omitempty"`
	GistURL  string    `json:"gist_url,omitempty"`
	DealID   int64     `json:"deal_id,omitempty" doc:"The id of the deal in Pipedrive."`
	DealURL  string    `json:"deal_url,omitempty"`
	Backfill bool      `json:"backfill" doc:"Whether a first scan found the gist: it is not news."`
	EventFacts
}

// EventFacts are facts that only some types of events have.
type EventFacts struct {
	Description string `json:"description,omitempty" doc:"The description of the gist at the time of the event."`
	Reason      string `json:"reason,omitempty" doc:"Why the deal failed, waits or was skipped, why the user is gone, what was updated, or why pushes were paused."`
	OldLogin    string `json:"old_login,omitempty" doc:"The login before the user was renamed."`
	Remote      string `json:"remote,omitempty" doc:"The remote of the quota: GitHub or Pipedrive."`
	AuditID     string `json:"audit_id,omitempty"`
	Webhook     string `json:"webhook,omitempty" doc:"The name of the webhook."`
	Adopted     bool   `json:"adopted,omitempty" doc:"Whether the deal was found in Pipedrive, and not created by an attempt that named it."`
	Count       int    `json:"count,omitempty" doc:"The number of discrepancies that the audit found."`

	Since time.Time `json:"since,omitzero" doc:"When a leader last worked before the event."`
}

// EventQuery selects events.
type EventQuery struct {
	After  int64       // only events with a greater id; 0 means from the oldest kept one
	Types  []EventType // empty means all
	UserID int64       // 0 means all
	Limit  int
}

// ErrEventsDeleted is in the chain of the error for an EventQuery after an event so old that
// later ones were deleted. Its reader has to read the lists, and to go on from the last event.
var ErrEventsDeleted = errors.New("events after this one were deleted")

// Day counts the new gists and deals of one day in UTC.
type Day struct {
	Date  string `json:"date" format:"date"`
	Gists int    `json:"gists" doc:"The number of gists that were first read on that day."`

	Backfill int `json:"backfill" doc:"How many of them existed before their user was tracked."`

	Deals int `json:"deals" doc:"The number of deals that were created or adopted on that day."`
}

// Failure is a problem with the number of deals that failed because of it.
type Failure struct {
	Problem string `json:"problem"`
	Deals   int    `json:"deals"`
	Example string `json:"example" doc:"The gist id of one of these deals."`

	LastFailedAt time.Time `json:"last_failed_at,omitzero" doc:"When the last of them failed; left out if unknown."`
}
