package sim

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// note is a note about a deal.
type note struct {
	id, dealID, userID int64
	content            string
	added              time.Time
}

// noteBody has the properties that POST /v1/notes accepts of a note about a deal. Pipedrive
// OpenAPI (v1) 2026-08-18.
var noteBody = map[string]check{
	"content": textOf(1, maxNote), "deal_id": isInt, "add_time": isDateTime, "user_id": isInt,
	"pinned_to_deal_flag": func(v any) string {
		if v != json.Number("0") && v != json.Number("1") {
			return "The value must be 0 or 1"
		}
		return ""
	},
}

// maxNote is the longest note in characters. Pipedrive's changelog 2023-11-15 has a limit, but
// no number that we know; that of activities is 100 KB.
const maxNote = 100_000

// noteQuery are the parameters of GET /v1/notes that the simulator serves.
var noteQuery = map[string]check{"deal_id": isIntText, "start": isIntText, "limit": isLimit}

func (p *pipedrive) createNote(c *call) response {
	values, reason := readBody(c.body, noteBody)
	if reason == "" && values["content"] == nil {
		reason = "content: Required"
	}
	if reason != "" {
		return failure(http.StatusBadRequest, reason, "")
	}
	id, _ := values["deal_id"].(json.Number)
	n, err := id.Int64()
	if err != nil || n < 1 || n > int64(len(p.deals)) || p.deals[n-1].IsDeleted {
		return failure(http.StatusNotFound, "Deal not found", "")
	}
	if refused, unseen := p.unseen(c, p.deals[n-1]); unseen {
		return refused
	}
	added := &note{id: int64(len(p.notes) + 1), dealID: n, userID: p.key(c).user().id, content: values["content"].(string), added: seconds(c.now)}
	p.notes = append(p.notes, added)
	return success(http.StatusOK, added.show())
}

// listNotes lists the notes about a deal, the first one first.
func (p *pipedrive) listNotes(c *call) response {
	q := c.URL.Query()
	if reason := checkQuery(q, noteQuery); reason != "" {
		return failure(http.StatusBadRequest, reason, "")
	}
	start, limit := atoi(q.Get("start"), 0), atoi(q.Get("limit"), defaultLimit)
	items, more := []map[string]any{}, false
	for _, n := range p.notes {
		if q.Has("deal_id") && q.Get("deal_id") != strconv.FormatInt(n.dealID, 10) || c.now.Sub(n.added) < p.o.ListDelay {
			continue
		}
		if start--; start >= 0 {
			continue
		}
		if more = len(items) == limit; more {
			break
		}
		items = append(items, n.show())
	}
	pagination := map[string]any{"start": atoi(q.Get("start"), 0), "limit": limit, "more_items_in_collection": more}
	if more {
		pagination["next_start"] = atoi(q.Get("start"), 0) + limit
	}
	body := map[string]any{"success": true, "data": items, "additional_data": map[string]any{"pagination": pagination}}
	if len(items) == 0 {
		body["data"] = nil // As others have observed of empty lists of version 1.
	}
	return reply(http.StatusOK, body)
}

// show returns the note for a response. Times have no zone in version 1.
func (n *note) show() map[string]any {
	at := n.added.UTC().Format(time.DateTime)
	return map[string]any{
		"id": n.id, "active_flag": true, "add_time": at, "update_time": at, "content": n.content, "deal_id": n.dealID, "user_id": n.userID,
		"last_update_user_id": n.userID, "pinned_to_deal_flag": false,
	}
}

// Notes returns the notes about a deal, the first one first.
func (s *Sim) Notes(dealID int64) (all []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.pipedrive.notes {
		if n.dealID == dealID {
			all = append(all, n.content)
		}
	}
	return all
}
