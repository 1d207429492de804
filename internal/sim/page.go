package sim

import (
	_ "embed"
	"html/template"
	"net/http"
	"strings"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"isURL": func(text string) bool { return strings.HasPrefix(text, "https://") },
}).Parse(pageText))

// pageLength is how many deals the page shows.
const pageLength = 100

type pageData struct {
	Total int
	Deals []pageDeal
	Older int64 // id below which the next page begins, 0 on the last
}

type pageDeal struct {
	ID            int64
	Title, Status string
	Added         string
	Fields        []pageField
}

type pageField struct{ Name, Value string }

// dealsPage shows the newest deals to people.
func (s *Sim) dealsPage(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	total := len(s.crm.deals)
	end := min(atoi(r.URL.Query().Get("before"), total+1)-1, total)
	page := pageData{Total: total}
	for n := end; n > max(0, end-pageLength); n-- {
		page.Deals = append(page.Deals, s.crm.forPeople(s.crm.deals[n-1]))
		page.Older = int64(n)
	}
	if page.Older == 1 {
		page.Older = 0
	}
	s.mu.Unlock()
	render(w, page)
}

// dealPage shows one deal.
func (s *Sim) dealPage(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	total, n := len(s.crm.deals), atoi(r.PathValue("id"), 0)
	page := pageData{Total: total}
	if n > 0 && n <= total {
		page.Deals = []pageDeal{s.crm.forPeople(s.crm.deals[n-1])}
	}
	s.mu.Unlock()
	if page.Deals == nil {
		http.NotFound(w, r)
		return
	}
	render(w, page)
}

func render(w http.ResponseWriter, page pageData) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	_ = pageTemplate.Execute(w, page) // whoever asked has left, or not
}

// forPeople is a deal with its custom fields by name.
func (p *crm) forPeople(d *deal) pageDeal {
	shown := pageDeal{ID: d.id, Title: d.Title, Status: d.Status, Added: d.added.Format("2006-01-02 15:04:05")}
	switch {
	case d.IsDeleted:
		shown.Status = "deleted"
	case d.IsArchived:
		shown.Status = "archived"
	}
	for _, f := range p.fields {
		if text, ok := d.custom[f.Code].(string); ok && !f.deleted {
			shown.Fields = append(shown.Fields, pageField{Name: f.Name, Value: text})
		}
	}
	return shown
}
