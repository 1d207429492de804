package api

import (
	"bytes"
	"encoding/json"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

// newValue is a member of a request that distinguishes a value, null and none.
type newValue[T any] struct {
	sent, null bool
	value      T // zero if null
}

// UnmarshalJSON implements json.Unmarshaler.
func (v *newValue[T]) UnmarshalJSON(text []byte) error {
	v.sent, v.null = true, bytes.Equal(text, []byte("null"))
	return json.Unmarshal(text, &v.value)
}

// Schema implements huma.SchemaProvider.
func (v newValue[T]) Schema(r huma.Registry) *huma.Schema {
	s := huma.SchemaFromType(r, reflect.TypeFor[T]())
	s.Nullable = true
	return s
}

// Schema implements huma.SchemaProvider.
func (v settingValue) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{{Type: huma.TypeString}, {Type: huma.TypeInteger}}}
}
