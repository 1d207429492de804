package pipedrive

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"gistdeal"
)

const (
	titleRunes   = 255 // titles are varchar (Pipedrive OpenAPI 2026-08-18)
	varcharRunes = 255
	textRunes    = 65_000
	// visibleToCompany: 3 is the widest value that every plan accepts.
	visibleToCompany = 3
)

// newDeal is the body of the POST. Pipedrive refuses names that it does not know.
type newDeal struct {
	Title        string            `json:"title"`
	StageID      int64             `json:"stage_id,omitempty"`
	OwnerID      int64             `json:"owner_id,omitempty"`
	VisibleTo    int               `json:"visible_to"`
	CustomFields map[string]string `json:"custom_fields"`
}

// CreateDeal sends one POST for d, never repeated, and returns Pipedrive's id of the
// deal. start is the begin of the attempt, before it was recorded: nothing is sent
// later than PushTimeout after it. Prepare and Reserve come first.
//
// The error's kind says whether the deal may exist: with Unknown it may, with any
// other kind it certainly does not. Unauthorized and Limited concern the account,
// Invalid this deal.
func (c *Client) CreateDeal(ctx context.Context, start time.Time, d gistdeal.Draft) (int64, error) {
	id, err := c.createDeal(ctx, start, d)
	if err != nil {
		return 0, fmt.Errorf("create deal for gist %s: %w", d.GistID, err)
	}
	return id, nil
}

func (c *Client) createDeal(ctx context.Context, start time.Time, d gistdeal.Draft) (int64, error) {
	t := c.target.Load()
	if t == nil {
		return 0, gistdeal.Errorf(gistdeal.Temporary, "the account's fields are not known yet")
	}
	body, err := json.Marshal(t.newDeal(d))
	if err != nil {
		return 0, gistdeal.Errorf(gistdeal.Invalid, "deal as JSON: %w", err)
	}
	req, err := c.request(ctx, http.MethodPost, "/api/v2/deals", nil, bytes.NewReader(body))
	if err != nil {
		return 0, gistdeal.Errorf(gistdeal.Invalid, "%w", err)
	}
	a, err := c.post(req, start)
	if err != nil {
		return 0, err
	}
	return c.created(ctx, t, a)
}

// created reads the answer to the POST of a deal.
func (c *Client) created(ctx context.Context, t *target, a answer) (int64, error) {
	err := a.refusal()
	switch {
	case a.status >= 500 || a.status == http.StatusRequestTimeout:
		return 0, gistdeal.Errorf(gistdeal.Unknown, "Pipedrive answered %d after the request was sent%s", a.status, a.detail())
	case a.status == http.StatusNotFound:
		return 0, gistdeal.Errorf(gistdeal.Unauthorized, "Pipedrive has no deals at this address (404): check PIPEDRIVE_API_URL%s", a.detail())
	case a.status == http.StatusBadRequest && t.named(string(a.body)):
		return 0, c.targetRefused(ctx, t, err)
	case err != nil:
		return 0, err
	}
	var data struct {
		ID int64 `json:"id"`
	}
	if _, err := a.decode(&data); err != nil || data.ID <= 0 {
		return 0, gistdeal.Errorf(gistdeal.Unknown, "Pipedrive answered %d without the id of a deal", a.status)
	}
	c.noteClock(a.header)
	return data.ID, nil
}

// targetRefused tells a refused value from a field or stage that was deleted:
// then every deal would be refused until it is there again, or Prepare has
// found another.
func (c *Client) targetRefused(ctx context.Context, t *target, refusal error) error {
	gone, err := c.missing(ctx, t)
	if err != nil {
		return gistdeal.Errorf(gistdeal.Temporary, "%w; then look for the fields and the stage: %w", refusal, err)
	}
	if gone == "" {
		return refusal
	}
	return gistdeal.Errorf(gistdeal.Unauthorized, "%s was deleted in Pipedrive: %w", gone, refusal)
}

// newDeal fills the account's fields for d, each cut to the length of its type.
func (t *target) newDeal(d gistdeal.Draft) newDeal {
	values := map[string]string{
		FieldAuthor: d.Author(), FieldGist: d.Text(), FieldAccessURL: d.AccessURL(), FieldGistID: d.GistID,
	}
	n := newDeal{Title: cut(d.Title(), titleRunes), StageID: t.stageID, OwnerID: t.ownerID, VisibleTo: visibleToCompany, CustomFields: map[string]string{}}
	for name, f := range t.fields {
		n.CustomFields[f.Code] = cut(values[name], f.runes())
	}
	return n
}

// cut returns at most limit runes of text, without the characters that no field holds.
func cut(text string, limit int) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "")
	if utf8.RuneCountInString(text) <= limit {
		return text
	}
	return string([]rune(text)[:limit-1]) + "…"
}
