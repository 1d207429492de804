package document

import (
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// The bounds of values that have no narrower ones.
const (
	maxInteger = 1<<53 - 1 // JavaScript has no greater safe integer.
	maxText    = 100_000   // characters
	maxItems   = 10_000
)

func number(n float64) *float64 { return &n }
func whole(n int) *int          { return &n }

func text(pattern string, shortest, longest int) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Pattern: pattern, MinLength: &shortest, MaxLength: &longest}
}

// addBounds gives each value bounds that has none, so that generated clients and
// gateways can check sizes.
func addBounds(doc *huma.OpenAPI) {
	for _, s := range doc.Components.Schemas.Map() {
		bound(s)
		s.PrecomputeMessages()
	}
	for _, item := range doc.Paths {
		for _, op := range operations(item) {
			for _, p := range op.Parameters {
				bound(p.Schema)
				p.Schema.PrecomputeMessages()
			}
			for _, content := range contents(op) {
				bound(content.Schema)
			}
		}
	}
}

// bound adds bounds to a schema and to those inside it. References are bound on
// their own.
func bound(s *huma.Schema) {
	if s == nil || s.Ref != "" {
		return
	}
	switch s.Type {
	case huma.TypeInteger:
		s.Format = orElse(s.Format, "int64")
		s.Minimum, s.Maximum = orElse(s.Minimum, number(0)), orElse(s.Maximum, number(maxInteger))
	case huma.TypeString:
		if s.Format == "date-time" {
			s.MinLength, s.MaxLength = whole(len("2026-11-29T06:00:00Z")), whole(len("2026-11-29T06:00:00.123456789+01:00"))
		} else if len(s.Enum) == 0 {
			s.MinLength, s.MaxLength = orElse(s.MinLength, whole(0)), orElse(s.MaxLength, whole(maxText))
		}
	case huma.TypeArray:
		s.MinItems, s.MaxItems = orElse(s.MinItems, whole(0)), orElse(s.MaxItems, whole(maxItems))
	}
	for _, inner := range parts(s) {
		bound(inner)
	}
}

func orElse[T comparable](value, other T) T {
	var none T
	if value == none {
		return other
	}
	return value
}

// parts returns the schemas directly inside a schema.
func parts(s *huma.Schema) []*huma.Schema {
	var all []*huma.Schema
	for _, property := range s.Properties {
		all = append(all, property)
	}
	if values, ok := s.AdditionalProperties.(*huma.Schema); ok {
		all = append(all, values)
	}
	all = append(append(append(all, s.OneOf...), s.AnyOf...), s.AllOf...)
	if s.Items != nil {
		all = append(all, s.Items)
	}
	return all
}

// contents returns the bodies of the request and of the answers of an operation.
func contents(op *huma.Operation) (all []*huma.MediaType) {
	if op.RequestBody != nil {
		for _, content := range op.RequestBody.Content {
			all = append(all, content)
		}
	}
	for _, r := range op.Responses {
		for _, content := range r.Content {
			all = append(all, content)
		}
	}
	return all
}

// openAnswers lets answers have fields that the document does not list, so that a
// client that checks answers survives new ones. Requests stay strict: a misspelled
// field is an error.
func openAnswers(doc *huma.OpenAPI) {
	schemas := doc.Components.Schemas.Map()
	strict := map[string]bool{}
	for _, item := range doc.Paths {
		for _, op := range operations(item) {
			if op.RequestBody == nil {
				continue
			}
			for _, content := range op.RequestBody.Content {
				collect(schemas, content.Schema, strict)
			}
		}
	}
	for name, s := range schemas {
		if closed, ok := s.AdditionalProperties.(bool); ok && !closed && !strict[name] {
			s.AdditionalProperties = nil
		}
	}
}

// collect adds the names of the schemas that s refers to.
func collect(schemas map[string]*huma.Schema, s *huma.Schema, names map[string]bool) {
	if s == nil {
		return
	}
	if name := strings.TrimPrefix(s.Ref, "#/components/schemas/"); s.Ref != "" && !names[name] {
		names[name] = true
		collect(schemas, schemas[name], names)
	}
	for _, inner := range parts(s) {
		collect(schemas, inner, names)
	}
}
