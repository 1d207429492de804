package estimate

import (
	"math"

	"gistdeal"
	"gistdeal/internal/pipedrive"
)

// Cost is the cost of creating deals in Pipedrive.
type Cost struct {
	Deals   int     `json:"deals"`
	Tokens  int     `json:"pipedrive_tokens"`
	Seconds float64 `json:"seconds"`        // at the allowed rate
	Days    *int    `json:"days,omitempty"` // as in Estimate
}

// CostOf returns the cost of creating so many deals at a pace. The days stay open if the
// daily quota is not known: the rest is useful without it.
func CostOf(deals int, pace Pace) Cost {
	c := Cost{Deals: deals, Tokens: deals * pipedrive.DealTokens, Seconds: math.Ceil(float64(deals) / pace.PerSecond)}
	if _, ok := pace.day(); ok {
		n := days(deals, pace.Quotas)
		c.Days = &n
	}
	return c
}

// day returns the daily quota if it is known.
func (p Pace) day() (gistdeal.Quota, bool) {
	for _, q := range p.Quotas {
		if q.Name == pipedrive.QuotaDay && q.Limit > 0 {
			return q, true
		}
	}
	return gistdeal.Quota{}, false
}
