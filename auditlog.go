package gistdeal

import "time"

// Source says how a person or program made a change.
type Source string

// The sources of changes.
const (
	SourceAPI           Source = "api"           // a request with a token, or without one where none is needed
	SourcePage          Source = "page"          // a request with a log-in of a browser
	SourceCommand       Source = "command"       // a command on a machine that reaches the database
	SourceConfiguration Source = "configuration" // a start with another configuration
)

// Sources lists all sources.
var Sources = []Source{SourceAPI, SourcePage, SourceCommand, SourceConfiguration}

// Action is a kind of change in the audit log.
type Action string

// The actions. The target is a login, except where another one is named.
const (
	ActionAddUser         Action = "user.add" // a request to track the user; after is the backfill, if one is named
	ActionScanUser        Action = "user.scan"
	ActionPauseUser       Action = "user.pause"
	ActionResumeUser      Action = "user.resume"
	ActionRemoveUser      Action = "user.remove"
	ActionEraseUser       Action = "user.erase" // no target
	ActionAllowAgain      Action = "user.allow_again"
	ActionCancelRequest   Action = "request.cancel"   // no target if it is all requests
	ActionCancelOperation Action = "operation.cancel" // the id of the operation
	ActionApproveDeals    Action = "deals.approve"
	ActionRetryDeals      Action = "deals.retry" // the selection of deals
	ActionSkipDeals       Action = "deals.skip"  // the selection of deals
	ActionAudit           Action = "audit.request"
	ActionPausePushes     Action = "pushes.pause"      // no target
	ActionResumePushes    Action = "pushes.resume"     // no target
	ActionChangeSetting   Action = "setting.change"    // the setting; before and after are stored values, "" for the default
	ActionChangeRules     Action = "rules.change"      // no target; before and after are versions
	ActionDecideDeals     Action = "rules.apply"       // no target
	ActionTagUser         Action = "user.tag"          // before and after are tags
	ActionAddToken        Action = "token.add"         // the token; after is its scope
	ActionChangeToken     Action = "token.change"      // the token
	ActionRotateToken     Action = "token.rotate"      // the token
	ActionRevokeToken     Action = "token.revoke"      // the token; before is its scope
	ActionAddWebhook      Action = "webhook.add"       // the webhook; after is its address
	ActionChangeWebhook   Action = "webhook.change"    // the webhook; after is what changed
	ActionDeleteWebhook   Action = "webhook.delete"    // the webhook; before is its address
	ActionRotateWebhook   Action = "webhook.rotate"    // the webhook
	ActionTestWebhook     Action = "webhook.test"      // the webhook
	ActionRedeliver       Action = "webhook.redeliver" // the webhook
	ActionSignOut         Action = "person.sign_out"   // the person, all of whose log-ins end
	ActionForgetPerson    Action = "person.forget"     // the person
	ActionRestore         Action = "database.restore"  // the backup
	ActionLogIn           Action = "login"             // no target
	ActionLogInFailed     Action = "login.failed"      // no target
	ActionLogOut          Action = "logout"            // no target
)

// Actions lists all actions.
var Actions = []Action{
	ActionAddUser, ActionScanUser, ActionPauseUser, ActionResumeUser, ActionRemoveUser, ActionEraseUser, ActionAllowAgain, ActionCancelRequest, ActionCancelOperation,
	ActionTagUser, ActionChangeRules, ActionDecideDeals,
	ActionApproveDeals, ActionRetryDeals, ActionSkipDeals, ActionAudit, ActionPausePushes, ActionResumePushes, ActionChangeSetting,
	ActionAddToken, ActionChangeToken, ActionRotateToken, ActionRevokeToken,
	ActionAddWebhook, ActionChangeWebhook, ActionDeleteWebhook, ActionRotateWebhook, ActionTestWebhook, ActionRedeliver, ActionSignOut, ActionForgetPerson, ActionRestore, ActionLogIn, ActionLogInFailed, ActionLogOut,
}

// AuditEntry is an entry of the audit log: a change that a person or program made, or a
// log-in. The work of gistdeal itself leaves none.
type AuditEntry struct {
	ID      int64     `json:"id" doc:"Increases in the order of the changes."`
	At      time.Time `json:"at"`
	Actor   string    `json:"actor" doc:"The name of the token, the account on the machine of a command, or empty if unknown."`
	Source  Source    `json:"source" enum:"api,page,command,configuration"`
	Address string    `json:"address,omitempty" doc:"The address of the client, or the name of the machine of a command."`
	Action  Action    `json:"action"`
	Target  string    `json:"target,omitempty" doc:"What was changed: a login, a setting, a token, or the deals by their selection; empty once its user is erased."`
	UserID  int64     `json:"-"` // of the target, if it is known; 0 for other targets
	Before  string    `json:"before,omitempty"`
	After   string    `json:"after,omitempty"`
	Reason  string    `json:"reason,omitempty" doc:"As the actor gave it."`
	Count   int       `json:"count,omitempty" doc:"The number of changed deals or requests."`
}

// AuditFilter selects entries that match everything that is set.
type AuditFilter struct {
	Actors  []string
	Sources []Source
	Actions []Action
	Target  string // ignoring case
	Since   time.Time
	Until   time.Time // before this time
}
