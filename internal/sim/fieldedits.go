package sim

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
)

// fieldEdit has the properties that PATCH /dealFields/{field_code} accepts. Code
// and type cannot be changed.
var fieldEdit = map[string]check{
	"field_name": fieldBody["field_name"], "description": fieldBody["description"],
	"ui_visibility": isObject, "important_fields": isObject, "required_fields": isObject,
}

func fieldNotFound() response {
	return failure(http.StatusNotFound, "Field not found", "ERR_NOT_FOUND")
}

// updateField changes a custom field. Pipedrive OpenAPI 2026-08-18, PATCH /dealFields/{field_code}.
func (p *pipedrive) updateField(c *call) response {
	values, reason := readBody(c.body, fieldEdit)
	f := p.customFields()[c.PathValue("code")]
	switch {
	case reason != "":
		return refuse(reason)
	case len(values) == 0:
		return refuse("body: At least one field must be provided")
	case f == nil:
		return fieldNotFound()
	}
	if name, given := values["field_name"].(string); given {
		f.Name = name
	}
	if text, given := values["description"]; given {
		f.Description, _ = text.(string)
	}
	return success(http.StatusOK, f)
}

// The bodies of the three requests about options. SDK 33.7.0 of Pipedrive, DealFieldsApi.
var (
	newOption     = map[string]check{"label": textOf(1, maxVarchar)}
	renamedOption = map[string]check{"id": isInt, "label": textOf(1, maxVarchar)}
	deletedOption = map[string]check{"id": isInt}
)

// addOptions, renameOptions and removeOptions change all options of the request
// or none. They respond with these options only.
func (p *pipedrive) addOptions(c *call) response {
	return p.editOptions(c, newOption, func(f *field, items []option) {
		for i := range items {
			items[i].ID = p.nextOption()
		}
		f.Options = append(f.Options, items...)
	})
}

func (p *pipedrive) renameOptions(c *call) response {
	return p.editOptions(c, renamedOption, func(f *field, items []option) {
		for _, item := range items {
			f.Options[f.optionIndex(item.ID)].Label = item.Label
		}
	})
}

func (p *pipedrive) removeOptions(c *call) response {
	return p.editOptions(c, deletedOption, func(f *field, items []option) {
		for i, item := range items {
			at := f.optionIndex(item.ID)
			items[i].Label = f.Options[at].Label
			f.Options = slices.Delete(f.Options, at, at+1)
		}
	})
}

// editOptions reads the options of a request and calls edit if all are valid.
func (p *pipedrive) editOptions(c *call, known map[string]check, edit func(*field, []option)) response {
	f := p.customFields()[c.PathValue("code")]
	if f == nil {
		return fieldNotFound()
	}
	if f.Type != "enum" && f.Type != "set" {
		return refuse("field_code: A field of type " + f.Type + " has no options")
	}
	items, reason := readItems(c.body, known)
	if reason != "" {
		return refuse(reason)
	}
	seen := map[int64]bool{}
	for _, item := range items {
		if known["id"] != nil && (f.optionIndex(item.ID) < 0 || seen[item.ID]) {
			return refuse(fmt.Sprintf("id: The option %d does not exist", item.ID))
		}
		seen[item.ID] = true
	}
	edit(f, items)
	shown := make([]map[string]any, len(items))
	for i, item := range items {
		shown[i] = map[string]any{"id": item.ID, "label": item.Label}
	}
	return success(http.StatusOK, shown)
}

// readItems decodes and checks a list of options. Each has to have all known names.
func readItems(body []byte, known map[string]check) (items []option, reason string) {
	var raw []json.RawMessage
	if err := json.Unmarshal(body, &raw); err != nil || len(raw) == 0 {
		return nil, "body: " + invalidType("array")
	}
	for _, text := range raw {
		values, reason := readBody(text, known)
		if reason != "" {
			return nil, reason
		}
		for _, name := range slices.Sorted(maps.Keys(known)) {
			if values[name] == nil {
				return nil, name + ": Required"
			}
		}
	}
	if err := json.Unmarshal(body, &items); err != nil {
		return nil, "body: " + invalidType("array")
	}
	return items, ""
}

// optionIndex returns the position of an option, -1 if the field does not have it.
func (f *field) optionIndex(id int64) int {
	return slices.IndexFunc(f.Options, func(o option) bool { return o.ID == id })
}

// nextOption returns the id of a new option; ids are unique in the account.
func (p *pipedrive) nextOption() int64 {
	p.lastOption++
	return p.lastOption
}

// checkOptions returns the reason why a value of a custom field names an unknown
// option, "" if all its options exist.
func (f *field) checkOptions(value any) string {
	if f.Type != "enum" && f.Type != "set" || value == nil {
		return ""
	}
	ids, isSet := value.([]any)
	if !isSet {
		ids = []any{value}
	}
	for _, id := range ids {
		if n, err := id.(json.Number).Int64(); err != nil || f.optionIndex(n) < 0 {
			return fmt.Sprintf("The option %v does not exist", id)
		}
	}
	return ""
}
