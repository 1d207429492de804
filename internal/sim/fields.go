package sim

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
)

// field describes a field of deals.
type field struct {
	Name        string   `json:"field_name"`
	Code        string   `json:"field_code"`
	Type        string   `json:"field_type"`
	Description string   `json:"description"`
	Options     []option `json:"options"`
	Subfields   []field  `json:"subfields"`
	Custom      bool     `json:"is_custom_field"`
	Optional    bool     `json:"is_optional_response_field"`
	Writable    bool     `json:"is_writable"` // undocumented, but seen by others

	firstName string // the name before people renamed the field
	deleted   bool   // the deals keep the field's values, but responses omit them
}

type option struct {
	ID    int64   `json:"id"`
	Label string  `json:"label"`
	Color *string `json:"color"`
}

// systemFields are some of the fields that every account has.
func systemFields() []*field {
	return []*field{
		{Name: "ID", Code: "id", Type: "int"},
		{Name: "Title", Code: "title", Type: "varchar", Writable: true},
		{Name: "Value", Code: "value", Type: "monetary", Writable: true},
		{Name: "Owner", Code: "owner_id", Type: "user", Writable: true},
		{Name: "Pipeline", Code: "pipeline_id", Type: "double", Writable: true},
		{Name: "Stage", Code: "stage_id", Type: "stage", Writable: true},
		{Name: "Status", Code: "status", Type: "status", Writable: true},
		{Name: "Deal created", Code: "add_time", Type: "date"},
		{Name: "Update time", Code: "update_time", Type: "date"},
	}
}

// Pipedrive OpenAPI 2026-08-18: 255 characters in a varchar, 65k in a text.
const (
	maxVarchar = 255
	maxText    = 65_000
)

// valueChecks are the types of custom fields with the checks of their values.
var valueChecks = map[string]check{
	"varchar": textOf(0, maxVarchar), "varchar_auto": textOf(0, maxVarchar), "phone": textOf(0, maxVarchar),
	"text": textOf(0, maxText), "double": isNumber, "date": isDate,
	"monetary": isObject, "daterange": isObject, "time": isObject, "timerange": isObject, "address": isObject,
	"enum": isInt, "user": isInt, "org": isInt, "people": isInt,
	"set": func(v any) string {
		if items, ok := v.([]any); ok && len(items) == 0 {
			return "The value must not be empty"
		}
		return isInts(v)
	},
}

// fieldBody has the properties that POST /dealFields accepts.
var fieldBody = map[string]check{
	"field_name": textOf(1, maxVarchar), "field_type": oneOf(slices.Sorted(maps.Keys(valueChecks))...),
	"description": nullable(isText), "options": isOptions,
	"ui_visibility": isObject, "important_fields": isObject, "required_fields": isObject,
}

func isOptions(v any) string {
	items, ok := v.([]any)
	for _, item := range items {
		o, _ := item.(map[string]any)
		ok = ok && isText(o["label"]) == ""
	}
	if !ok {
		return invalidType("options")
	}
	return ""
}

// customFields returns the custom fields that are not deleted, by code.
func (p *pipedrive) customFields() map[string]*field {
	byCode := map[string]*field{}
	for _, f := range p.fields {
		if f.Custom && !f.deleted {
			byCode[f.Code] = f
		}
	}
	return byCode
}

// checkCustom returns the reason why the custom fields of a body are invalid, ""
// if they are valid.
func (p *pipedrive) checkCustom(values map[string]any) string {
	known := p.customFields()
	for _, code := range slices.Sorted(maps.Keys(values)) {
		f := known[code]
		if f == nil {
			return fmt.Sprintf("custom_fields: Unknown key '%s'", code)
		}
		reason := cmp.Or(nullable(valueChecks[f.Type])(values[code]), f.checkOptions(values[code]))
		if reason != "" {
			return "custom_fields." + code + ": " + reason
		}
	}
	return ""
}

// fieldQuery are the parameters of GET /dealFields/{field_code}, fieldListQuery
// those of the list.
var (
	fieldQuery     = map[string]check{"include_fields": someOf("ui_visibility", "important_fields", "required_fields")}
	fieldListQuery = map[string]check{"limit": isLimit, "cursor": anyText, "include_fields": fieldQuery["include_fields"]}
)

func (p *pipedrive) listFields(c *call) response {
	var shown []*field
	for _, f := range p.fields {
		if !f.deleted {
			shown = append(shown, f)
		}
	}
	return pageOf(c, fieldListQuery, shown)
}

func (p *pipedrive) createField(c *call) response {
	values, reason := readBody(c.body, fieldBody)
	if reason != "" {
		return refuse(reason)
	}
	for _, name := range []string{"field_name", "field_type"} {
		if values[name] == nil {
			return refuse(name + ": Required")
		}
	}
	name, kind := values["field_name"].(string), values["field_type"].(string)
	items, _ := values["options"].([]any)
	if hasOptions := kind == "enum" || kind == "set"; hasOptions != (len(items) > 0) {
		return refuse("options: Only fields of type enum and set have options, and at least one")
	}
	if p.o.MaxCustomFields > 0 && len(p.customFields()) >= p.o.MaxCustomFields {
		return failure(http.StatusForbidden, "Custom fields limit reached.", "feature_capping_custom_fields_limit")
	}
	f := p.addField(name, kind)
	f.Description, _ = values["description"].(string)
	for _, item := range items {
		f.Options = append(f.Options, option{ID: p.nextOption(), Label: item.(map[string]any)["label"].(string)})
	}
	return success(http.StatusOK, f)
}

func (p *pipedrive) getField(c *call) response {
	if reason := checkQuery(c.URL.Query(), fieldQuery); reason != "" {
		return refuse(reason)
	}
	for _, f := range p.fields {
		if f.Code == c.PathValue("code") && !f.deleted {
			return success(http.StatusOK, f)
		}
	}
	return fieldNotFound()
}

func (p *pipedrive) removeField(c *call) response {
	f := p.customFields()[c.PathValue("code")]
	if f == nil {
		return fieldNotFound()
	}
	f.deleted = true
	return success(http.StatusOK, f)
}

// addField adds a custom field. Names need not be unique.
func (p *pipedrive) addField(name, kind string) *field {
	code := ""
	for len(code) < 40 {
		code += strconv.FormatUint(uint64(p.rng.IntN(16)), 16)
	}
	f := &field{Name: name, firstName: name, Code: code, Type: kind, Custom: true, Writable: true}
	p.fields = append(p.fields, f)
	return f
}

// AddField adds a custom field of deals, even if one with that name exists.
func (s *Sim) AddField(name, typ string) (code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pipedrive.addField(name, typ).Code
}

// Field returns the code of the first custom field with that name.
func (s *Sim) Field(name string) (code string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pipedrive.field(name)
}

func (p *pipedrive) field(name string) (code string, ok bool) {
	for _, f := range p.fields {
		if f.Custom && !f.deleted && f.Name == name {
			return f.Code, true
		}
	}
	return "", false
}

// RenameField renames a custom field as a person does in the account's settings. It
// does nothing if the field does not exist.
func (s *Sim) RenameField(code, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.pipedrive.customFields()[code]; f != nil {
		f.Name = name
	}
}

// DeleteField deletes a custom field as a person does in the account's settings.
// It does nothing if the field does not exist.
func (s *Sim) DeleteField(code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.pipedrive.customFields()[code]; f != nil {
		f.deleted = true
	}
}
