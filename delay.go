package gistdeal

import "time"

// DelayBuckets are the bounds by which the times from a gist's publication to its deal are
// counted.
var DelayBuckets = []time.Duration{
	10 * time.Second, 30 * time.Second, time.Minute, 90 * time.Second, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute,
	time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 24 * time.Hour, 3 * 24 * time.Hour, 7 * 24 * time.Hour,
}

// DelayBucket returns the index of the first bound that d does not exceed; the number of
// bounds if there is none.
func DelayBucket(d time.Duration) int {
	for i, bound := range DelayBuckets {
		if d <= bound {
			return i
		}
	}
	return len(DelayBuckets)
}

// DelayDay counts the deals that were created on one UTC day by the time since the publication
// of their gists.
type DelayDay struct {
	Date   string  `json:"date"`
	Deals  int     `json:"deals" doc:"The deals that were counted."`
	Counts []int   `json:"counts" doc:"Their number in each bucket: one for each bound, and one for longer times."`
	P50    float64 `json:"p50_seconds,omitempty" doc:"The bound within which half of the deals were created; left out without deals, or if it is longer than the last bound."`
	P95    float64 `json:"p95_seconds,omitempty" doc:"The bound within which 95 % of the deals were created; left out likewise."`
}

// NewDelayDay returns the day with these numbers, by bucket.
func NewDelayDay(date string, counts map[int]int) DelayDay {
	d := DelayDay{Date: date, Counts: make([]int, len(DelayBuckets)+1)}
	for bucket, n := range counts {
		if bucket >= 0 && bucket < len(d.Counts) {
			d.Counts[bucket] += n
			d.Deals += n
		}
	}
	d.P50, d.P95 = d.within(50), d.within(95)
	return d
}

// within returns the bound within which so many per cent of the deals are.
func (d DelayDay) within(percent int) float64 {
	n := 0
	for i, bound := range DelayBuckets {
		if n += d.Counts[i]; d.Deals > 0 && 100*n >= percent*d.Deals {
			return bound.Seconds()
		}
	}
	return 0
}
