// Package failpoint defines the fail points at which the kill harness
// (internal/testing/torture) kills or freezes the program, and the mutants:
// deliberately broken rules that the harness must detect. In an ordinary build its
// functions are empty. With the build tag "failpoint" the variable FAILPOINT
// selects the actions (on.go) and the operations on SQLite's files are recorded
// (disk.go).
package failpoint

// The fail points in the order of processing a gist. At each of them something was
// written or sent and the next step has not started.
const (
	CatchUpListed  = "catch-up-listed"  // Pipedrive's deals are read, none is adopted
	CatchUpAdopted = "catch-up-adopted" // the deals are adopted, caught_up_at is not written
	PageSaved      = "page-saved"       // the gists of a page are stored
	RowsSaved      = "rows-saved"       // the gists of the last page are stored, the ETag is not
	ETagSaved      = "etag-saved"       // the ETag is stored too
	Claimed        = "claimed"          // the claim is committed, nothing is sent
	Sent           = "sent"             // the request is written, no answer is read
	Answered       = "answered"         // a 2xx is read, the outcome is not recorded
	Recorded       = "recorded"         // the outcome is recorded
	LookedUp       = "looked"           // a lookup has read all lists, nothing is decided
	NotFound       = "not_found"        // the last lookup did not find the deal, no new claim exists
	Reclaimed      = "reclaimed"        // the new claim is committed, nothing is sent
)

// Delivered is no step of a gist: a webhook has answered, and the result is not recorded.
const Delivered = "delivered"

// Fail points of work on many users at once, outside the processing of one gist.
const (
	UserTakenIn    = "user-taken-in"   // a user of a batch is stored with its gists, its request is not answered
	UsersRequested = "users-requested" // some users of a bulk operation are requested, the others are not
	FeedUserSaved  = "feed-user-saved" // the gists of one user on a page of the feed are stored, the page is not recorded
)

// Fail points of a deal that follows its gist.
const (
	AmendIntended = "amend-intended" // the values are recorded, nothing is written
	AmendWritten  = "amend-written"  // the deal is changed, or the note is written, nothing is recorded
)

// Others returns the fail points that Steps leaves out.
func Others() []string {
	return []string{Delivered, UserTakenIn, UsersRequested, FeedUserSaved, AmendIntended, AmendWritten}
}

// OutboxSteps returns the fail points around events and their delivery to webhooks: most of them
// have just written events.
func OutboxSteps() []string {
	return []string{CatchUpAdopted, PageSaved, Claimed, Answered, Recorded, Delivered}
}

// Steps returns all fail points in the processing of a gist.
func Steps() []string {
	return []string{
		CatchUpListed, CatchUpAdopted, PageSaved, RowsSaved, ETagSaved,
		Claimed, Sent, Answered, Recorded, LookedUp, NotFound, Reclaimed,
	}
}

// The mutants. Each breaks one line of the program.
const (
	NoLookup   = "no-lookup"    // lists show nothing, so an attempt in doubt is sent again
	LateClaim  = "late-claim"   // the claim of a deal is written with its outcome
	NoFence    = "no-fence"     // a new claim ignores the current attempt of the row
	NoLease    = "no-lease"     // every process is a leader
	NoArchived = "no-archived"  // archived deals are not listed
	OneCatchUp = "one-catch-up" // only the first catch-up of a process adopts deals
	WallClock  = "wall-clock"   // Pipedrive's clock is read from the local wall clock
	NoSync     = "no-sync"      // the database is never synced to the disk (only with record=)

	EarlyRecord = "early-record" // a message to a webhook counts as accepted before it is sent
	NewIDs      = "new-ids"      // each attempt at a message has an id of its own
)
