package sim

import (
	"net/http"
	"slices"
	"strconv"
)

// me answers whose key it is. Pipedrive OpenAPI (v1) 2026-08-18, GET /users/me.
func (p *crm) me(*call) answer {
	return success(http.StatusOK, map[string]any{
		"id": userID, "name": "Sim User", "email": "sim@example.com", "phone": nil, "lang": 1, "locale": "en_US",
		"default_currency": "EUR", "timezone_name": "Etc/UTC", "timezone_offset": "+00:00",
		"activated": true, "active_flag": true, "is_you": true, "is_deleted": false, "has_created_company": true,
		"created": "2024-01-01 00:00:00", "modified": nil, "last_login": "2024-01-01 00:00:00",
		"role_id": 1, "icon_url": nil,
		"access":     []map[string]any{{"app": "sales", "admin": true, "permission_set_id": "62cc4d7f-4038-4352-abf3-a8c1c822b631"}},
		"company_id": p.o.CompanyID, "company_name": "Simulated Company", "company_domain": p.o.CompanyDomain,
		"company_country": "EE", "company_industry": "IT Services",
		"language": map[string]string{"language_code": "en", "country_code": "US"},
	})
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

func (p *crm) listPipelines(c *call) answer {
	return pageOf(c, pipelineQuery, p.pipelines)
}

// listStages gives no stages of a pipeline that does not exist, not an error.
func (p *crm) listStages(c *call) answer {
	wanted := c.URL.Query().Get("pipeline_id")
	var stages []stage
	for _, st := range p.stages {
		if wanted == "" || wanted == strconv.FormatInt(st.PipelineID, 10) {
			stages = append(stages, st)
		}
	}
	return pageOf(c, stageQuery, stages)
}

// pageOf answers one page of a short list, whose order is the same by whatever
// it is sorted; its cursor is a position.
func pageOf[T any](c *call, known map[string]check, items []T) answer {
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
