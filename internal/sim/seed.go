package sim

import (
	"strings"
	"time"
)

// The custom fields of deals that identify gists. The first three are from the
// system that gistdeal replaced.
const (
	fieldAuthor = "Gist author"
	fieldGist   = "Gist"
	fieldURL    = "Gist Access URL"
	fieldID     = "Gist ID"
)

// seedAge is the age of the deals of the old system.
const seedAge = 90 * 24 * time.Hour

// SeedFields adds the three fields of the old system unless they exist.
func (s *Sim) SeedFields() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pipedrive.seedFields()
}

func (p *pipedrive) seedFields() {
	for _, name := range []string{fieldAuthor, fieldGist, fieldURL} {
		if _, exists := p.field(name); !exists {
			p.addField(name, "varchar")
		}
	}
}

// SeedDeal adds a deal that the old system created 90 days ago, with its three
// fields and without a gist id, and returns the deal's id.
func (s *Sim) SeedDeal(login, gistID, description string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pipedrive.seedFields()
	if description == "" {
		description = "untitled - " + gistID
	}
	d := s.pipedrive.newDeal(s.o.Now().Add(-seedAge))
	d.Title = "Gist from " + login
	for name, value := range map[string]string{
		fieldAuthor: "https://gist.github.com/" + login,
		fieldGist:   firstRunes(description, maxVarchar),
		fieldURL:    "https://gist.github.com/" + login + "/" + gistID,
	} {
		if code, exists := s.pipedrive.field(name); exists {
			d.custom[code] = value
		}
	}
	s.pipedrive.deals = append(s.pipedrive.deals, d)
	return d.id
}

// AddDeals adds n deals that have nothing to do with gists.
func (s *Sim) AddDeals(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		d := s.pipedrive.newDeal(s.o.Now())
		d.Title = "Other deal"
		s.pipedrive.deals = append(s.pipedrive.deals, d)
	}
}

// ArchiveDeal archives a deal as a person does in Pipedrive. It reports whether
// the deal existed.
func (s *Sim) ArchiveDeal(id int64) bool {
	return s.change(id, func(d *deal, now time.Time) {
		d.IsArchived, d.updated = true, seconds(now)
		d.setTimes(now)
	})
}

// DeleteDeal deletes a deal as a person does in Pipedrive. It reports whether the
// deal existed.
func (s *Sim) DeleteDeal(id int64) bool {
	return s.change(id, s.pipedrive.remove)
}

// PurgeDeal deletes a deal as of 31 days ago, so that it is permanently removed.
// Pipedrive OpenAPI 2026-08-18, DELETE /deals/{id}: after 30 days. It reports
// whether the deal existed.
func (s *Sim) PurgeDeal(id int64) bool {
	return s.change(id, func(d *deal, now time.Time) { s.pipedrive.remove(d, now.Add(-31*24*time.Hour)) })
}

func (s *Sim) change(id int64, do func(*deal, time.Time)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id < 1 || id > int64(len(s.pipedrive.deals)) || s.pipedrive.deals[id-1].IsDeleted {
		return false
	}
	do(s.pipedrive.deals[id-1], s.o.Now())
	return true
}

// gistOf returns the gist id of a deal: the field "Gist ID", or else the id in "Gist
// Access URL", or "". The address of a user's page has none. It reads deleted and
// renamed fields too, because the report includes deals that clients can no longer identify.
func (p *pipedrive) gistOf(d *deal) string {
	for _, name := range []string{fieldID, fieldURL} {
		for _, f := range p.fields {
			text, _ := d.custom[f.Code].(string)
			if f.firstName != name || text == "" {
				continue
			}
			if name == fieldID {
				return text
			}
			_, path, _ := strings.Cut(text, "gist.github.com/")
			_, id, _ := strings.Cut(strings.TrimRight(path, "/"), "/")
			return id
		}
	}
	return ""
}
