package app

import (
	"github.com/prometheus/client_golang/prometheus"

	"gistdeal"
)

// quotas exports the remaining quotas of the remotes, in the leader.
type quotas struct {
	known                  func() []gistdeal.Quota
	limit, remaining, kept *prometheus.Desc
}

func newQuotas(known func() []gistdeal.Quota) *quotas {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("gistdeal_quota_"+name, help, []string{"name"}, nil)
	}
	return &quotas{
		known:     known,
		limit:     desc("limit", "Size of an allowance, as the remote tells it."),
		remaining: desc("remaining", "What remains of an allowance."),
		kept:      desc("kept", "What is left to people of an allowance."),
	}
}

// Describe sends the descriptions of all that Collect sends.
func (b *quotas) Describe(ch chan<- *prometheus.Desc) {
	ch <- b.limit
	ch <- b.remaining
	ch <- b.kept
}

// Collect sends the budgets that are known.
func (b *quotas) Collect(ch chan<- prometheus.Metric) {
	for _, quota := range b.known() {
		for desc, n := range map[*prometheus.Desc]int{b.limit: quota.Limit, b.remaining: quota.Remaining, b.kept: quota.Reserved} {
			ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(n), quota.Name)
		}
	}
}
