package sim

import (
	"maps"
	"slices"
	"time"
)

// personID is the id of the user that edits the account by hand.
const personID = userID + 1

// AddDealByHand adds a deal that a person created just now, with the given texts of
// custom fields by their names, and returns its id. It adds missing fields of the old
// system.
func (s *Sim) AddDealByHand(title string, fields map[string]string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pipedrive.seedFields()
	d := s.pipedrive.newDeal(s.o.Now())
	d.creatorID, d.Title = personID, title
	s.pipedrive.fill(d, fields)
	s.pipedrive.deals = append(s.pipedrive.deals, d)
	return d.id
}

// AddGistDealByHand adds a deal with the address of a gist that a person created just
// now, and returns its id.
func (s *Sim) AddGistDealByHand(login, gistID string) int64 {
	return s.AddDealByHand("by hand", map[string]string{fieldURL: "https://gist.github.com/" + login + "/" + gistID})
}

// EditDeal changes the texts of custom fields, by their names, as a person does in
// Pipedrive. It reports whether the deal existed.
func (s *Sim) EditDeal(id int64, fields map[string]string) bool {
	return s.change(id, func(d *deal, now time.Time) {
		s.pipedrive.fill(d, fields)
		d.updated = seconds(now)
	})
}

// RenameDeal changes the title of a deal, as a person does in Pipedrive. It reports whether the
// deal existed.
func (s *Sim) RenameDeal(id int64, title string) bool {
	return s.change(id, func(d *deal, now time.Time) { d.Title, d.updated = title, seconds(now) })
}

// fill sets the texts of custom fields by their names; "" empties a field.
func (p *pipedrive) fill(d *deal, fields map[string]string) {
	for name, text := range fields {
		if code, exists := p.field(name); exists && text != "" {
			d.custom[code] = text
		} else {
			delete(d.custom, code)
		}
	}
}

// DuplicateDeal copies a deal with all its fields, as a person does with "Duplicate" in
// Pipedrive's menu, and returns the id of the copy; 0 if there is no such deal.
func (s *Sim) DuplicateDeal(id int64) (duplicate int64) {
	s.change(id, func(d *deal, now time.Time) {
		c := s.pipedrive.newDeal(now)
		c.creatorID, c.properties, c.custom = personID, d.properties, maps.Clone(d.custom)
		s.pipedrive.deals = append(s.pipedrive.deals, c)
		duplicate = c.id
	})
	return duplicate
}

// MergeDeals merges a deal into another one, as a person does in Pipedrive: it is
// deleted, and the other one gets its texts for fields that were empty. It reports
// whether both existed.
func (s *Sim) MergeDeals(id, into int64) bool {
	var custom map[string]any
	if !s.change(id, func(d *deal, _ time.Time) { custom = d.custom }) ||
		!s.change(into, func(d *deal, now time.Time) {
			merged := maps.Clone(custom)
			maps.Copy(merged, d.custom)
			d.custom, d.updated = merged, seconds(now)
		}) {
		return false
	}
	return s.DeleteDeal(id)
}

// MoveDeal moves a deal to the first stage of a pipeline, as a person does in Pipedrive. It
// reports whether the deal existed.
func (s *Sim) MoveDeal(id int64, pipeline string) bool {
	return s.change(id, func(d *deal, now time.Time) {
		for _, st := range slices.Backward(s.pipedrive.stages) {
			if s.pipedrive.pipelines[st.PipelineID-1].Name == pipeline {
				d.PipelineID, d.StageID, d.updated = st.PipelineID, st.ID, seconds(now)
			}
		}
	})
}
