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

// FirstScan is the policy for gists that exist before their user is tracked.
type FirstScan string

const (
	// FirstScanAll makes a deal for each gist that the user has.
	FirstScanAll FirstScan = "all"
	// FirstScanNew skips gists that were created before tracking began.
	FirstScanNew FirstScan = "new"
)

// User is a tracked GitHub user, keyed by GitHub's numeric id.
type User struct {
	ID        int64
	Login     string // a label in GitHub's spelling; it may change
	State     UserState
	FirstScan FirstScan
	TrackedAt time.Time
	// LoginStale is set when another user was seen to own the login now.
	LoginStale bool
	// ETag and Pages are those of the last complete reading of the user's gists.
	ETag  string
	Pages int
	// LastScanAt is when a scan last ended well, zero before the first did;
	// WholeScanAt is when one last read every page.
	LastScanAt, WholeScanAt time.Time
	NextScanAt              time.Time
	Failures                int    // scans in a row that ended badly
	Problem                 string // why the last scan ended badly, in words for people
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

// GitHub's rule is stricter today (no underscore, no double hyphen), but older
// and managed accounts break it: what could be a login is left to GitHub.
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
