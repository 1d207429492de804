package app

import (
	"github.com/prometheus/client_golang/prometheus"

	"gistdeal"
)

// quotas exports the remaining quotas of the remotes, in the leader.
type quotas struct {
	known                      func() []gistdeal.Quota
	limit, remaining, reserved *prometheus.Desc
}

func newQuotas(known func() []gistdeal.Quota) *quotas {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("gistdeal_quota_"+name, help, []string{"name"}, nil)
	}
	return &quotas{
		known:     known,
		limit:     desc("limit", "Size of a quota, as reported by the remote."),
		remaining: desc("remaining", "Remaining quota."),
		reserved:  desc("reserved", "Part of a quota that background work leaves to interactive use and to other people."),
	}
}

// Describe sends the descriptions of all that Collect sends.
func (b *quotas) Describe(ch chan<- *prometheus.Desc) {
	ch <- b.limit
	ch <- b.remaining
	ch <- b.reserved
}

// Collect sends the known quotas.
func (b *quotas) Collect(ch chan<- prometheus.Metric) {
	for _, quota := range b.known() {
		for desc, n := range map[*prometheus.Desc]int{b.limit: quota.Limit, b.remaining: quota.Remaining, b.reserved: quota.Reserved} {
			ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(n), quota.Name)
		}
	}
}
