package pipedrive

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"gistdeal"
)

const (
	notesPath  = "/v1/notes" // There is no v2 of notes.
	notesAPage = 100
)

// DealValues returns the present title and stage of a deal, and the custom fields with these
// codes. A deal that is archived, deleted or hidden, or that does not exist, is not editable.
func (c *Client) DealValues(ctx context.Context, id int64, codes []string) (v gistdeal.DealValues, err error) {
	query := url.Values{}
	if len(codes) > 0 && len(codes) <= maxSelected {
		query.Set("custom_fields", strings.Join(codes, ","))
	}
	a, err := c.do(ctx, http.MethodGet, dealPath(id), query, nil)
	if err == nil && (a.status == http.StatusNotFound || a.status == http.StatusForbidden && a.isJSON()) {
		return v, nil
	}
	var d struct {
		deal
		StageID int64          `json:"stage_id"`
		Fields  map[string]any `json:"custom_fields"`
	}
	if err == nil {
		_, err = c.read(a, &d)
	}
	if err != nil {
		return v, fmt.Errorf("values of deal %d: %w", id, err)
	}
	if d.ID != id {
		return v, gistdeal.Errorf(gistdeal.Temporary, "values of deal %d: Pipedrive answered with deal %d", id, d.ID)
	}
	return gistdeal.DealValues{
		Title: d.Title, StageID: d.StageID, Fields: d.Fields, Open: d.Status == "open", Editable: !d.Deleted && !d.Archived && d.Status != "deleted",
	}, nil
}

// UpdateDeal changes a deal. It may be called again after an error: the same values do no harm.
// An Invalid or NotFound error concerns only this deal.
func (c *Client) UpdateDeal(ctx context.Context, id int64, change gistdeal.DealChange) error {
	patch := struct {
		Title   string         `json:"title,omitempty"`
		StageID int64          `json:"stage_id,omitempty"`
		Fields  map[string]any `json:"custom_fields,omitempty"` // An empty object may clear all fields.
	}{Title: gistdeal.ShortText(change.Title, titleRunes), StageID: change.StageID, Fields: map[string]any{}}
	for _, f := range change.Fields {
		patch.Fields[f.Code] = f.Value
	}
	body, err := json.Marshal(patch)
	if err != nil {
		return gistdeal.Errorf(gistdeal.Invalid, "encode the change of deal %d: %w", id, err)
	}
	var updated struct{}
	if _, err := c.call(ctx, http.MethodPatch, dealPath(id), nil, bytes.NewReader(body), &updated); err != nil {
		return fmt.Errorf("update deal %d: %w", id, err)
	}
	return nil
}

// AddNote writes a note about a deal; html has to be safe. After an error the note may exist,
// unless the kind is Invalid, NotFound, Unauthorized or Limited.
func (c *Client) AddNote(ctx context.Context, dealID int64, html string) error {
	body, err := json.Marshal(map[string]any{"content": html, "deal_id": dealID})
	if err != nil {
		return gistdeal.Errorf(gistdeal.Invalid, "encode the note of deal %d: %w", dealID, err)
	}
	var note struct{}
	if _, err := c.call(ctx, http.MethodPost, notesPath, nil, bytes.NewReader(body), &note); err != nil {
		return fmt.Errorf("note of deal %d: %w", dealID, err)
	}
	return nil
}

// HasNote reports whether a note about a deal contains a text.
func (c *Client) HasNote(ctx context.Context, dealID int64, text string) (bool, error) {
	for start := 0; ; start += notesAPage {
		query := url.Values{"deal_id": {strconv.FormatInt(dealID, 10)}, "start": {strconv.Itoa(start)}, "limit": {strconv.Itoa(notesAPage)}}
		var notes []struct {
			Content string `json:"content"`
		}
		if _, err := c.call(ctx, http.MethodGet, notesPath, query, nil, &notes); err != nil {
			return false, fmt.Errorf("notes of deal %d: %w", dealID, err)
		}
		for _, n := range notes {
			if strings.Contains(n.Content, text) {
				return true, nil
			}
		}
		if len(notes) < notesAPage {
			return false, nil
		}
	}
}
