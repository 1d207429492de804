package gistdeal

import (
	"regexp"
	"strings"
	"time"
)

// UserState says whether a user is scanned, and if not, why.
type UserState string

const (
	// UserActive is scanned when due.
	UserActive UserState = "active"
	// UserPaused is tracked but not scanned until an operator resumes it. The deals of
	// its known gists are still created.
	UserPaused UserState = "paused"
	// UserRemoved is no longer tracked. Its gists and deals are kept, because tracking it
	// again would otherwise create each deal twice. Deals that were not sent are skipped.
	UserRemoved UserState = "removed"
	// UserGone no longer exists on GitHub (deleted or suspended). It may come back.
	UserGone UserState = "gone"
)

// UserStates lists all states.
var UserStates = []UserState{UserActive, UserPaused, UserRemoved, UserGone}

// Backfill is the backfill policy of a user: which of the gists that exist
// before tracking begins get a deal. It is BackfillAll, BackfillNone or a date
// such as "2026-01-31" (in UTC): a deal for each gist created on or after it.
type Backfill string

const (
	// BackfillAll creates a deal for each existing gist.
	BackfillAll Backfill = "all"
	// BackfillNone skips the gists that were created before tracking began.
	BackfillNone Backfill = "none"
)

// Check returns an Invalid error unless f is all, none or a date.
func (f Backfill) Check() error {
	if f == BackfillAll || f == BackfillNone {
		return nil
	}
	if _, err := time.Parse(time.DateOnly, string(f)); err != nil {
		return Errorf(Invalid, "backfill is %q, want all, none or a date like 2026-01-31", string(f))
	}
	return nil
}

// Cutoff returns the earliest creation time with which a gist gets a deal, for a user
// tracked since trackedAt. It is zero if each gist gets a deal, and never later than
// trackedAt.
func (f Backfill) Cutoff(trackedAt time.Time) time.Time {
	if f == BackfillAll || f == "" {
		return time.Time{}
	}
	date, err := time.Parse(time.DateOnly, string(f))
	if err != nil || date.After(trackedAt) {
		return trackedAt
	}
	return date
}

// Meaning returns what f means for a new user, for people.
func (f Backfill) Meaning() string {
	switch f {
	case BackfillAll:
		return "a deal for each gist it has"
	case BackfillNone:
		return "deals for new gists only"
	}
	return "deals for gists created since " + string(f)
}

// User is a tracked GitHub user, keyed by GitHub's numeric id.
type User struct {
	ID        int64     `json:"id" doc:"The numeric id of the user on GitHub."`
	NodeID    string    `json:"-"`     // names the user in GraphQL; "" if it is not known
	Login     string    `json:"login"` // a label in GitHub's spelling; it may change
	State     UserState `json:"state" enum:"active,paused,removed,gone"`
	Backfill  Backfill  `json:"backfill" doc:"The deals for gists from before tracking began: all, none, or those for gists created on or after a date."`
	TrackedAt time.Time `json:"tracked_at"`
	// LoginStale reports that another user has the login now.
	LoginStale bool `json:"login_taken,omitempty" doc:"Whether another user has the login by now: then only id: and the number name this user."`
	// ETag and Pages are from the last complete list of the user's gists.
	ETag       string    `json:"-"`
	Pages      int       `json:"-"`
	LastScanAt time.Time `json:"last_scan_at,omitzero" doc:"When a scan last succeeded; left out until one does."`
	FullScanAt time.Time `json:"-"` // when a scan last read every page, or confirmed the login of a user without gists
	NextScanAt time.Time `json:"next_scan_at,omitzero"`
	Failures   int       `json:"failures" doc:"The number of failed scans in a row."`
	// Unlinked reports that a scan must read the raw URLs of the files: the first scan was a Probe.
	Unlinked bool   `json:"-"`
	Problem  string `json:"problem" doc:"Why the last scan failed; empty if it succeeded."`
	// Hidden is how many more public gists GitHub counted than it listed, when a scan last
	// read them all.
	Hidden int `json:"-"`
	// Tags are words of the operators, sorted.
	Tags []string `json:"tags,omitempty" doc:"Words that rules can ask for; left out if there are none."`
}

// Account is a GitHub account.
type Account struct {
	ID          int64
	NodeID      string // names the account in GraphQL; "" if it is not known
	Login       string
	Type        string // "User", Organization, Bot or another type of GitHub
	PublicGists int    // number of public gists, by GitHub's count
}

// Account types that have no gists.
const (
	Organization = "Organization"
	Bot          = "Bot"
)

// CheckGists returns an Invalid error if no account of this type has gists.
func (a Account) CheckGists() error {
	switch a.Type {
	case Organization:
		return Errorf(Invalid, "%q is an organization on GitHub: organizations have no gists", a.Login)
	case Bot:
		return Errorf(Invalid, "%q is a bot on GitHub: bots have no gists", a.Login)
	}
	return nil
}

// GitHub's rule is stricter today (no underscore, no double hyphen), but older and
// managed accounts break it. GitHub decides about any login that matches the pattern.
var loginPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,38}$`)

// CheckLogin returns an Invalid error if no GitHub user can have this login.
func CheckLogin(login string) error {
	if loginPattern.MatchString(login) {
		return nil
	}
	shown := login
	if len(shown) > 50 {
		shown = shown[:50] + "..."
	}
	return Errorf(Invalid, "%q cannot be a GitHub login: a login has 1 to 39 letters, digits and hyphens and begins with a letter or digit", shown)
}

// LoginKey returns the form in which logins are compared. GitHub ignores their case.
func LoginKey(login string) string { return strings.ToLower(login) }
