// Package failpoint names the steps at which the kill harness (internal/testing/torture)
// ends or freezes the program, and the rules that it breaks on purpose to show
// that it would notice. In an ordinary build all of it is empty functions that
// compile to nothing. Only the build tag "failpoint" makes it work: then the
// variable FAILPOINT says what happens where (on.go), and what is done to SQLite's
// files is recorded (disk.go).
package failpoint

// The steps, in the order of a gist's way. Something is on the disk, or has
// happened at a remote, and nothing yet knows or says so.
const (
	CatchUpListed  = "catch-up-listed"  // Pipedrive's deals are read, none is adopted
	CatchUpAdopted = "catch-up-adopted" // they are adopted, caught_up_at is not written
	PageSaved      = "page-saved"       // a page's gists are stored
	RowsSaved      = "rows-saved"       // the last page's gists are stored, the ETag is not
	ETagSaved      = "etag-saved"       // the ETag is stored too
	Claimed        = "claimed"          // the claim is committed, nothing is sent
	Sent           = "sent"             // the request is written, no answer is read
	Answered       = "answered"         // a 2xx is read, the outcome is not recorded
	Recorded       = "recorded"         // the outcome is recorded
	Looked         = "looked"           // a look has read all lists, nothing is decided
	Absent         = "absent"           // the last look did not find the deal, no new claim is made
	Reclaimed      = "reclaimed"        // the new claim is committed, nothing is sent
)

// Steps returns all steps.
func Steps() []string {
	return []string{
		CatchUpListed, CatchUpAdopted, PageSaved, RowsSaved, ETagSaved,
		Claimed, Sent, Answered, Recorded, Looked, Absent, Reclaimed,
	}
}

// The rules that can be broken. Each is held by one line of the program.
const (
	NoLook     = "no-look"     // what is in doubt counts as absent without a look
	LateClaim  = "late-claim"  // nothing says that a deal is being sent until its outcome is recorded
	NoFence    = "no-fence"    // a new claim is made whoever has the row by now
	NoLease    = "no-lease"    // every process works
	NoArchived = "no-archived" // archived deals are not listed
	NoSync     = "no-sync"     // nothing of the database is synced to the disk (only with record=)
)
