package pipedrive

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
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
	fields    map[string]field // by name
	stageID   int64            // 0 is the account's default
	ownerID   int64            // 0 is the user of the key
	visibleTo int              // 0 is the default of the key's user
	labels    []int64          // of a deal by a rule
	extra     map[string]field // further custom fields of a deal by a rule, by code
	ignored   string           // a field that the answer to a POST lacked, "" if none did
	unseen    bool             // answers to POSTs lack custom fields that exist
}

// field is a custom field of deals.
type field struct {
	Name   string `json:"field_name"`
	Code   string `json:"field_code"` // 40 hexadecimal digits
	Type   string `json:"field_type"`
	Custom bool   `json:"is_custom_field"`

	Options []struct {
		ID    any    `json:"id"` // Of some of Pipedrive's own fields it is a text.
		Label string `json:"label"`
	} `json:"options"`
}

// entries returns the options of the field.
func (f field) entries() (all []gistdeal.CatalogEntry) {
	for _, o := range f.Options {
		if id, ok := o.ID.(float64); ok {
			all = append(all, gistdeal.CatalogEntry{ID: int64(id), Name: o.Label})
		}
	}
	return all
}

// labelCodes are the codes that the field with the labels of deals may have: the name in a
// deal, and that of version 1.
var labelCodes = []string{"label_ids", "label"}

// catalog adds the custom fields and the labels among all fields to p.
func catalog(all []field, p *gistdeal.Prepared) {
	p.Fields, p.Labels = []gistdeal.CatalogField{}, []gistdeal.CatalogEntry{}
	for _, f := range all {
		switch {
		case f.Custom:
			p.Fields = append(p.Fields, gistdeal.CatalogField{Code: f.Code, Name: f.Name, Type: f.Type, Options: f.entries()})
		case slices.Contains(labelCodes, f.Code):
			p.Labels = append(p.Labels, f.entries()...)
		}
	}
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
// missing fields. keys is the result of an earlier Prepare, or nil: a renamed field keeps
// its code. Only one process may call Prepare at a time, because Pipedrive allows two
// fields with the same name.
func (c *Client) Prepare(ctx context.Context, keys map[string]string) (p gistdeal.Prepared, err error) {
	may, err := c.Permissions(ctx)
	if err != nil {
		return p, err
	}
	if err := may.Problem(*c.wantedTarget.Load()); err != nil {
		return p, err
	}
	search, err := c.findFields(ctx, keys)
	if err != nil {
		return p, err
	}
	if err := c.createMissing(ctx, search, may.AddFields); err != nil {
		return p, err
	}
	t := &target{fields: search.matched, visibleTo: visibilities[c.wantedTarget.Load().Visibility]}
	if t.stageID, err = c.findStage(ctx); err != nil {
		return p, err
	}
	if t.ownerID, err = c.findOwner(ctx); err != nil {
		return p, err
	}
	c.target.Store(t)
	c.traces.Store(nil)
	p = gistdeal.Prepared{Codes: map[string]string{}, Warnings: search.warnings}
	catalog(search.all, &p)
	if !may.SeeAllDeals {
		p.Warnings = append(p.Warnings, HiddenDeals)
	}
	for name, f := range t.fields {
		p.Codes[name] = f.Code
	}
	return p, nil
}

// about returns err with the context of what was being done. Unlike a wrapped error, the
// result has the kind of err and shows the context to operators.
func about(what string, err error) error {
	var e *gistdeal.Error
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &e):
		return fmt.Errorf("%s: %w", what, err)
	}
	return &gistdeal.Error{Kind: e.Kind, RetryAfter: e.RetryAfter, Err: fmt.Errorf("%s: %w", what, err)}
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

// getField returns the field with a code, or a NotFound error if it was deleted.
func (c *Client) getField(ctx context.Context, code string) (f field, err error) {
	if _, err = c.call(ctx, http.MethodGet, "/api/v2/dealFields/"+url.PathEscape(code), nil, nil, &f); err != nil {
		return f, err
	}
	if f.Code != code {
		return f, gistdeal.Errorf(gistdeal.Temporary, "Pipedrive answered with a field other than %s", code)
	}
	return f, nil
}

// check returns an Unauthorized error if the field's type is not text.
func (f field) check() error {
	if f.runes() == 0 {
		return gistdeal.Errorf(gistdeal.Unauthorized, "in Pipedrive it is of type %q, which is not text: rename the field in Pipedrive's settings, and gistdeal creates a new one", f.Type)
	}
	return nil
}

// createMissing creates the fields that do not exist. If that is refused, it returns an
// error only if deals are recognised by one of them.
func (c *Client) createMissing(ctx context.Context, s *fieldSearch, may bool) error {
	refusal := errMayNotAddFields
	for _, name := range s.missing() {
		if !may {
			break
		}
		f, err := c.createField(ctx, name)
		switch gistdeal.KindOf(err) {
		case gistdeal.Invalid, gistdeal.Unauthorized:
			may, refusal = false, err
			continue
		}
		if err != nil {
			return about(fmt.Sprintf("create field %q", name), err)
		}
		s.matched[name] = f
	}
	return s.continueWithout(s.missing(), refusal)
}

// fieldType returns the type with which a field is created: a long text for
// descriptions, a short text otherwise.
func fieldType(name string) string {
	if name == FieldGist {
		return "text"
	}
	return "varchar"
}

// createField creates a field.
func (c *Client) createField(ctx context.Context, name string) (f field, err error) {
	kind := fieldType(name)
	body, err := json.Marshal(map[string]string{"field_name": name, "field_type": kind})
	if err != nil {
		return f, err
	}
	if _, err := c.call(ctx, http.MethodPost, "/api/v2/dealFields", nil, bytes.NewReader(body), &f); err != nil {
		return f, err
	}
	if f.Code == "" {
		return f, gistdeal.Errorf(gistdeal.Temporary, "Pipedrive's answer has no field_code")
	}
	f.Type = kind
	return f, nil
}

// mentionedIn reports whether the text of a refusal mentions a field, the stage or the
// owner of new deals.
func (t *target) mentionedIn(text string) bool {
	lower := strings.ToLower(text)
	return strings.Contains(text, "custom_fields") ||
		t.stageID != 0 && strings.Contains(lower, "stage") || t.ownerID != 0 && strings.Contains(lower, "owner") || t.labels != nil && strings.Contains(lower, "label") ||
		slices.ContainsFunc(slices.Collect(maps.Values(t.fields)), func(f field) bool { return strings.Contains(text, f.Code) })
}

// missing is a part of a target that no longer exists in Pipedrive.
type missing struct {
	name         string // "" if all parts exist
	byRule       bool   // only a rule wants it
	stage, owner bool
}

// missingPart returns the part of t that no longer exists in Pipedrive.
func (c *Client) missingPart(ctx context.Context, t *target) (missing, error) {
	all, err := c.listFields(ctx)
	if err != nil {
		return missing{}, err
	}
	for _, name := range slices.Sorted(maps.Keys(t.fields)) {
		if !slices.ContainsFunc(all, func(f field) bool { return f.Code == t.fields[name].Code }) {
			return missing{name: fmt.Sprintf("the field %q", name)}, nil
		}
	}
	if name := t.missingByRule(all); name != "" {
		return missing{name: name, byRule: true}, nil
	}
	if t.stageID != 0 {
		stages, err := c.listNamed(ctx, "/api/v2/stages", url.Values{"limit": {"500"}})
		if err != nil {
			return missing{}, err
		}
		if !slices.ContainsFunc(stages, func(s named) bool { return s.ID == t.stageID }) {
			return missing{name: "the stage for new deals", stage: true}, nil
		}
	}
	if t.ownerID != 0 {
		users, err := c.listUsers(ctx)
		if err != nil {
			return missing{}, err
		}
		if !slices.ContainsFunc(users, func(u user) bool { return u.ID == t.ownerID }) {
			return missing{name: "the owner of new deals", owner: true}, nil
		}
	}
	return missing{}, nil
}
