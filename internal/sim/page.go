package sim

import (
	_ "embed"
	"html/template"
	"net/http"
	"strings"
	"sync"
)

//go:embed page.html
var pageText string

// pageTemplate returns the template of the page, parsed when it is first needed:
// only the demo needs it.
var pageTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page").Funcs(template.FuncMap{
		"isURL": func(text string) bool { return strings.HasPrefix(text, "https://") },
	}).Parse(pageText))
})

// pageLength is the number of deals on a page.
const pageLength = 100

type pageData struct {
	Total int
	Deals []pageDeal
	Older int64 // the next page begins below this id; 0 on the last page
}

type pageDeal struct {
	ID            int64
	Title, Status string
	Added         string
	Fields        []pageField
}

type pageField struct{ Name, Value string }

// dealsPage serves a page with the newest deals.
func (s *Sim) dealsPage(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	total := len(s.pipedrive.deals)
	end := min(atoi(r.URL.Query().Get("before"), total+1)-1, total)
	page := pageData{Total: total}
	for n := end; n > max(0, end-pageLength); n-- {
		page.Deals = append(page.Deals, s.pipedrive.pageDeal(s.pipedrive.deals[n-1]))
		page.Older = int64(n)
	}
	if page.Older == 1 {
		page.Older = 0
	}
	s.mu.Unlock()
	render(w, page)
}

// dealPage serves a page with one deal.
func (s *Sim) dealPage(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	total, n := len(s.pipedrive.deals), atoi(r.PathValue("id"), 0)
	page := pageData{Total: total}
	if n > 0 && n <= total {
		page.Deals = []pageDeal{s.pipedrive.pageDeal(s.pipedrive.deals[n-1])}
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
	_ = pageTemplate().Execute(w, page) // fails only if the client has disconnected
}

// pageDeal returns a deal for the page, with its custom fields by name.
func (p *pipedrive) pageDeal(d *deal) pageDeal {
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
