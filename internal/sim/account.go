package sim

import (
	"maps"
	"time"
)

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
