package document

import (
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// describeEvents replaces huma's schema of a stream by one whose variants have names,
// and are told apart by the name of their event.
func describeEvents(doc *huma.OpenAPI) {
	for _, item := range doc.Paths {
		for _, op := range operations(item) {
			for _, r := range op.Responses {
				if stream := r.Content["text/event-stream"]; stream != nil {
					stream.Schema = events(doc.Components.Schemas, stream.Schema)
				}
			}
		}
	}
}

// events returns the schema of a stream as a list of events.
func events(schemas huma.Registry, stream *huma.Schema) *huma.Schema {
	variants, _ := stream.Items.Extensions["oneOf"].([]*huma.Schema)
	one := &huma.Schema{Discriminator: &huma.Discriminator{PropertyName: "event", Mapping: map[string]string{}}}
	for _, v := range variants {
		event := v.Properties["event"]
		name, _ := event.Extensions["const"].(string)
		event.Extensions, event.Enum = nil, []any{name}
		component := strings.ToUpper(name[:1]) + name[1:] + "Message"
		schemas.Map()[component] = v
		ref := "#/components/schemas/" + component
		one.OneOf = append(one.OneOf, &huma.Schema{Ref: ref})
		one.Discriminator.Mapping[name] = ref
	}
	return &huma.Schema{Type: huma.TypeArray, Description: "The events of the stream, in the form of server-sent events.", Items: one}
}
