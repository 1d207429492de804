package sim

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// properties are the values that a request body may set. An unset pointer is
// absent or null in responses, as in responses of live accounts; the official
// description differs.
type properties struct {
	Title             string   `json:"title"`
	OwnerID           int64    `json:"owner_id"`
	PersonID          *int64   `json:"person_id,omitempty"`
	OrgID             *int64   `json:"org_id,omitempty"`
	PipelineID        int64    `json:"pipeline_id"`
	StageID           int64    `json:"stage_id"`
	Value             float64  `json:"value"`
	Currency          string   `json:"currency"`
	Status            string   `json:"status"`
	Probability       *float64 `json:"probability"`
	LostReason        *string  `json:"lost_reason"`
	VisibleTo         int      `json:"visible_to"`
	CloseTime         *string  `json:"close_time"`
	WonTime           *string  `json:"won_time,omitempty"`
	LostTime          *string  `json:"lost_time,omitempty"`
	ExpectedCloseDate *string  `json:"expected_close_date,omitempty"`
	LabelIDs          []int64  `json:"label_ids"`
	IsArchived        bool     `json:"is_archived"`
	ArchiveTime       *string  `json:"archive_time,omitempty"`
	IsDeleted         bool     `json:"is_deleted"`
	ChannelID         *string  `json:"channel_id"`
}

// deal is a deal of the account.
type deal struct {
	properties
	id                         int64
	creatorID                  int64
	added, updated, stageMoved time.Time      // in whole seconds, as in responses
	createdAt, deletedAt       time.Time      // with fractions of a second
	custom                     map[string]any // by field code; without nulls
}

// dealJSON is a deal in a response.
type dealJSON struct {
	ID            int64     `json:"id"`
	CreatorUserID int64     `json:"creator_user_id"`
	AddTime       time.Time `json:"add_time"`
	UpdateTime    time.Time `json:"update_time"`
	StageChange   time.Time `json:"stage_change_time"`
	Origin        string    `json:"origin"`
	OriginID      *string   `json:"origin_id"`
	Channel       *int      `json:"channel"`
	ARR           *float64  `json:"arr"`
	MRR           *float64  `json:"mrr"`
	ACV           *float64  `json:"acv"`
	properties
	CustomFields map[string]any `json:"custom_fields"`
}

// dealBody has the properties that POST and PATCH accept. The official
// description lacks channel_id, but others have seen it accepted. add_time is
// not accepted.
var dealBody = map[string]check{
	"title": isText, "owner_id": isInt, "person_id": nullable(isInt), "org_id": nullable(isInt),
	"pipeline_id": isInt, "stage_id": isInt, "value": isNumber, "currency": textOf(3, 3),
	"status": oneOf("open", "won", "lost"), "probability": nullable(isPercentage), "lost_reason": nullable(isText),
	"visible_to": isVisibility, "close_time": nullable(isText), "won_time": isText, "lost_time": isText,
	"expected_close_date": isDate, "label_ids": isInts, "is_archived": isBool, "archive_time": isDateTime,
	"is_deleted": isBool, "channel_id": nullable(isText), "origin_id": anyText, "custom_fields": isObject,
}

func isVisibility(v any) string {
	if n, ok := v.(json.Number); ok && slices.Contains([]string{"1", "3", "5", "7"}, n.String()) {
		return ""
	}
	return "The value must be one of 1, 3, 5, 7"
}

func (p *pipedrive) createDeal(c *call) response {
	values, reason := readBody(c.body, dealBody)
	switch {
	case reason != "":
		return refuse(reason)
	case values["title"] == nil || values["title"] == "":
		return refuse("title: Required")
	}
	if refused, ok := p.checkVisibility(c, values); !ok {
		return refused
	}
	if p.full() {
		return capped()
	}
	d := p.newDeal(c.now)
	d.creatorID = p.key(c).user().id
	d.OwnerID = d.creatorID
	if reason := p.apply(d, c.body, values); reason != "" {
		return refuse(reason)
	}
	if p.o.Waitlist {
		p.waiting = append(p.waiting, d)
		return success(p.o.CreateStatus, map[string]any{})
	}
	p.deals = append(p.deals, d)
	return success(p.o.CreateStatus, p.show(d, nil))
}

// newDeal returns a deal with the account's defaults. It does not add the deal
// to the account.
func (p *pipedrive) newDeal(now time.Time) *deal {
	at := seconds(now)
	return &deal{
		id: int64(len(p.deals) + 1), creatorID: userID, added: at, updated: at, stageMoved: at, createdAt: now,
		custom: map[string]any{},
		properties: properties{
			OwnerID: userID, PipelineID: 1, StageID: 1, Currency: "EUR", Status: "open", VisibleTo: visibleToGroup, LabelIDs: []int64{},
		},
	}
}

// apply sets the properties and custom fields of a body. If the body is invalid,
// it returns the reason and changes nothing.
func (p *pipedrive) apply(d *deal, body []byte, values map[string]any) string {
	custom, _ := values["custom_fields"].(map[string]any)
	custom = p.withoutDeleted(custom)
	if reason := p.checkCustom(custom); reason != "" {
		return reason
	}
	next := d.properties
	next.LabelIDs = slices.Clone(next.LabelIDs)
	decoder := json.NewDecoder(bytes.NewReader(body))
	if err := decoder.Decode(&next); err != nil {
		return "body: " + invalidType("object")
	}
	if next.IsDeleted {
		return "is_deleted: The value must be false"
	}
	if !slices.ContainsFunc(companyUsers, func(c companyUser) bool { return c.id == next.OwnerID && c.active }) {
		return "owner_id: The user does not exist"
	}
	if reason := checkOutcome(next.Status, values); reason != "" {
		return reason
	}
	for _, name := range []string{"person_id", "org_id"} {
		if values[name] != nil {
			return name + ": The account has neither persons nor organizations"
		}
	}
	if reason := p.setStage(&next, values); reason != "" {
		return reason
	}
	if reason := p.checkLabels(next.LabelIDs); reason != "" {
		return reason
	}
	next.Title = firstRunes(next.Title, maxVarchar)
	d.properties = next
	for code, value := range custom {
		d.custom[code] = value
		if value == nil {
			delete(d.custom, code)
		}
	}
	return ""
}

// setStage makes pipeline and stage agree: a stage without a pipeline sets its
// pipeline, and a pipeline without a stage sets its first stage. It returns the
// reason if they are invalid.
func (p *pipedrive) setStage(next *properties, values map[string]any) string {
	_, pipelineGiven := values["pipeline_id"]
	_, stageGiven := values["stage_id"]
	for _, st := range p.stages {
		switch {
		case stageGiven && st.ID == next.StageID:
			if pipelineGiven && next.PipelineID != st.PipelineID {
				return "stage_id: The stage is not in the given pipeline"
			}
			next.PipelineID = st.PipelineID
			return ""
		case !stageGiven && pipelineGiven && st.PipelineID == next.PipelineID:
			next.StageID = st.ID
			return ""
		}
	}
	if stageGiven || pipelineGiven {
		return "stage_id: The stage does not exist"
	}
	return ""
}

// firstRunes returns the first n runes of text. Live accounts silently truncate
// long titles like this.
func firstRunes(text string, n int) string {
	for i := range text {
		if n--; n < 0 {
			return text[:i]
		}
	}
	return text
}

// show returns the deal for a response with the custom fields that keys selects;
// nil selects all.
func (p *pipedrive) show(d *deal, keys []string) dealJSON {
	j := dealJSON{
		ID: d.id, CreatorUserID: d.creatorID, AddTime: d.added, UpdateTime: d.updated, StageChange: d.stageMoved,
		Origin: "API", properties: d.properties, CustomFields: map[string]any{},
	}
	for code := range p.customFields() {
		if keys == nil || slices.Contains(keys, code) {
			j.CustomFields[code] = d.custom[code]
		}
	}
	return j
}

// deal returns the deal with the id in the path, or nil.
func (p *pipedrive) deal(c *call) *deal {
	id, err := strconv.ParseInt(c.PathValue("id"), 10, 64)
	if err != nil || id < 1 || id > int64(len(p.deals)) {
		return nil
	}
	return p.deals[id-1]
}

func dealNotFound() response { return failure(http.StatusNotFound, "Deal not found", "ERR_NOT_FOUND") }

func (p *pipedrive) getDeal(c *call) response {
	if reason := checkQuery(c.URL.Query(), dealQuery); reason != "" {
		return refuse(reason)
	}
	d := p.deal(c)
	if d == nil || d.IsDeleted && (p.o.DeletedDeal404 || d.purged(c.now)) {
		return dealNotFound()
	}
	if refused, unseen := p.unseen(c, d); unseen {
		return refused
	}
	return success(http.StatusOK, p.show(d, customKeys(c)))
}

// updateDeal changes a deal. An archived deal can only be unarchived: Pipedrive
// changelog 2025-07-15, archived deals cannot be edited.
func (p *pipedrive) updateDeal(c *call) response {
	values, reason := readBody(c.body, dealBody)
	d := p.deal(c)
	_, origin := values["origin_id"] // POST ignores it, PATCH refuses it
	switch {
	case reason != "":
		return refuse(reason)
	case origin:
		return refuse(notAllowed("origin_id"))
	case d == nil || d.IsDeleted:
		return dealNotFound()
	case d.IsArchived && values["is_archived"] != false:
		return failure(http.StatusForbidden, "Archived deals can't be edited", "ERR_FORBIDDEN")
	}
	if refused, unseen := p.unseen(c, d); unseen {
		return refused
	}
	if refused, ok := p.checkVisibility(c, values); !ok {
		return refused
	}
	stage := d.StageID
	if reason := p.apply(d, c.body, values); reason != "" {
		return refuse(reason)
	}
	d.updated = seconds(c.now)
	if d.StageID != stage {
		d.stageMoved = d.updated
	}
	d.setTimes(c.now)
	return success(http.StatusOK, p.show(d, nil))
}

// setTimes sets the times at which the deal was won, lost or archived.
func (d *deal) setTimes(now time.Time) {
	text := seconds(now).Format(time.RFC3339)
	switch {
	case d.Status == "won" && d.WonTime == nil:
		d.WonTime, d.CloseTime = &text, &text
	case d.Status == "lost" && d.LostTime == nil:
		d.LostTime, d.CloseTime = &text, &text
	}
	if !d.IsArchived {
		d.ArchiveTime = nil
	} else if d.ArchiveTime == nil {
		d.ArchiveTime = &text
	}
}

func (p *pipedrive) deleteDeal(c *call) response {
	d := p.deal(c)
	if d == nil || d.IsDeleted {
		return dealNotFound()
	}
	if refused, unseen := p.unseen(c, d); unseen {
		return refused
	}
	p.remove(d, c.now)
	return success(http.StatusOK, map[string]int64{"id": d.id})
}

func (p *pipedrive) remove(d *deal, now time.Time) {
	d.IsDeleted, d.deletedAt = true, now
	if !p.o.KeepUpdateTime {
		d.updated = seconds(now)
	}
}

// purged reports whether a deleted deal is permanently removed. Pipedrive
// OpenAPI 2026-08-18, DELETE /deals/{id}: after 30 days.
func (d *deal) purged(now time.Time) bool { return now.Sub(d.deletedAt) >= 30*24*time.Hour }

// customKeys returns the codes of the custom fields that the query selects; nil
// selects all.
func customKeys(c *call) []string {
	if text := c.URL.Query().Get("custom_fields"); text != "" {
		return strings.Split(text, ",")
	}
	return nil
}
