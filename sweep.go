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

// SweepPlan says how often all users are scanned, and what that costs.
type SweepPlan struct {
	Users     int       `json:"users" doc:"Users to scan, and requests to track further ones."`
	Batches   bool      `json:"batches" doc:"Whether one query compares 100 users with GitHub; otherwise each user needs a request."`
	Wanted    float64   `json:"wanted_seconds" doc:"The configured time between two scans of a user."`
	Interval  float64   `json:"interval_seconds" doc:"The time that can be kept within GitHub's limits."`
	Points    int       `json:"points_per_hour" doc:"GraphQL's points that this costs."`
	Requests  int       `json:"requests_per_hour" doc:"Requests that this costs, if no user has new gists."`
	Query     float64   `json:"query_seconds" doc:"The measured time of a query; 0 before the first one."`
	FirstPass time.Time `json:"first_pass_at,omitzero" doc:"When each user was scanned once, at the latest; left out if that is so."`
}

const (
	batchUsers  = 100
	pointUnused = 4500 // of a token's 5,000 points, before GitHub has reported them
	// busyHour is how much of an hour queries may take: GitHub allows 60 seconds a minute.
	busyHour      = 45 * time.Minute
	assumedQuery  = time.Second
	hourInSeconds = float64(time.Hour / time.Second)
)

// Plan returns the plan for that many users, of whom some were never scanned.
func (p SweepPace) Plan(users, unscanned int, now time.Time) SweepPlan {
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
	if unscanned > 0 {
		hours := float64(unscanned) / float64(max(p.Requests, 1)) // Each first scan of a user with gists is a request.
		if p.Batches {
			hours = max(hours, 2*float64(queries(unscanned))/p.queriesPerHour()) // One looks the users up.
		} else {
			hours *= 2
		}
		plan.FirstPass = now.Add(time.Duration(hours * float64(time.Hour))).Truncate(time.Minute).Add(time.Minute).UTC()
	}
	return plan
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
