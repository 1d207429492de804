package sim

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"time"
)

// write returns the handler of a request that changes something: it refuses all query
// parameters, and POSTs over the limit of the day.
func (p *pipedrive) write(handle func(*call) response) func(*call) response {
	return func(c *call) response {
		if c.Method == http.MethodPost && p.o.DailyTokens > 0 && p.posts > p.o.DailyPosts {
			p.refused++
			return overLimit()
		}
		if reason := checkQuery(c.URL.Query(), nil); reason != "" {
			return refuse(reason)
		}
		return handle(c)
	}
}

// full reports whether the plan allows no more deals. Archived and deleted deals do
// not count. Pipedrive's knowledge base, "Usage limits".
func (p *pipedrive) full() bool {
	if p.o.MaxOpenDeals <= 0 {
		return false
	}
	n := 0
	for _, d := range p.deals {
		if !d.IsArchived && !d.IsDeleted {
			n++
		}
	}
	return n >= p.o.MaxOpenDeals
}

// withoutDeleted returns the custom fields of a body without deleted ones, if the
// account ignores those.
func (p *pipedrive) withoutDeleted(custom map[string]any) map[string]any {
	if !p.o.IgnoreDeletedFields {
		return custom
	}
	custom = maps.Clone(custom)
	for _, f := range p.fields {
		if f.deleted {
			delete(custom, f.Code)
		}
	}
	return custom
}

// expired reports whether a cursor is too old.
func (p *pipedrive) expired(c cursor, now time.Time) bool {
	return p.o.CursorLife > 0 && now.Sub(c.At) >= p.o.CursorLife
}

// outcomes are the statuses in which a property of a deal may be set. Pipedrive
// OpenAPI 2026-08-18, POST /deals.
var outcomes = map[string][]string{
	"lost_reason": {"lost"}, "lost_time": {"lost"}, "won_time": {"won"}, "close_time": {"won", "lost"},
}

// checkOutcome returns the reason why a body has a property that does not fit the
// status of the deal, "" if all fit.
func checkOutcome(status string, values map[string]any) string {
	for _, name := range slices.Sorted(maps.Keys(outcomes)) {
		if values[name] != nil && !slices.Contains(outcomes[name], status) {
			return name + ": The value does not fit the status " + status
		}
	}
	return ""
}

func isPercentage(v any) string {
	n, ok := v.(json.Number)
	if f, err := n.Float64(); !ok || err != nil || f < 0 || f > 100 {
		return "The value must be 0 to 100"
	}
	return ""
}

func isDateTime(v any) string {
	text, ok := v.(string)
	if _, err := time.Parse(time.DateTime, text); !ok || err != nil {
		return "The value is not a valid datetime"
	}
	return ""
}
