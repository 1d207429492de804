package sim

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxKeys and maxIDs are the limits of two parameters, Pipedrive OpenAPI 2026-08-18, GET /deals.
const (
	maxKeys = 15
	maxIDs  = 100
)

// extras are the values of include_fields. They are accepted and add nothing.
var extras = someOf("next_activity_id", "last_activity_id", "first_won_time", "products_count", "files_count",
	"notes_count", "followers_count", "email_messages_count", "activities_count", "done_activities_count",
	"undone_activities_count", "participants_count", "last_incoming_mail_time", "last_outgoing_mail_time",
	"smart_bcc_email", "source_lead_id")

// dealQuery are the parameters of GET /deals/{id}, listQuery those of the lists.
var (
	dealQuery = map[string]check{
		"include_fields": extras, "custom_fields": atMost(maxKeys),
		"include_option_labels": oneOf("true", "false"), "include_labels": oneOf("true", "false"),
	}
	listQuery = map[string]check{
		"filter_id": isIntText, "ids": atMost(maxIDs), "owner_id": isIntText, "person_id": isIntText,
		"org_id": isIntText, "pipeline_id": isIntText, "stage_id": isIntText,
		"status":        someOf("open", "won", "lost", "deleted"),
		"updated_since": isSeconds, "updated_until": isSeconds,
		"sort_by": oneOf("id", "update_time", "add_time"), "sort_direction": oneOf("asc", "desc"),
		"include_fields": extras, "custom_fields": atMost(maxKeys), "limit": isLimit, "cursor": anyText,
		"include_option_labels": oneOf("true", "false"), "include_labels": oneOf("true", "false"),
	}
)

// atMost accepts so many words separated by commas.
func atMost(n int) check {
	return func(v any) string {
		text, _ := v.(string)
		if strings.Count(text, ",")+1 > n {
			return fmt.Sprintf("The value must have at most %d items", n)
		}
		return ""
	}
}

// cursor is where the next page begins: a marker of its first item, in the
// form that others have decoded. It holds for one order only.
type cursor struct {
	Field     string `json:"field"`
	Value     any    `json:"fieldValue"`
	Direction string `json:"sortDirection"`
	ID        int64  `json:"id"`
}

// String is the cursor as clients see it.
func (c cursor) String() string {
	text, err := json.Marshal(c)
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

func readCursor(text string) (c cursor, ok bool) {
	plain, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return c, false
	}
	return c, json.Unmarshal(plain, &c) == nil && c.ID >= 0
}

func badCursor() answer { return refuse("cursor: The value is not a valid cursor") }

func (p *crm) listDeals(c *call) answer    { return p.pageOfDeals(c, false) }
func (p *crm) listArchived(c *call) answer { return p.pageOfDeals(c, true) }

// pageOfDeals answers a page of the deals that are archived, or that are not.
func (p *crm) pageOfDeals(c *call, archived bool) answer {
	q := c.URL.Query()
	if reason := checkQuery(q, listQuery); reason != "" {
		return refuse(reason)
	}
	if q.Get("filter_id") != "" {
		return failure(http.StatusNotFound, "Filter not found", "") // there are none
	}
	o := orderOf(q)
	var from *deal
	if text := q.Get("cursor"); text != "" {
		mark, ok := readCursor(text)
		if !ok || mark.Field != o.field || mark.Direction != o.direction {
			return badCursor()
		}
		from = mark.deal()
	}
	limit := atoi(q.Get("limit"), defaultLimit)
	page := p.walk(o, from, limit+1, p.wanted(q, c.now, archived))
	next := ""
	if len(page) > limit {
		next = o.mark(page[limit]).String()
		page = page[:limit]
	}
	items := make([]dealJSON, 0, len(page))
	keys := customKeys(c)
	for _, d := range page {
		items = append(items, p.show(d, keys))
	}
	return list(items, next)
}

// wanted returns which deals a list shows.
func (p *crm) wanted(q url.Values, now time.Time, archived bool) func(*deal) bool {
	statuses := strings.Split(q.Get("status"), ",")
	since, until := timeOf(q.Get("updated_since")), timeOf(q.Get("updated_until"))
	ids := strings.Split(q.Get("ids"), ",")
	same := func(name string, value int64) bool {
		return q.Get(name) == "" || q.Get(name) == strconv.FormatInt(value, 10)
	}
	pointed := func(name string, value *int64) bool {
		return q.Get(name) == "" || value != nil && same(name, *value)
	}
	return func(d *deal) bool {
		return d.IsArchived == archived && now.Sub(d.createdAt) >= p.o.ListDelay && d.hasStatus(statuses, now) &&
			(since.IsZero() || !d.updated.Before(since)) && (until.IsZero() || d.updated.Before(until)) &&
			(ids[0] == "" || slices.Contains(ids, strconv.FormatInt(d.id, 10))) &&
			same("owner_id", d.OwnerID) && same("pipeline_id", d.PipelineID) && same("stage_id", d.StageID) &&
			pointed("person_id", d.PersonID) && pointed("org_id", d.OrgID)
	}
}

// hasStatus reports whether one of the statuses is the deal's; none = any but deleted.
func (d *deal) hasStatus(statuses []string, now time.Time) bool {
	if d.IsDeleted {
		return slices.Contains(statuses, "deleted") && !d.purged(now)
	}
	return statuses[0] == "" || slices.Contains(statuses, d.Status)
}

func timeOf(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{} // checked before: it is empty
	}
	return t
}

// order is how a list is sorted.
type order struct{ field, direction string }

func orderOf(q url.Values) order {
	return order{field: cmp.Or(q.Get("sort_by"), "id"), direction: cmp.Or(q.Get("sort_direction"), "asc")}
}

func (o order) compare(a, b *deal) int {
	n := 0
	switch o.field {
	case "update_time":
		n = a.updated.Compare(b.updated)
	case "add_time":
		n = a.added.Compare(b.added)
	}
	n = cmp.Or(n, cmp.Compare(a.id, b.id))
	if o.direction == "desc" {
		return -n
	}
	return n
}

func (o order) mark(d *deal) cursor {
	c := cursor{Field: o.field, Direction: o.direction, ID: d.id, Value: d.id}
	switch o.field {
	case "update_time":
		c.Value = d.updated
	case "add_time":
		c.Value = d.added
	}
	return c
}

// deal is the place in the order that the cursor marks; the deal itself may have moved since.
func (c cursor) deal() *deal {
	text, _ := c.Value.(string)
	return &deal{id: c.ID, added: timeOf(text), updated: timeOf(text)}
}

// walk returns the first n deals that show is true for, in order, not before from.
func (p *crm) walk(o order, from *deal, n int, show func(*deal) bool) []*deal {
	deals := p.deals
	if o.field != "id" {
		deals = slices.SortedFunc(slices.Values(deals), o.compare)
	} else if o.direction == "desc" {
		deals = slices.Clone(deals)
		slices.Reverse(deals)
	}
	if from != nil {
		at, _ := slices.BinarySearchFunc(deals, from, o.compare)
		deals = deals[at:]
	}
	var matches []*deal
	for _, d := range deals {
		if len(matches) == n {
			break
		}
		if show(d) {
			matches = append(matches, d)
		}
	}
	return matches
}
