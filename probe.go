package gistdeal

import "time"

const (
	// ProbeLatest is how many of the gists that a user changed last a Probe has.
	ProbeLatest = 3
	// ProbeGists is how many of a user's newest gists a Probe has with their facts, if these
	// were asked for.
	ProbeGists = 10
	// ProbeFiles is how many files a gist of a complete Probe has at most.
	ProbeFiles = 10
)

// Probe is the answer about one of many users whom a single query to GitHub compares.
type Probe struct {
	Account          // PublicGists counts forks too, but no secret gists
	Latest  []string // ids of the public gists that changed last, at most ProbeLatest
	// UpdatedAt is when one of them last changed; zero if there are none.
	UpdatedAt time.Time
	// Gists are the newest public gists, if they were asked for. The raw URLs of their files are
	// not known.
	Gists []Gist
	// Complete reports that Gists are all public gists of the user, with all of their files.
	Complete bool
	Err      error // why GitHub says nothing about this user: NotFound if it has no such user
}

// FirstScan is how the gists of a first scan are stored.
type FirstScan struct {
	Limits ApprovalLimits // of deals that are queued without approval
	Order  PushOrder      // of the user's deals
	// Decisions are those of the rules by gist id; nil if there are no rules.
	Decisions map[string]Decision
	Tags      []string  // of the user in Decisions, sorted
	Next      time.Time // when the user is due again
}

// Policy returns the policy for the gists of u.
func (f FirstScan) Policy(u User) NewGistPolicy {
	return NewGistPolicy{
		First: true, Order: f.Order, Decisions: f.Decisions, SkipBefore: u.Backfill.Cutoff(u.TrackedAt),
		Hold: f.Limits != ApprovalLimits{} || u.Backfill != BackfillNone && f.Order == PushOldest,
	}
}

// TakenIn is the outcome of tracking a user together with what a Probe says of it.
type TakenIn struct {
	User     User // LastScanAt is set if its first scan is done
	Queued   int  // new deals
	Awaiting int  // new deals that await approval
}
