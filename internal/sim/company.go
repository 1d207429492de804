package sim

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
)

// companyUser is a Pipedrive user of the company.
type companyUser struct {
	id          int64
	name, email string
	active      bool
	group       int // visibility group
}

// companyUsers are the users of the company. Two share a name, and one has left.
var companyUsers = []companyUser{
	{userID, "Sim User", "sim@example.com", true, 1},
	{userID + 1, "Ann Admin", "ann@example.com", true, 1},
	{userID + 2, "Sam Same", "sam@example.com", true, 2},
	{userID + 3, "Sam Same", "sam.same@example.com", true, 2},
	{userID + 4, "Leo Left", "leo@example.com", false, 2},
}

// me responds with the user of the key. Pipedrive OpenAPI (v1) 2026-08-18, GET /users/me.
func (p *pipedrive) me(c *call) response {
	me := p.showUser(p.key(c).user(), p.key(c))
	maps.Copy(me, map[string]any{
		"company_id": p.o.CompanyID, "company_name": "Simulated Company", "company_domain": p.o.CompanyDomain,
		"company_country": "EE", "company_industry": "IT Services",
		"language": map[string]string{"language_code": "en", "country_code": "US"},
	})
	return success(http.StatusOK, me)
}

// listUsers responds with all users of the company. Pipedrive OpenAPI (v1) 2026-08-18, GET /users.
func (p *pipedrive) listUsers(c *call) response {
	all := make([]map[string]any, len(companyUsers))
	for i, u := range companyUsers {
		all[i] = p.showUser(u, p.key(c))
	}
	return success(http.StatusOK, all)
}

// showUser shows a user to the user of the key k.
func (p *pipedrive) showUser(c companyUser, k Key) map[string]any {
	return map[string]any{
		"id": c.id, "name": c.name, "email": c.email, "phone": nil, "lang": 1, "locale": "en_US",
		"default_currency": "EUR", "timezone_name": "Etc/UTC", "timezone_offset": "+00:00",
		"activated": c.active, "active_flag": c.active, "is_you": c.id == k.user().id, "is_deleted": false, "has_created_company": c.id == userID,
		"created": "2024-01-01 00:00:00", "modified": nil, "last_login": "2024-01-01 00:00:00",
		"role_id": 1, "icon_url": nil,
		"access": []map[string]any{{"app": "sales", "admin": !k.Regular && c.id == k.user().id, "permission_set_id": "62cc4d7f-4038-4352-abf3-a8c1c822b631"}},
	}
}

// pipelineQuery and stageQuery are the parameters of the two lists.
var (
	pipelineQuery = map[string]check{
		"sort_by": oneOf("id", "update_time", "add_time"), "sort_direction": oneOf("asc", "desc"),
		"limit": isLimit, "cursor": anyText,
	}
	stageQuery = map[string]check{
		"sort_by": oneOf("id", "update_time", "add_time", "order_nr"), "sort_direction": oneOf("asc", "desc"),
		"limit": isLimit, "cursor": anyText, "pipeline_id": isIntText,
	}
)

func (p *pipedrive) listPipelines(c *call) response {
	shown := p.shownPipelines(c)
	var pipelines []pipeline
	for _, one := range p.pipelines {
		if shown(one.ID) {
			pipelines = append(pipelines, one)
		}
	}
	return pageOf(c, pipelineQuery, pipelines)
}

// listStages responds with an empty list, not an error, if the pipeline does not exist.
func (p *pipedrive) listStages(c *call) response {
	pipelineID, shown := c.URL.Query().Get("pipeline_id"), p.shownPipelines(c)
	var stages []stage
	for _, st := range p.stages {
		if (pipelineID == "" || pipelineID == strconv.FormatInt(st.PipelineID, 10)) && shown(st.PipelineID) {
			stages = append(stages, st)
		}
	}
	return pageOf(c, stageQuery, stages)
}

// pageOf responds with one page of a short list. The order does not depend on
// sort_by, and the cursor is a position in the list.
func pageOf[T any](c *call, known map[string]check, items []T) response {
	q := c.URL.Query()
	if reason := checkQuery(q, known); reason != "" {
		return refuse(reason)
	}
	if q.Get("sort_direction") == "desc" {
		items = slices.Clone(items)
		slices.Reverse(items)
	}
	from := cursor{}
	if text := q.Get("cursor"); text != "" {
		var ok bool
		if from, ok = readCursor(text); !ok || from.ID > int64(len(items)) {
			return badCursor()
		}
	}
	page := items[from.ID:min(int(from.ID)+atoi(q.Get("limit"), defaultLimit), len(items))]
	next := ""
	if end := from.ID + int64(len(page)); end < int64(len(items)) {
		next = cursor{Field: "id", Direction: "asc", ID: end}.String()
	}
	return list(append([]T{}, page...), next) // an empty list is [], not null
}
