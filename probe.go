package gistdeal

// ProbeLatest is how many of a user's newest gists a Probe has.
const ProbeLatest = 3

// Probe is the answer about one of many users whom a single query to GitHub compares.
type Probe struct {
	Account          // PublicGists counts forks too, but no secret gists
	Latest  []string // ids of the newest public gists, at most ProbeLatest
	Err     error    // why GitHub says nothing about this user: NotFound if it has no such user
}
