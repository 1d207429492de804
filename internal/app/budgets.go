package app

import (
	"github.com/prometheus/client_golang/prometheus"

	"gistdeal"
)

// budgets shows what is left of the remotes' allowances, in the process that works.
type budgets struct {
	known                  func() []gistdeal.Budget
	limit, remaining, kept *prometheus.Desc
}

func newBudgets(known func() []gistdeal.Budget) *budgets {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("gistdeal_budget_"+name, help, []string{"name"}, nil)
	}
	return &budgets{
		known:     known,
		limit:     desc("limit", "Size of an allowance, as the remote tells it."),
		remaining: desc("remaining", "What remains of an allowance."),
		kept:      desc("kept", "What is left to people of an allowance."),
	}
}

// Describe sends the descriptions of all that Collect sends.
func (b *budgets) Describe(ch chan<- *prometheus.Desc) {
	ch <- b.limit
	ch <- b.remaining
	ch <- b.kept
}

// Collect sends the budgets that are known.
func (b *budgets) Collect(ch chan<- prometheus.Metric) {
	for _, budget := range b.known() {
		for desc, n := range map[*prometheus.Desc]int{b.limit: budget.Limit, b.remaining: budget.Remaining, b.kept: budget.Kept} {
			ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(n), budget.Name)
		}
	}
}
