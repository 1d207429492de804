package sim

import "net/http"

// route is one operation of a service.
type route struct {
	remote remote
	name   string // in Report.Requests
	cost   int    // tokens at Pipedrive, requests at GitHub; each GraphQL query has its own cost
	handle func(c *call) response
}

// routes returns the routes of the simulator.
func (s *Sim) routes() *http.ServeMux {
	mux := http.NewServeMux()
	add := func(r remote, pattern string, cost int, handle func(*call) response) {
		mux.HandleFunc(pattern, s.serve(route{remote: r, name: pattern, cost: cost, handle: handle}))
	}
	h, p := s.gitHub, s.pipedrive
	add(h, "GET /user", 1, h.me)
	add(h, "GET /users/{login}", 1, h.user)
	add(h, "GET /users/{login}/gists", 1, h.userGists)
	add(h, "GET /user/{id}", 1, h.user)
	add(h, "GET /user/{id}/gists", 1, h.userGists)
	add(h, "GET /gists/public", 1, h.publicGists)
	add(h, "GET /gists/{id}", 1, h.gist)
	add(h, "GET /rate_limit", 0, h.rateLimit)
	add(h.graphQL, "POST /graphql", 0, h.graphQL.query)
	add(h, "/", 1, h.notFound)

	// Pipedrive OpenAPI 2026-08-18, x-token-cost of each operation.
	add(p, "POST /api/v2/deals", 5, p.permitted("can_add_deals", p.write(p.createDeal)))
	add(p, "GET /api/v2/deals", 10, p.listDeals)
	add(p, "GET /api/v2/deals/archived", 20, p.listArchived)
	add(p, "GET /api/v2/deals/search", 20, p.searchDeals)
	add(p, "GET /api/v2/deals/{id}", 1, p.getDeal)
	add(p, "PATCH /api/v2/deals/{id}", 5, p.write(p.updateDeal))
	add(p, "DELETE /api/v2/deals/{id}", 3, p.permitted("can_delete_deals", p.write(p.deleteDeal)))
	add(p, "GET /api/v2/dealFields", 10, p.listFields)
	add(p, "POST /api/v2/dealFields", 5, p.permitted("can_add_custom_fields", p.write(p.createField)))
	add(p, "GET /api/v2/dealFields/{code}", 1, p.getField)
	add(p, "PATCH /api/v2/dealFields/{code}", 5, p.permitted("can_edit_custom_fields", p.write(p.updateField)))
	add(p, "DELETE /api/v2/dealFields/{code}", 3, p.permitted("can_delete_custom_fields", p.write(p.removeField)))
	add(p, "POST /api/v2/dealFields/{code}/options", 5, p.permitted("can_edit_custom_fields", p.write(p.addOptions)))
	add(p, "PATCH /api/v2/dealFields/{code}/options", 5, p.permitted("can_edit_custom_fields", p.write(p.renameOptions)))
	add(p, "DELETE /api/v2/dealFields/{code}/options", 3, p.permitted("can_edit_custom_fields", p.write(p.removeOptions)))
	add(p, "GET /api/v2/pipelines", 5, p.listPipelines)
	add(p, "GET /api/v2/stages", 5, p.listStages)
	add(p, "POST /v1/notes", 10, p.write(p.createNote))
	add(p, "GET /v1/notes", 20, p.listNotes)
	add(p, "POST /api/v1/notes", 10, p.write(p.createNote))
	add(p, "GET /api/v1/notes", 20, p.listNotes)
	add(p, "GET /v1/users/me", 2, p.me)
	add(p, "GET /api/v1/users/me", 2, p.me)
	add(p, "GET /v1/users", 20, p.listUsers)
	add(p, "GET /api/v1/users", 20, p.listUsers)
	// The description has no cost for this call; other calls for one object cost 2 in v1.
	add(p, "GET /v1/users/{id}/permissions", 2, p.showPermissions)
	add(p, "GET /api/v1/users/{id}/permissions", 2, p.showPermissions)
	add(p, "/api/", 0, p.notFound)
	add(p, "/v1/", 0, p.notFound)

	s.control(mux)
	mux.HandleFunc("GET /deals", s.dealsPage)
	mux.HandleFunc("GET /deal/{id}", s.dealPage)
	return mux
}
