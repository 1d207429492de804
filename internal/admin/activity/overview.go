package activity

import (
	"context"
	"time"

	"gistdeal"
)

// Overview is the state of everything at a glance.
type Overview struct {
	Leader         bool                       `json:"leader" doc:"Whether an instance holds the lease, and so scans users and creates deals."`
	Pushes         Pushes                     `json:"pushes" doc:"Whether an operator has paused all pushes."`
	Users          map[gistdeal.UserState]int `json:"users"`
	Deals          map[gistdeal.DealState]int `json:"deals"`
	Duplicates     int                        `json:"duplicates" doc:"Deals in Pipedrive beyond the one of their gist."`
	Requests       int                        `json:"pending_scan_requests" doc:"Requests to track or scan a user that have no result yet."`
	OldestQueuedAt time.Time                  `json:"oldest_queued_at,omitzero" doc:"Since when the next deal is queued; left out if none is."`
	NextScan       time.Time                  `json:"next_scan,omitzero" doc:"When the next scan is due; left out if none is planned."`
	Feed           Feed                       `json:"feed" doc:"The reading of GitHub's list of new public gists."`
	Days           []gistdeal.Day             `json:"days" doc:"The last 30 days in UTC, without gaps."`
}

// Feed is the state of the reading of the feed.
type Feed struct {
	ReadAt       time.Time `json:"read_at,omitzero" doc:"When it was last read completely; left out if it never was."`
	GapAt        time.Time `json:"gap_at,omitzero" doc:"When gists may have left it unread, after which all users were scanned; left out if that never happened."`
	ReachSeconds float64   `json:"reach_seconds,omitempty" doc:"How far it reaches back: a longer downtime leaves a gap. Left out if unknown."`
}

// daysShown is how many days an overview has, today included.
const daysShown = 30

// Overview counts everything.
func (a *Activity) Overview(ctx context.Context) (o Overview, err error) {
	if o.Leader, err = a.db.HasLeader(ctx); err != nil {
		return o, err
	}
	begin := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, 1-daysShown)
	n, err := a.db.CountsAndDays(ctx, begin)
	if err != nil {
		return o, err
	}
	if n.PushesPaused {
		p, err := a.db.PushPause(ctx)
		if err != nil {
			return o, err
		}
		o.Pushes = Pushes{Pause: p, Paused: p.On()}
	}
	o.Users, o.Deals, o.Duplicates, o.Requests = n.Users, n.Deals, n.Duplicates, n.ScanRequests
	o.OldestQueuedAt, o.NextScan = n.OldestQueued, n.OldestDue
	o.Feed = Feed{n.Feed.ReadAt, n.Feed.GapAt, n.Feed.Reach.Seconds()}
	o.Days = everyDay(n.Days, begin)
	return o, nil
}

// everyDay returns one entry for each of the days from begin on, also for those without work.
func everyDay(known map[string]gistdeal.Day, begin time.Time) []gistdeal.Day {
	days := make([]gistdeal.Day, daysShown)
	for i := range days {
		date := begin.AddDate(0, 0, i).Format(time.DateOnly)
		days[i] = known[date]
		days[i].Date = date
	}
	return days
}

// Delays are the times from publications to deals.
type Delays struct {
	Bounds []float64           `json:"bounds_seconds" doc:"The bounds of the buckets, in order."`
	Days   []gistdeal.DelayDay `json:"days" doc:"The last 30 days in UTC, without gaps."`
}

// Delays returns how long after the publication of their gists deals were created.
func (a *Activity) Delays(ctx context.Context) (Delays, error) {
	begin := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, 1-daysShown)
	known, err := a.db.Delays(ctx, begin)
	d := Delays{Days: make([]gistdeal.DelayDay, daysShown)}
	for _, bound := range gistdeal.DelayBuckets {
		d.Bounds = append(d.Bounds, bound.Seconds())
	}
	byDate := map[string]gistdeal.DelayDay{}
	for _, day := range known {
		byDate[day.Date] = day
	}
	for i := range d.Days {
		date := begin.AddDate(0, 0, i).Format(time.DateOnly)
		var ok bool
		if d.Days[i], ok = byDate[date]; !ok {
			d.Days[i] = gistdeal.NewDelayDay(date, nil)
		}
	}
	return d, err
}

// causesShown is the largest number of causes that Failures returns.
const causesShown = 100

// Failures counts failed deals by their cause, the most frequent first.
func (a *Activity) Failures(ctx context.Context) ([]gistdeal.Failure, error) {
	return a.db.Failures(ctx, causesShown)
}
