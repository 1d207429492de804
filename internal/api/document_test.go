package api_test

import (
	"slices"
	"strings"
	"testing"

	"gistdeal/internal/testing/testenv"

	"github.com/getkin/kin-openapi/openapi3"
)

func TestTheDocumentIsCompleteForClientGenerators(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t)
	testenv.Must(w.t, w.doc.Validate(t.Context()))
	ids := map[string]bool{}
	for _, op := range w.operations() {
		if op.OperationID == "" || ids[op.OperationID] || len(op.Tags) != 1 || op.Summary == "" {
			t.Errorf("%s %s: id %q, tags %v, summary %q", op.method, op.path, op.OperationID, op.Tags, op.Summary)
		}
		ids[op.OperationID] = true
		if !strings.Contains(op.Description, "Needs the scope "+string(op.scope)+".") {
			t.Errorf("%s needs the scope %s and its description is %q", op.OperationID, op.scope, op.Description)
		}
		for _, way := range *op.Security {
			for name := range way {
				if w.doc.Components.SecuritySchemes[name] == nil {
					t.Errorf("%s: the security scheme %s does not exist", op.OperationID, name)
				}
			}
		}
		for _, p := range op.Parameters {
			// OpenAPI ignores these: content types and security describe them.
			if p.Value.In == "header" && slices.Contains([]string{"Accept", "Content-Type", "Authorization"}, p.Value.Name) {
				t.Errorf("%s has the header %s as a parameter", op.OperationID, p.Value.Name)
			}
		}
		for status, r := range op.Responses.Map() {
			if status >= "4" && r.Value.Content["application/problem+json"] == nil {
				t.Errorf("%s: the answer %s has no schema", op.OperationID, status)
			}
		}
	}
	names := map[string]bool{}
	for name := range w.doc.Components.SecuritySchemes {
		names[strings.ToLower(name)] = true
	}
	for name, schema := range w.doc.Components.Schemas {
		if names[strings.ToLower(name)] {
			t.Errorf("a schema and a security scheme have the same name %s", name)
		}
		for property, of := range schema.Value.Properties {
			if known := mayBeNull[name+"."+property]; isNullableList(of.Value) != known {
				t.Errorf("%s.%s may be null: %t, want %t", name, property, !known, known)
			}
		}
	}
}

// mayBeNull are the lists that are null if their content is unknown.
var mayBeNull = map[string]bool{"Accounts.pipelines": true, "AccessPipeline.stages": true, "PipedriveAccess.fields": true, "ListedSetting.options": true}

func isNullableList(s *openapi3.Schema) bool {
	return s.Type.Includes("array") && s.Type.Includes("null")
}
