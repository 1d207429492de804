package app

import (
	"context"
	"log/slog"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"gistdeal"
	"gistdeal/internal/store"
)

// counts exports the numbers of users and deals in the database, and the oldest
// waiting ones, at each scrape: every instance on the database exports the same.
type counts struct {
	store *store.Store
	log   *slog.Logger

	users, deals, duplicates, requests, paused *prometheus.Desc
	oldestQueued, oldestSending, scanLag       *prometheus.Desc
}

func newCounts(s *store.Store, log *slog.Logger) *counts {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	return &counts{
		store: s, log: log,
		users:         desc("gistdeal_users", "Users, by state.", "state"),
		deals:         desc("gistdeal_deals", "Deals, by state.", "state"),
		duplicates:    desc("gistdeal_duplicate_deals", "Deals in Pipedrive beyond the one of their gist."),
		requests:      desc("gistdeal_scan_requests_pending", "Logins that were asked for and have no answer yet."),
		paused:        desc("gistdeal_pushes_paused", "1 while a person's word holds all pushes back."),
		oldestQueued:  desc("gistdeal_oldest_queued_seconds", "How long the next deal has waited for its turn, 0 if none waits."),
		oldestSending: desc("gistdeal_oldest_sending_seconds", "How long the outcome of a deal has not been known, of the longest; 0 if none is being sent."),
		scanLag:       desc("gistdeal_scan_lag_seconds", "How late the scan is that is most overdue, 0 if none is."),
	}
}

// newBuildInfo returns the metric that names the version of the program.
func newBuildInfo(version string) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "gistdeal_build_info", Help: "1; the labels name the program's version and that of Go.",
		ConstLabels: prometheus.Labels{"version": version, "goversion": runtime.Version()},
	}, func() float64 { return 1 })
}

// Describe sends the descriptions of all that Collect sends.
func (c *counts) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.users, c.deals, c.duplicates, c.requests, c.paused, c.oldestQueued, c.oldestSending, c.scanLag} {
		ch <- d
	}
}

// Collect counts; if the database does not answer there are no such figures.
func (c *counts) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	n, err := c.store.Counts(ctx)
	if err != nil {
		c.log.Error("not counted", "error", err)
		return
	}
	show := func(d *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	for _, state := range gistdeal.UserStates {
		show(c.users, float64(n.Users[state]), string(state))
	}
	for _, state := range gistdeal.DealStates {
		show(c.deals, float64(n.Deals[state]), string(state))
	}
	show(c.duplicates, float64(n.Duplicates))
	show(c.requests, float64(n.ScanRequests))
	paused := 0.0
	if n.PushesPaused {
		paused = 1
	}
	show(c.paused, paused)
	show(c.oldestQueued, secondsSince(n.OldestQueued))
	show(c.oldestSending, secondsSince(n.OldestSending))
	show(c.scanLag, secondsSince(n.OldestDue))
}

// secondsSince returns how long ago t was, 0 if it is zero or still to come.
func secondsSince(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return max(time.Since(t).Seconds(), 0)
}
