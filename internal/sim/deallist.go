package sim

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxKeys and maxIDs limit the parameters custom_fields and ids. Pipedrive
// OpenAPI 2026-08-18, GET /deals.
const (
	maxKeys = 15
	maxIDs  = 100
)

// includeFields accepts the values of include_fields. They add nothing to the response.
var includeFields = someOf("next_activity_id", "last_activity_id", "first_won_time", "products_count", "files_count",
	"notes_count", "followers_count", "email_messages_count", "activities_count", "done_activities_count",
	"undone_activities_count", "participants_count", "last_incoming_mail_time", "last_outgoing_mail_time",
	"smart_bcc_email", "source_lead_id")

// dealQuery are the parameters of GET /deals/{id}, listQuery and archivedQuery
// those of the lists.
var (
	dealQuery = map[string]check{
		"include_fields": includeFields, "custom_fields": atMost(maxKeys),
		"include_option_labels": oneOf("true", "false"), "include_labels": oneOf("true", "false"),
	}
	listQuery = map[string]check{
		"filter_id": isIntText, "ids": isIDs, "owner_id": isIntText, "person_id": isIntText,
		"org_id": isIntText, "pipeline_id": isIntText, "stage_id": isIntText,
		"status":        someOf("open", "won", "lost", "deleted"),
		"updated_since": isSeconds, "updated_until": isSeconds,
		"sort_by": oneOf("id", "update_time", "add_time"), "sort_direction": oneOf("asc", "desc"),
		"include_fields": includeFields, "custom_fields": atMost(maxKeys), "limit": isLimit, "cursor": anyText,
		"include_option_labels": oneOf("true", "false"), "include_labels": oneOf("true", "false"),
	}
	archivedQuery = without(listQuery, "include_option_labels", "include_labels")
)

func without(known map[string]check, names ...string) map[string]check {
	known = maps.Clone(known)
	for _, name := range names {
		delete(known, name)
	}
	return known
}

// isIDs accepts up to 100 ids separated by commas.
func isIDs(v any) string {
	text, _ := v.(string)
	for id := range strings.SplitSeq(text, ",") {
		if isIntText(id) != "" {
			return invalidType("integer[]")
		}
	}
	return atMost(maxIDs)(v)
}

// atMost accepts up to n values separated by commas.
func atMost(n int) check {
	return func(v any) string {
		text, _ := v.(string)
		if strings.Count(text, ",")+1 > n {
			return fmt.Sprintf("The value must have at most %d items", n)
		}
		return ""
	}
}

// cursor identifies the first item of the next page. It is valid for one order
// only. The fields follow cursors of real responses that others have decoded.
type cursor struct {
	Field     string `json:"field"`
	Value     any    `json:"fieldValue"`
	Direction string `json:"sortDirection"`
	ID        int64  `json:"id"`

	At time.Time `json:"at,omitzero"` // when the page was read, for Options.CursorLife
}

// String encodes the cursor for clients.
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

func badCursor() response { return refuse("cursor: The value is not a valid cursor") }

func (p *pipedrive) listDeals(c *call) response    { return p.pageOfDeals(c, false) }
func (p *pipedrive) listArchived(c *call) response { return p.pageOfDeals(c, true) }

// pageOfDeals responds with a page of the archived or the other deals.
func (p *pipedrive) pageOfDeals(c *call, archived bool) response {
	q, known := c.URL.Query(), listQuery
	if archived {
		known = archivedQuery
	}
	if reason := checkQuery(q, known); reason != "" {
		return refuse(reason)
	}
	if q.Get("filter_id") != "" {
		return failure(http.StatusNotFound, "Filter not found", "") // the account has no filters
	}
	o := orderOf(q)
	var from *deal
	if text := q.Get("cursor"); text != "" {
		start, ok := readCursor(text)
		if !ok || start.Field != o.field || start.Direction != o.direction || p.expired(start, c.now) {
			return badCursor()
		}
		from = start.placeholder()
	}
	limit := atoi(q.Get("limit"), defaultLimit)
	page := p.selectDeals(o, from, limit+1, p.seen(c, p.filter(q, c.now, archived)))
	next := ""
	if len(page) > limit {
		next = o.cursorAt(page[limit], c.now).String()
		page = page[:limit]
	}
	items := make([]dealJSON, 0, len(page))
	keys := customKeys(c)
	for _, d := range page {
		items = append(items, p.show(d, keys))
	}
	return list(items, next)
}

// filter returns a function that reports whether a list with the query q
// includes a deal.
func (p *pipedrive) filter(q url.Values, now time.Time, archived bool) func(*deal) bool {
	statuses := strings.Split(q.Get("status"), ",")
	since, until := timeOf(q.Get("updated_since")), timeOf(q.Get("updated_until"))
	ids := strings.Split(q.Get("ids"), ",")
	matches := func(name string, value int64) bool {
		return q.Get(name) == "" || q.Get(name) == strconv.FormatInt(value, 10)
	}
	matchesOptional := func(name string, value *int64) bool {
		return q.Get(name) == "" || value != nil && matches(name, *value)
	}
	return func(d *deal) bool {
		return d.IsArchived == archived && now.Sub(d.createdAt) >= p.o.ListDelay && d.hasStatus(statuses, now) &&
			(since.IsZero() || !d.updated.Before(since)) && (until.IsZero() || d.updated.Before(until)) &&
			(ids[0] == "" || slices.Contains(ids, strconv.FormatInt(d.id, 10))) &&
			matches("owner_id", d.OwnerID) && matches("pipeline_id", d.PipelineID) && matches("stage_id", d.StageID) &&
			matchesOptional("person_id", d.PersonID) && matchesOptional("org_id", d.OrgID)
	}
}

// hasStatus reports whether the deal has one of the statuses. A single empty
// status matches all deals that are not deleted.
func (d *deal) hasStatus(statuses []string, now time.Time) bool {
	if d.IsDeleted {
		return slices.Contains(statuses, "deleted") && !d.purged(now)
	}
	return statuses[0] == "" || slices.Contains(statuses, d.Status)
}

func timeOf(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{} // text is empty; invalid times were refused before
	}
	return t
}

// order is the sort order of a list.
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

// cursorAt returns the cursor of a page that begins with d.
func (o order) cursorAt(d *deal, now time.Time) cursor {
	c := cursor{Field: o.field, Direction: o.direction, ID: d.id, Value: d.id, At: now}
	switch o.field {
	case "update_time":
		c.Value = d.updated
	case "add_time":
		c.Value = d.added
	}
	return c
}

// placeholder returns a deal with the position of the cursor in the order. The
// deal of the cursor may have moved since.
func (c cursor) placeholder() *deal {
	text, _ := c.Value.(string)
	return &deal{id: c.ID, added: timeOf(text), updated: timeOf(text)}
}

// selectDeals returns up to n deals for which show is true, in order, beginning
// at from; nil begins at the first deal.
func (p *pipedrive) selectDeals(o order, from *deal, n int, show func(*deal) bool) []*deal {
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
