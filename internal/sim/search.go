package sim

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// searchQuery are the parameters of GET /deals/search.
var searchQuery = map[string]check{
	"term": anyText, "fields": someOf("custom_fields", "notes", "title"), "exact_match": oneOf("true", "false"),
	"person_id": isIntText, "organization_id": isIntText, "status": oneOf("open", "won", "lost"),
	"include_fields": oneOf("deal.cc_email"), "limit": isLimit, "cursor": anyText,
}

// searchable are the types of custom fields that the search reads. Pipedrive
// OpenAPI 2026-08-18, GET /deals/search.
var searchable = []string{"address", "varchar", "text", "varchar_auto", "double", "monetary", "phone"}

// match is a deal of a search with its values that match.
type match struct {
	deal   *deal
	title  bool
	custom []string
}

// searchDeals responds with the deals that contain a text. The index is behind the
// account by Options.SearchDelay, and deleted deals are not in it, as others have
// observed.
func (p *pipedrive) searchDeals(c *call) response {
	if p.tooManySearches(c.now) {
		return p.limited()
	}
	q := c.URL.Query()
	if reason := checkQuery(q, searchQuery); reason != "" {
		return refuse(reason)
	}
	shortest := 2
	if q.Get("exact_match") == "true" {
		shortest = 1
	}
	if utf8.RuneCountInString(q.Get("term")) < shortest {
		return refuse(fmt.Sprintf("term: The value must have at least %d characters", shortest))
	}
	from := cursor{}
	if text := q.Get("cursor"); text != "" {
		var ok bool
		if from, ok = readCursor(text); !ok || p.expired(from, c.now) {
			return badCursor()
		}
	}
	limit := atoi(q.Get("limit"), defaultLimit)
	items, next := []map[string]any{}, ""
	for _, d := range p.deals[min(int(from.ID), len(p.deals)):] {
		m, ok := p.search(d, q, c.now)
		if _, unseen := p.unseen(c, d); !ok || unseen {
			continue
		}
		if len(items) == limit {
			next = cursor{Field: "id", Direction: "asc", ID: d.id - 1, At: c.now}.String()
			break
		}
		items = append(items, map[string]any{"result_score": 1, "item": p.showMatch(m)})
	}
	return list(map[string]any{"items": items}, next)
}

// maxSearches is how many searches are allowed in the burst window on every plan.
// Pipedrive docs, "Rate limiting".
const maxSearches = 10

// tooManySearches counts a search and reports whether it is over the limit.
func (p *pipedrive) tooManySearches(now time.Time) bool {
	p.searches = slices.DeleteFunc(p.searches, func(at time.Time) bool { return now.Sub(at) >= burstWindow })
	if p.o.Burst > 0 && len(p.searches) >= maxSearches {
		p.refused++
		return true
	}
	p.searches = append(p.searches, now)
	return false
}

// search reports whether a search with the query q finds a deal.
func (p *pipedrive) search(d *deal, q url.Values, now time.Time) (m match, ok bool) {
	matches := func(name string, value *int64) bool {
		return q.Get(name) == "" || value != nil && q.Get(name) == strconv.FormatInt(*value, 10)
	}
	if d.IsDeleted || now.Sub(d.createdAt) < p.o.SearchDelay || q.Get("status") != "" && q.Get("status") != d.Status ||
		!matches("person_id", d.PersonID) || !matches("organization_id", d.OrgID) {
		return m, false
	}
	contains := func(text string) bool {
		text, term := strings.ToLower(text), strings.ToLower(q.Get("term"))
		return text == term || q.Get("exact_match") != "true" && strings.Contains(text, term)
	}
	in := func(fields string) bool {
		return q.Get("fields") == "" || slices.Contains(strings.Split(q.Get("fields"), ","), fields)
	}
	m = match{deal: d, title: in("title") && contains(d.Title), custom: []string{}}
	for _, f := range p.fields {
		text := searchText(d.custom[f.Code])
		if in("custom_fields") && !f.deleted && slices.Contains(searchable, f.Type) && text != "" && contains(text) {
			m.custom = append(m.custom, text)
		}
	}
	return m, m.title || len(m.custom) > 0
}

// searchText returns the text of a custom value: of an address or an amount, its
// member "value".
func searchText(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case map[string]any:
		return searchText(v["value"])
	}
	return ""
}

func (p *pipedrive) showMatch(m match) map[string]any {
	d, stageName := m.deal, ""
	for _, st := range p.stages {
		if st.ID == d.StageID {
			stageName = st.Name
		}
	}
	return map[string]any{
		"id": d.id, "type": "deal", "title": d.Title, "value": d.Value, "currency": d.Currency, "status": d.Status,
		"visible_to": d.VisibleTo, "owner": map[string]any{"id": d.OwnerID}, "stage": map[string]any{"id": d.StageID, "name": stageName},
		"person": nil, "organization": nil, "custom_fields": m.custom, "notes": []string{}, "is_archived": d.IsArchived,
	}
}
