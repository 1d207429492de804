package app

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"gistdeal"
	"gistdeal/internal/store"
)

// counts shows how many users and deals the database has, as of each scrape.
type counts struct {
	store                 *store.Store
	log                   *slog.Logger
	users, deals, surplus *prometheus.Desc
}

func newCounts(s *store.Store, log *slog.Logger) *counts {
	return &counts{
		store: s, log: log,
		users:   prometheus.NewDesc("gistdeal_users", "Users, by state.", []string{"state"}, nil),
		deals:   prometheus.NewDesc("gistdeal_deals", "Deals, by state.", []string{"state"}, nil),
		surplus: prometheus.NewDesc("gistdeal_surplus_deals", "Deals in Pipedrive beyond the one of their gist.", nil, nil),
	}
}

// Describe sends the descriptions of all that Collect sends.
func (c *counts) Describe(ch chan<- *prometheus.Desc) {
	ch <- c.users
	ch <- c.deals
	ch <- c.surplus
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
	for _, state := range []gistdeal.UserState{gistdeal.UserActive, gistdeal.UserPaused, gistdeal.UserRemoved, gistdeal.UserGone} {
		ch <- prometheus.MustNewConstMetric(c.users, prometheus.GaugeValue, float64(n.Users[state]), string(state))
	}
	for _, state := range gistdeal.DealStates {
		ch <- prometheus.MustNewConstMetric(c.deals, prometheus.GaugeValue, float64(n.Deals[state]), string(state))
	}
	ch <- prometheus.MustNewConstMetric(c.surplus, prometheus.GaugeValue, float64(n.Surplus))
}
