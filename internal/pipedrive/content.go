package pipedrive

import (
	"fmt"
	"maps"
	"slices"

	"gistdeal"
)

// of returns the target of a deal: t, and what a rule has decided beside it.
func (t *target) of(d gistdeal.Draft) *target {
	c := d.Content
	if c == nil {
		return t
	}
	one := *t
	if c.StageID != 0 {
		one.stageID = c.StageID
	}
	if c.OwnerID != 0 {
		one.ownerID = c.OwnerID
	}
	one.labels, one.extra = c.LabelIDs, map[string]field{}
	for _, v := range c.Fields {
		one.extra[v.Code] = field{Name: v.Name, Code: v.Code, Type: v.Type}
	}
	return &one
}

// missingByRule names the label or field of a rule that is not among all fields any more, or
// has another type; "" if there is none.
func (t *target) missingByRule(all []field) string {
	for _, code := range slices.Sorted(maps.Keys(t.extra)) {
		f := t.extra[code]
		switch at := slices.IndexFunc(all, func(one field) bool { return one.Code == code }); {
		case at < 0:
			return fmt.Sprintf("the field %q", f.Name)
		case all[at].Type != f.Type:
			return fmt.Sprintf("the field %q of the type %s", f.Name, f.Type)
		}
	}
	var now gistdeal.Prepared
	catalog(all, &now)
	for _, id := range t.labels {
		if !slices.ContainsFunc(now.Labels, func(c gistdeal.CatalogEntry) bool { return c.ID == id }) {
			return "the label"
		}
	}
	return ""
}
