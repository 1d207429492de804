package sim

import (
	"strings"
	"time"
)

// The custom fields of deals by which gists are known. The first three are
// those of the system before gistdeal.
const (
	fieldAuthor = "Gist author"
	fieldGist   = "Gist"
	fieldURL    = "Gist Access URL"
	fieldID     = "Gist ID"
)

// seedAge is how long ago the old system made its deals.
const seedAge = 90 * 24 * time.Hour

// SeedFields makes the three fields that the old system had, those that are missing.
func (s *Sim) SeedFields() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.crm.seedFields()
}

func (p *crm) seedFields() {
	for _, name := range []string{fieldAuthor, fieldGist, fieldURL} {
		if _, exists := p.field(name); !exists {
			p.addField(name, "varchar")
		}
	}
}

// SeedDeal makes a deal as the old system did 90 days ago, with its three fields
// and without a gist id, and returns the deal's id.
func (s *Sim) SeedDeal(login, gistID, description string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.crm.seedFields()
	if description == "" {
		description = "untitled - " + gistID
	}
	d := s.crm.newDeal(s.o.Now().Add(-seedAge))
	d.Title = "Gist from " + login
	for name, value := range map[string]string{
		fieldAuthor: "https://gist.github.com/" + login,
		fieldGist:   firstRunes(description, maxVarchar),
		fieldURL:    "https://gist.github.com/" + login + "/" + gistID,
	} {
		if code, exists := s.crm.field(name); exists {
			d.custom[code] = value
		}
	}
	s.crm.deals = append(s.crm.deals, d)
	return d.id
}

// ArchiveDeal archives a deal as a person does on Pipedrive's page. It reports
// whether there was such a deal.
func (s *Sim) ArchiveDeal(id int64) bool {
	return s.change(id, func(d *deal, now time.Time) {
		d.IsArchived, d.updated = true, seconds(now)
		d.stamp(now)
	})
}

// DeleteDeal deletes a deal as a person does on Pipedrive's page. It reports
// whether there was such a deal.
func (s *Sim) DeleteDeal(id int64) bool {
	return s.change(id, (*deal).remove)
}

// PurgeDeal is DeleteDeal 31 days ago: nothing is left of the deal. Pipedrive
// OpenAPI 2026-08-18, DELETE /deals/{id}: after 30 days.
func (s *Sim) PurgeDeal(id int64) bool {
	return s.change(id, func(d *deal, now time.Time) { d.remove(now.Add(-31 * 24 * time.Hour)) })
}

func (s *Sim) change(id int64, do func(*deal, time.Time)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id < 1 || id > int64(len(s.crm.deals)) || s.crm.deals[id-1].IsDeleted {
		return false
	}
	do(s.crm.deals[id-1], s.o.Now())
	return true
}

// gistOf returns the gist that a deal is of, by the field "Gist ID", else by the
// last path part of "Gist Access URL"; "" if it is of none. Deleted fields count:
// the report is about what was made, not about what can be read.
func (p *crm) gistOf(d *deal) string {
	for _, name := range []string{fieldID, fieldURL} {
		for _, f := range p.fields {
			if text, _ := d.custom[f.Code].(string); f.Name == name && text != "" {
				text = strings.TrimRight(text, "/")
				return text[strings.LastIndexByte(text, '/')+1:]
			}
		}
	}
	return ""
}
