package pipedrive

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"gistdeal"
)

// Names of the four custom fields of a deal. The first three are those of the
// system that gistdeal re-makes; FieldGistID is by which a deal is found again.
const (
	FieldAuthor    = "Gist author"
	FieldGist      = "Gist"
	FieldAccessURL = "Gist Access URL"
	FieldGistID    = "Gist ID"
)

// FieldNames lists the custom fields of a deal.
var FieldNames = []string{FieldAuthor, FieldGist, FieldAccessURL, FieldGistID}

// target is where new deals go in this account.
type target struct {
	fields  map[string]field // by name
	stageID int64            // 0 is the account's default
	ownerID int64            // 0 is the user of the key
}

// field is a custom field of deals.
type field struct {
	Name   string `json:"field_name"`
	Code   string `json:"field_code"` // 40 hexadecimal digits
	Type   string `json:"field_type"`
	Custom bool   `json:"is_custom_field"`
}

// runes returns how much text the field's type holds, 0 if it does not hold text.
func (f field) runes() int {
	switch f.Type {
	case "varchar", "varchar_auto":
		return varcharRunes
	case "text":
		return textRunes
	}
	return 0
}

// Prepare finds the custom fields, the stage and the owner for new deals, and makes
// fields that do not exist. keys are the codes of the fields by name, as an
// earlier Prepare returned them: a field keeps its code when somebody gives it
// another name. Only one process may call it at a time, since Pipedrive lets
// two fields have one name. A name that fits several fields is Unauthorized.
func (c *Client) Prepare(ctx context.Context, keys map[string]string) (map[string]string, error) {
	all, err := c.listFields(ctx)
	if err != nil {
		return nil, err
	}
	t := &target{fields: map[string]field{}}
	codes := map[string]string{}
	for _, name := range FieldNames {
		f, err := c.findOrMake(ctx, all, name, keys[name])
		if err != nil {
			return nil, fmt.Errorf("field %q: %w", name, err)
		}
		t.fields[name], codes[name] = f, f.Code
	}
	if t.stageID, err = c.findStage(ctx); err != nil {
		return nil, err
	}
	if t.ownerID, err = c.findOwner(ctx); err != nil {
		return nil, err
	}
	c.target.Store(t)
	return codes, nil
}

func (c *Client) listFields(ctx context.Context) (all []field, err error) {
	for page, err := range pages[field](ctx, c, "/api/v2/dealFields", url.Values{"limit": {"500"}}) {
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
	}
	return all, nil
}

func (c *Client) findOrMake(ctx context.Context, all []field, name, code string) (field, error) {
	f, exists, err := c.find(ctx, all, name, code)
	if exists || err != nil {
		return f, err
	}
	return c.makeField(ctx, name)
}

// find returns the field with that code, or else the one of that name; false if there is neither.
func (c *Client) find(ctx context.Context, all []field, name, code string) (f field, exists bool, err error) {
	var named []field
	for _, f := range all {
		if code != "" && f.Code == code {
			return f, true, f.check()
		}
		if f.Custom && strings.TrimSpace(f.Name) == name {
			named = append(named, f)
		}
	}
	if code != "" {
		// The list may be late or cut short, and a field made anew hides the
		// deals that have the old one: be sure that it is gone.
		f, err := c.getField(ctx, code)
		if gistdeal.KindOf(err) != gistdeal.NotFound {
			return f, true, err
		}
	}
	switch len(named) {
	case 0:
		return f, false, nil
	case 1:
		return named[0], true, named[0].check()
	}
	codes := make([]string, len(named))
	for i, f := range named {
		codes[i] = f.Code
	}
	return f, false, gistdeal.Errorf(gistdeal.Unauthorized, "Pipedrive has %d deal fields of this name (%s): rename all but one in its settings",
		len(named), strings.Join(codes, ", "))
}

// getField returns the field with that code, NotFound if it was deleted.
func (c *Client) getField(ctx context.Context, code string) (f field, err error) {
	if _, err = c.call(ctx, http.MethodGet, "/api/v2/dealFields/"+url.PathEscape(code), nil, nil, &f); err != nil {
		return f, err
	}
	if f.Code != code {
		return f, gistdeal.Errorf(gistdeal.Temporary, "Pipedrive answered with another field than %s", code)
	}
	return f, f.check()
}

// check returns an error if the field cannot hold text.
func (f field) check() error {
	if f.runes() == 0 {
		return gistdeal.Errorf(gistdeal.Unauthorized, "in Pipedrive it is of type %q, which holds no text: rename it in its settings, and a new one is made", f.Type)
	}
	return nil
}

// makeField makes a field: long text for descriptions, short for the rest.
func (c *Client) makeField(ctx context.Context, name string) (f field, err error) {
	kind := "varchar"
	if name == FieldGist {
		kind = "text"
	}
	body, err := json.Marshal(map[string]string{"field_name": name, "field_type": kind})
	if err != nil {
		return f, err
	}
	if _, err := c.call(ctx, http.MethodPost, "/api/v2/dealFields", nil, bytes.NewReader(body), &f); err != nil {
		return f, fmt.Errorf("make it: %w", err)
	}
	if f.Code == "" {
		return f, gistdeal.Errorf(gistdeal.Temporary, "make it: Pipedrive's answer has no field_code")
	}
	f.Type = kind
	return f, nil
}

// named reports whether a refusal speaks of where deals go: a field, the stage or the owner.
func (t *target) named(text string) bool {
	lower := strings.ToLower(text)
	return strings.Contains(text, "custom_fields") ||
		t.stageID != 0 && strings.Contains(lower, "stage") || t.ownerID != 0 && strings.Contains(lower, "owner") ||
		slices.ContainsFunc(slices.Collect(maps.Values(t.fields)), func(f field) bool { return strings.Contains(text, f.Code) })
}

// missing names the part of t that no longer exists, or returns "".
func (c *Client) missing(ctx context.Context, t *target) (string, error) {
	all, err := c.listFields(ctx)
	if err != nil {
		return "", err
	}
	for _, name := range FieldNames {
		if !slices.ContainsFunc(all, func(f field) bool { return f.Code == t.fields[name].Code }) {
			return fmt.Sprintf("the field %q", name), nil
		}
	}
	if t.stageID != 0 {
		stages, err := c.listNamed(ctx, "/api/v2/stages", url.Values{"limit": {"500"}})
		if err != nil {
			return "", err
		}
		if !slices.ContainsFunc(stages, func(s named) bool { return s.ID == t.stageID }) {
			return "the stage for new deals", nil
		}
	}
	if t.ownerID != 0 {
		users, err := c.listUsers(ctx)
		if err != nil {
			return "", err
		}
		if !slices.ContainsFunc(users, func(u user) bool { return u.ID == t.ownerID }) {
			return "the owner of new deals", nil
		}
	}
	return "", nil
}
