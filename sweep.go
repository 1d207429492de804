package gistdeal

import (
	"math"
	"time"
)

// SweepPace is what the pace of sweeps depends on.
type SweepPace struct {
	Interval time.Duration // between two scans of a user, as configured
	Batches  bool          // GitHub compares 100 users with one query
	Points   int           // GraphQL's points per hour, without the reserved ones
	Requests int           // requests per hour, without the reserved ones
	Scans    int           // scans per hour of users without new gists
	Query    time.Duration // of one query, as measured; 0 means that none was sent
}

// SweepSize is the number of users of a sweep.
type SweepSize struct {
	Users     int // to scan, with those that are only requested
	Requested int // of them: requests to track a user
	Unscanned int // of them: users that are tracked and were never scanned
}

// SweepPlan says how often all users are scanned, and what that costs.
type SweepPlan struct {
	Users     int       `json:"users" doc:"Users to scan, and requests to track further ones."`
	Batches   bool      `json:"batches" doc:"Whether one query compares 100 users with GitHub; otherwise each user needs a request."`
	Wanted    float64   `json:"wanted_seconds" doc:"The configured time between two scans of a user."`
	Interval  float64   `json:"interval_seconds" doc:"The time that can be kept within GitHub's limits."`
	Points    int       `json:"points_per_hour" doc:"GraphQL's points that this costs."`
	Requests  int       `json:"requests_per_hour" doc:"Requests that this costs, if no user has new gists."`
	Query     float64   `json:"query_seconds" doc:"The measured time of a query; 0 before the first one."`
	FirstPass time.Time `json:"first_pass_at,omitzero" doc:"When each user was scanned once, by estimate; left out if that is so."`
}

const (
	batchUsers  = 100
	largeUser   = 10   // one of so many users has more than ProbeGists gists, by assumption
	pointUnused = 4500 // of a token's 5,000 points, before GitHub has reported them
	// busyHour is how much of an hour queries may take: GitHub allows 60 seconds a minute.
	busyHour      = 45 * time.Minute
	assumedQuery  = time.Second
	hourInSeconds = float64(time.Hour / time.Second)
)

// Plan returns the plan for so many users.
func (p SweepPace) Plan(size SweepSize, now time.Time) SweepPlan {
	users := size.Users
	plan := SweepPlan{Users: users, Batches: p.Batches, Wanted: p.Interval.Seconds(), Query: p.Query.Seconds()}
	calls, perHour := users, float64(max(p.Scans, 1))
	if p.Batches {
		calls, perHour = queries(users), p.queriesPerHour()
	}
	plan.Interval = math.Ceil(max(plan.Wanted, float64(calls)/perHour*hourInSeconds))
	cost := int(math.Ceil(float64(calls) / plan.Interval * hourInSeconds))
	if p.Batches {
		plan.Points = cost
	} else {
		plan.Requests = cost
	}
	if size.Requested+size.Unscanned > 0 {
		plan.FirstPass = now.Add(time.Duration(p.firstPass(size) * float64(time.Hour))).Truncate(time.Minute).Add(time.Minute).UTC()
	}
	return plan
}

// firstPass returns the hours until each user was scanned once. Where queries are served, one
// takes in 100 requested users, but for those with more gists than it shows. Each other first
// scan of a user with gists is a request, and each other lookup is one too.
func (p SweepPace) firstPass(size SweepSize) float64 {
	requests := size.Unscanned + 2*size.Requested
	if p.Batches {
		requests = size.Unscanned + (size.Requested+largeUser-1)/largeUser
	}
	hours := float64(requests) / float64(max(p.Requests, 1))
	if p.Batches {
		hours = max(hours, float64(queries(size.Requested))/p.queriesPerHour())
	}
	return hours
}

// Kept reports whether the configured interval is kept.
func (p SweepPlan) Kept() bool { return p.Interval <= math.Ceil(p.Wanted) }

func queries(users int) int { return (users + batchUsers - 1) / batchUsers }

// queriesPerHour is limited by the points, and by the time that queries take.
func (p SweepPace) queriesPerHour() float64 {
	points, query := p.Points, p.Query
	if points <= 0 {
		points = pointUnused
	}
	if query <= 0 {
		query = assumedQuery
	}
	return max(1, min(float64(points), float64(busyHour)/float64(query)))
}
