package gistdeal_test

import (
	"testing"
	"time"

	"gistdeal"
)

func TestADayTellsTheBoundsOfHalfAndNearlyAllDelays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		delays   []time.Duration
		p50, p95 float64
	}{
		"none":              {nil, 0, 0},
		"on a bound":        {[]time.Duration{time.Minute}, 60, 60},
		"above a bound":     {[]time.Duration{time.Minute + 1}, 90, 90},
		"below zero":        {[]time.Duration{-time.Second}, 10, 10},
		"longer than all":   {[]time.Duration{8 * 24 * time.Hour}, 0, 0},
		"one in four late":  {[]time.Duration{1, 1, 1, time.Hour}, 10, 3600},
		"half are too late": {[]time.Duration{1, 9 * 24 * time.Hour}, 10, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			counts := map[int]int{}
			for _, d := range c.delays {
				counts[gistdeal.DelayBucket(d)]++
			}
			d := gistdeal.NewDelayDay("2026-11-30", counts)
			if d.Deals != len(c.delays) || d.P50 != c.p50 || d.P95 != c.p95 || len(d.Counts) != len(gistdeal.DelayBuckets)+1 {
				t.Errorf("%+v, want %v s and %v s", d, c.p50, c.p95)
			}
		})
	}
}
