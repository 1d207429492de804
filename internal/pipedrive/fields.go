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

// Names of the four custom fields of a deal. The first three are from the system that
// gistdeal replaces. Lookups find a deal by FieldGistID.
const (
	FieldAuthor    = "Gist author"
	FieldGist      = "Gist"
	FieldAccessURL = "Gist Access URL"
	FieldGistID    = "Gist ID"
)

// FieldNames lists the custom fields of deals.
var FieldNames = []string{FieldAuthor, FieldGist, FieldAccessURL, FieldGistID}

// target has the ids of the target and the custom fields in this account.
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

// runes returns the longest text of the field in runes, or 0 if its type is not text.
func (f field) runes() int {
	switch f.Type {
	case "varchar", "varchar_auto":
		return varcharRunes
	case "text":
		return textRunes
	}
	return 0
}

// Prepare looks up the custom fields, the stage and the owner of new deals, and creates
// missing fields. It returns the codes of the fields by name. keys is the result of an
// earlier Prepare, or nil: a renamed field keeps its code. Only one process may call
// Prepare at a time, because Pipedrive allows two fields with the same name. It returns
// an Unauthorized error if several fields have one name.
func (c *Client) Prepare(ctx context.Context, keys map[string]string) (map[string]string, error) {
	all, err := c.listFields(ctx)
	if err != nil {
		return nil, err
	}
	t := &target{fields: map[string]field{}}
	codes := map[string]string{}
	for _, name := range FieldNames {
		f, err := c.findOrCreate(ctx, all, name, keys[name])
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

func (c *Client) findOrCreate(ctx context.Context, all []field, name, code string) (field, error) {
	f, exists, err := c.find(ctx, all, name, code)
	if exists || err != nil {
		return f, err
	}
	return c.createField(ctx, name)
}

// find returns the field with the given code, or else the one with the given name.
// exists is false if there is neither.
func (c *Client) find(ctx context.Context, all []field, name, code string) (f field, exists bool, err error) {
	var matches []field
	for _, f := range all {
		if code != "" && f.Code == code {
			return f, true, f.check()
		}
		if f.Custom && strings.TrimSpace(f.Name) == name {
			matches = append(matches, f)
		}
	}
	if code != "" {
		// The list may be outdated or incomplete. Make sure that the field was deleted,
		// because lookups by a new field would not find the deals with the old one.
		f, err := c.getField(ctx, code)
		if gistdeal.KindOf(err) != gistdeal.NotFound {
			return f, true, err
		}
	}
	switch len(matches) {
	case 0:
		return f, false, nil
	case 1:
		return matches[0], true, matches[0].check()
	}
	codes := make([]string, len(matches))
	for i, f := range matches {
		codes[i] = f.Code
	}
	return f, false, gistdeal.Errorf(gistdeal.Unauthorized, "Pipedrive has %d deal fields with this name (%s): rename all but one in Pipedrive's settings",
		len(matches), strings.Join(codes, ", "))
}

// getField returns the field with a code, or a NotFound error if it was deleted.
func (c *Client) getField(ctx context.Context, code string) (f field, err error) {
	if _, err = c.call(ctx, http.MethodGet, "/api/v2/dealFields/"+url.PathEscape(code), nil, nil, &f); err != nil {
		return f, err
	}
	if f.Code != code {
		return f, gistdeal.Errorf(gistdeal.Temporary, "Pipedrive answered with a field other than %s", code)
	}
	return f, f.check()
}

// check returns an Unauthorized error if the field's type is not text.
func (f field) check() error {
	if f.runes() == 0 {
		return gistdeal.Errorf(gistdeal.Unauthorized, "in Pipedrive it is of type %q, which is not text: rename the field in Pipedrive's settings, and gistdeal creates a new one", f.Type)
	}
	return nil
}

// createField creates a field: a long text for descriptions, a short text otherwise.
func (c *Client) createField(ctx context.Context, name string) (f field, err error) {
	kind := "varchar"
	if name == FieldGist {
		kind = "text"
	}
	body, err := json.Marshal(map[string]string{"field_name": name, "field_type": kind})
	if err != nil {
		return f, err
	}
	if _, err := c.call(ctx, http.MethodPost, "/api/v2/dealFields", nil, bytes.NewReader(body), &f); err != nil {
		return f, fmt.Errorf("create it: %w", err)
	}
	if f.Code == "" {
		return f, gistdeal.Errorf(gistdeal.Temporary, "create it: Pipedrive's answer has no field_code")
	}
	f.Type = kind
	return f, nil
}

// mentionedIn reports whether the text of a refusal mentions a field, the stage or the
// owner of new deals.
func (t *target) mentionedIn(text string) bool {
	lower := strings.ToLower(text)
	return strings.Contains(text, "custom_fields") ||
		t.stageID != 0 && strings.Contains(lower, "stage") || t.ownerID != 0 && strings.Contains(lower, "owner") ||
		slices.ContainsFunc(slices.Collect(maps.Values(t.fields)), func(f field) bool { return strings.Contains(text, f.Code) })
}

// missingPart names the part of t that no longer exists in Pipedrive. It returns "" if
// all parts exist.
func (c *Client) missingPart(ctx context.Context, t *target) (string, error) {
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
