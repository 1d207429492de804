package gistdeal

import (
	"regexp"
	"strings"
	"time"
)

// UserState says whether a user's gists are being watched.
type UserState string

const (
	// UserActive is scanned when due.
	UserActive UserState = "active"
	// UserPaused is tracked but not scanned until a person resumes it. Deals of
	// gists that were noticed before go on.
	UserPaused UserState = "paused"
	// UserRemoved is no longer tracked; its gists and deals are kept, or adding
	// it again would double every deal. Those not sent yet are skipped.
	UserRemoved UserState = "removed"
	// UserGone no longer exists on GitHub (deleted or suspended) and may come back.
	UserGone UserState = "gone"
)

// UserStates lists all states.
var UserStates = []UserState{UserActive, UserPaused, UserRemoved, UserGone}

// Backfill is the backfill policy of a user: which of the gists that exist
// before tracking begins get a deal. It is BackfillAll, BackfillNone or a date
// such as "2026-01-31" (in UTC): a deal for each gist created on or after it.
type Backfill string

const (
	// BackfillAll makes a deal for each gist that the user has.
	BackfillAll Backfill = "all"
	// BackfillNone skips gists that were created before tracking began.
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

// Cutoff returns the time before which a gist gets no deal, for a user tracked
// since trackedAt; zero if every gist gets one. It is never later than
// trackedAt: each gist that is created from then on gets a deal.
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

// User is a tracked GitHub user, keyed by GitHub's numeric id.
type User struct {
	ID        int64     `json:"id" doc:"GitHub's number of the user."`
	Login     string    `json:"login"` // a label in GitHub's spelling; it may change
	State     UserState `json:"state" enum:"active,paused,removed,gone"`
	Backfill  Backfill  `json:"backfill" doc:"all, none, or a date: which of the gists that existed before tracking began get a deal."`
	TrackedAt time.Time `json:"tracked_at"`
	// LoginStale is set when another user was seen to own the login now.
	LoginStale bool `json:"-"`
	// ETag and Pages are those of the last complete reading of the user's gists.
	ETag       string    `json:"-"`
	Pages      int       `json:"-"`
	LastScanAt time.Time `json:"last_scan_at,omitzero" doc:"When a scan last succeeded; left out before the first did."`
	FullScanAt time.Time `json:"-"` // when a scan last read every page
	NextScanAt time.Time `json:"next_scan_at,omitzero"`
	Failures   int       `json:"failures" doc:"Scans in a row that failed."`
	Problem    string    `json:"problem" doc:"Why the last scan failed."`
}

// Account is a GitHub account as a look-up by login or by id found it.
type Account struct {
	ID    int64
	Login string
	Type  string // "User", Organization, Bot ...
	// PublicGists is how many public gists GitHub counts.
	PublicGists int
}

// Types of accounts that have no gists.
const (
	Organization = "Organization"
	Bot          = "Bot"
)

// CheckGists returns an Invalid error if no account of this type has gists.
func (a Account) CheckGists() error {
	switch a.Type {
	case Organization:
		return Errorf(Invalid, "%q is an organisation on GitHub: organisations have no gists", a.Login)
	case Bot:
		return Errorf(Invalid, "%q is a bot on GitHub: bots have no gists", a.Login)
	}
	return nil
}

// GitHub's rule is stricter today (no underscore, no double hyphen), but older and
// managed accounts break it, so GitHub decides about possible logins.
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

// LoginKey returns the form in which logins are compared: GitHub ignores case.
func LoginKey(login string) string { return strings.ToLower(login) }
