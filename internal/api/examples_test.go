package api_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"gistdeal/internal/testing/testenv"
)

func TestEachOperationHasATagAndValidExamples(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t)
	files := map[string]bool{}
	names, err := filepath.Glob("document/examples/*.json")
	testenv.Must(t, err)
	for _, name := range names {
		files[strings.TrimSuffix(filepath.Base(name), ".json")] = true
	}
	for path, item := range w.doc.Paths.Map() {
		for method, op := range item.Operations() {
			if len(op.Tags) != 1 || w.doc.Tags.Get(op.Tags[0]) == nil || w.doc.Tags.Get(op.Tags[0]).Description == "" {
				t.Errorf("%s %s has the tags %v: list its first segment in the tags of package document", method, path, op.Tags)
			}
			if !files[op.OperationID] {
				t.Errorf("%s %s has no example: add internal/api/document/examples/%s.json", method, path, op.OperationID)
			}
			delete(files, op.OperationID)
			if op.RequestBody != nil {
				checkExamples(t, op.OperationID+": request", op.RequestBody.Value.Content)
			}
			for status, r := range op.Responses.Map() {
				checkExamples(t, op.OperationID+": "+status, r.Value.Content)
			}
		}
	}
	for name := range files {
		t.Errorf("the example %s belongs to no operation", name)
	}
}

// checkExamples checks that each body has an example that its schema allows.
func checkExamples(t *testing.T, what string, content openapi3.Content) {
	t.Helper()
	for kind, body := range content {
		if body.Example == nil {
			t.Errorf("%s %s has no example", what, kind)
		} else if err := body.Schema.Value.VisitJSON(body.Example, openapi3.MultiErrors()); err != nil {
			t.Errorf("%s %s: the example is invalid: %v", what, kind, err)
		}
	}
}

// Every status of the table is one that an operation may answer with.
func TestTheDocumentAndTheTableOfErrorsListTheSameStatuses(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t)
	text, err := os.ReadFile("../../docs/api.md")
	testenv.Must(t, err)
	_, table, _ := strings.Cut(string(text), "\n## Errors\n")
	table, _, _ = strings.Cut(table, "\n## ")
	documented, told := map[string]bool{}, map[string]bool{}
	for _, item := range w.doc.Paths.Map() {
		for _, op := range item.Operations() {
			for status := range op.Responses.Map() {
				documented[status] = documented[status] || status >= "4"
			}
		}
	}
	for line := range strings.Lines(table) {
		if cells := strings.Split(line, "|"); len(cells) > 1 {
			for _, status := range strings.Split(cells[1], ",") {
				told[strings.TrimSpace(status)] = true
			}
		}
	}
	for status, isError := range documented {
		if isError && !told[status] {
			t.Errorf("docs/api.md does not tell of %s", status)
		}
	}
	for status := range told {
		if status >= "400" && status <= "599" && !documented[status] {
			t.Errorf("no operation answers with %s, which docs/api.md tells of", status)
		}
	}
}
