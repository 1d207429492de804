package pipedrive

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"gistdeal"
	"gistdeal/internal/format"
)

const (
	titleRunes   = 255 // titles are varchar (Pipedrive OpenAPI 2026-08-18)
	varcharRunes = 255
	textRunes    = 65_000
)

// visibilities are the values of visible_to by their names. Plans without visibility
// groups accept only 1 and 3, and 3 is the whole company there.
var visibilities = map[string]int{"": 0, "owner": 1, "group": 3, "company": 7}

// newDeal is the body of the POST. Pipedrive refuses unknown names.
type newDeal struct {
	Title        string         `json:"title"`
	StageID      int64          `json:"stage_id,omitempty"`
	OwnerID      int64          `json:"owner_id,omitempty"`
	VisibleTo    int            `json:"visible_to,omitempty"`
	LabelIDs     []int64        `json:"label_ids,omitempty"`
	CustomFields map[string]any `json:"custom_fields"`
}

// CreateDeal sends one POST for d, which is never repeated, and returns the id of the
// deal in Pipedrive. start is the time of the attempt, taken before the attempt was
// recorded. Nothing is sent later than PushTimeout after start. Call Prepare once and
// Reserve each time before.
//
// The kind of the error says whether the deal may exist. With Unknown it may; with any
// other kind it does not. Unauthorized and Limited concern the account, Invalid only
// this deal.
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
	if err := c.checkIgnored(ctx, t); err != nil {
		return 0, err
	}
	body, err := json.Marshal(t.of(d).newDeal(d))
	if err != nil {
		return 0, gistdeal.Errorf(gistdeal.Invalid, "encode the deal: %w", err)
	}
	req, err := c.request(ctx, http.MethodPost, "/api/v2/deals", nil, bytes.NewReader(body))
	if err != nil {
		return 0, gistdeal.Errorf(gistdeal.Invalid, "%w", err)
	}
	a, err := c.post(req, start)
	if err != nil {
		return 0, err
	}
	return c.readCreated(ctx, t, d, a)
}

// readCreated reads the answer to the POST of a deal.
func (c *Client) readCreated(ctx context.Context, t *target, d gistdeal.Draft, a answer) (int64, error) {
	err := a.statusError()
	switch {
	case a.status >= 500 || a.status == http.StatusRequestTimeout:
		return 0, gistdeal.Errorf(gistdeal.Unknown, "Pipedrive answered %d after the request was sent%s", a.status, a.detail())
	case a.status == http.StatusNotFound:
		return 0, gistdeal.Errorf(gistdeal.Unauthorized, "Pipedrive has no deals at this address (404): check PIPEDRIVE_API_URL%s", a.detail())
	case t.visibleTo != 0 && (a.status == http.StatusBadRequest || a.status == http.StatusForbidden) && strings.Contains(string(a.body), "visible_to"):
		return 0, gistdeal.Errorf(gistdeal.Unauthorized,
			"GISTDEAL_VISIBILITY is not possible here: %w; unset it for the default of the key's user, or set it to group, which is the whole company on plans without visibility groups", err)
	case a.status == http.StatusBadRequest && t.of(d).mentionedIn(string(a.body)):
		return 0, c.explainRefusal(ctx, t.of(d), d, err)
	case err != nil:
		return 0, err
	}
	var data struct {
		ID           *int64          `json:"id"`
		CustomFields json.RawMessage `json:"custom_fields"`
	}
	_, err = a.decode(&data)
	if err == nil && data.ID == nil {
		return 0, &gistdeal.Error{Kind: gistdeal.Unknown, Err: &markedError{
			gistdeal.ErrNoDeal,
			fmt.Sprintf("Pipedrive answered %d without the id of a deal", a.status),
		}}
	}
	if err != nil || *data.ID <= 0 {
		return 0, gistdeal.Errorf(gistdeal.Unknown, "Pipedrive answered %d without the id of a deal", a.status)
	}
	c.clock.record(a.header)
	c.noteIgnored(t, data.CustomFields)
	return *data.ID, nil
}

// noteIgnored notes the first field of a created deal that the answer lacks. By its
// documents Pipedrive ignores deleted fields in a POST; accounts were seen to refuse it.
func (c *Client) noteIgnored(t *target, values json.RawMessage) {
	if t.ignored != "" || t.unseen {
		return
	}
	var stored map[string]json.RawMessage
	_ = json.Unmarshal(values, &stored) // It stays nil if the answer has no fields.
	for _, name := range FieldNames {
		f, wanted := t.fields[name]
		if _, ok := stored[f.Code]; wanted && !ok {
			next := *t
			next.ignored = name
			c.target.CompareAndSwap(t, &next)
			return
		}
	}
}

// checkIgnored returns an Unauthorized error if an ignored field was deleted: until the
// next Prepare no lookup could find a new deal.
func (c *Client) checkIgnored(ctx context.Context, t *target) error {
	if t.ignored == "" {
		return nil
	}
	_, err := c.getField(ctx, t.fields[t.ignored].Code)
	switch {
	case gistdeal.KindOf(err) == gistdeal.NotFound:
		return gistdeal.Errorf(gistdeal.Unauthorized, "the field %q was deleted in Pipedrive", t.ignored)
	case gistdeal.KindOf(err) == gistdeal.Invalid: // This says nothing about the deal.
		return gistdeal.Errorf(gistdeal.Temporary, "look up the field %q: %w", t.ignored, err)
	case err != nil:
		return err
	}
	next := *t
	next.ignored, next.unseen = "", true
	c.target.CompareAndSwap(t, &next)
	return nil
}

// explainRefusal returns the error of a refusal that names a field, the stage or the
// owner. If that was deleted, Pipedrive refuses every deal until somebody restores it or
// Prepare replaces it, so the error is Unauthorized. Otherwise only a value was refused.
func (c *Client) explainRefusal(ctx context.Context, t *target, d gistdeal.Draft, refusal error) error {
	missing, err := c.missingPart(ctx, t)
	if err != nil {
		return gistdeal.Errorf(gistdeal.Temporary, "%w; look up the fields, the stage and the owner: %w", refusal, err)
	}
	if missing.name == "" {
		return refusal
	}
	err = gistdeal.Errorf(gistdeal.Unauthorized, "%s was deleted in Pipedrive: %w", missing.name, refusal)
	if c := d.Content; c != nil && (missing.byRule || missing.stage && c.StageID != 0 || missing.owner && c.OwnerID != 0) {
		err = &gistdeal.Error{Kind: gistdeal.Unauthorized, Err: &markedError{gistdeal.ErrRule, err.Error()}}
	}
	return err
}

// newDeal returns the body of the POST for d. Each text is cut to the length limit of its
// field.
func (t *target) newDeal(d gistdeal.Draft) newDeal {
	values := ownValues(d)
	n := newDeal{Title: gistdeal.ShortText(d.Title(), titleRunes), StageID: t.stageID, OwnerID: t.ownerID, VisibleTo: t.visibleTo, LabelIDs: t.labels, CustomFields: map[string]any{}}
	for name, f := range t.fields {
		n.CustomFields[f.Code] = gistdeal.ShortText(values[name], f.runes())
	}
	if d.Content != nil {
		for _, v := range d.Content.Fields {
			n.CustomFields[v.Code] = v.Value
		}
		n.CustomFields[t.fields[FieldGistID].Code] = d.GistID // Whatever a rule says.
	}
	return n
}

// ownValues are the values of the fields that every deal has, by name.
func ownValues(d gistdeal.Draft) map[string]string {
	return map[string]string{
		FieldAuthor: d.Author(), FieldGist: format.NoFormula(d.Text()), FieldAccessURL: d.AccessURL(), FieldGistID: d.GistID,
	}
}

// Preview returns the title and the values of the fields, by name, that the deal of d gets.
func Preview(d gistdeal.Draft) (title string, fields map[string]any) {
	fields = map[string]any{}
	for name, value := range ownValues(d) {
		limit := varcharRunes
		if fieldType(name) == "text" {
			limit = textRunes
		}
		fields[name] = gistdeal.ShortText(value, limit)
	}
	if d.Content != nil {
		for _, v := range d.Content.Fields {
			fields[v.Name] = v.Value
		}
	}
	return gistdeal.ShortText(d.Title(), titleRunes), fields
}
