package gistdeal_test

import (
	"testing"
	"time"

	"gistdeal"
)

func TestASweepIsPlannedWithinTheQuotaAndTheTimeOfQueries(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	batches := gistdeal.SweepPace{Interval: 3 * time.Hour, Batches: true, Points: 4500, Requests: 4500, Query: time.Second}
	for name, c := range map[string]struct {
		pace             gistdeal.SweepPace
		users            int
		interval         time.Duration
		points, requests int
	}{
		"few users":          {batches, 10, 3 * time.Hour, 1, 0},
		"a hundred thousand": {batches, 100_000, 3 * time.Hour, 334, 0},
		// 10,000 queries of a second in 45 minutes of each hour.
		"a million":    {batches, 1_000_000, 13334 * time.Second, 2700, 0},
		"slow queries": {gistdeal.SweepPace{Interval: 3 * time.Hour, Batches: true, Points: 4500, Query: 4 * time.Second}, 1_000_000, 53334 * time.Second, 675, 0},
		"fast queries": {gistdeal.SweepPace{Interval: time.Hour, Batches: true, Points: 4500, Query: 100 * time.Millisecond}, 1_000_000, 8000 * time.Second, 4500, 0},
		"no queries":   {gistdeal.SweepPace{Interval: 3 * time.Hour, Requests: 50, Scans: 50}, 1000, 20 * time.Hour, 0, 50},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := c.pace.Plan(gistdeal.SweepSize{Users: c.users}, now)
			if p.Interval != c.interval.Seconds() || p.Points != c.points || p.Requests != c.requests || p.Kept() != (c.interval <= c.pace.Interval) || !p.FirstPass.IsZero() {
				t.Errorf("%+v, want every %s for %d points or %d requests", p, c.interval, c.points, c.requests)
			}
		})
	}
}

func TestTheFirstPassIsPlannedByWhatItTakes(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	batches := gistdeal.SweepPace{Interval: 3 * time.Hour, Batches: true, Points: 4500, Requests: 4500, Query: time.Second}
	single := gistdeal.SweepPace{Interval: 3 * time.Hour, Requests: 50, Scans: 50}
	slow := batches
	slow.Query = 10 * time.Second
	const million = 1_000_000
	for name, c := range map[string]struct {
		pace  gistdeal.SweepPace
		size  gistdeal.SweepSize
		hours int
	}{
		// A tenth of them have more gists than a query shows.
		"a million requested":      {batches, gistdeal.SweepSize{Users: million, Requested: million}, 22},
		"slow queries":             {slow, gistdeal.SweepSize{Users: million, Requested: million}, 37},
		"tracked, but not scanned": {batches, gistdeal.SweepSize{Users: million, Unscanned: 9000}, 2},
		"no queries":               {single, gistdeal.SweepSize{Users: 1000, Requested: 500, Unscanned: 500}, 30},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := c.pace.Plan(c.size, now)
			if got := p.FirstPass.Sub(now).Round(time.Hour); got != time.Duration(c.hours)*time.Hour {
				t.Errorf("the first pass takes %s, want %d h", got, c.hours)
			}
		})
	}
}
