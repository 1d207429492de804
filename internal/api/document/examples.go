package document

import (
	"embed"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// examples has a file for each operation, named by its id, with the body of a
// request, if the operation has one, of a successful answer, and of a 202 if that
// differs.
//
//go:embed examples
var examples embed.FS

type example struct {
	Request  any `json:"request"`
	Response any `json:"response"`
	Accepted any `json:"accepted"`
}

// addExamples adds the examples of an operation. A test fails for an operation
// without a file.
func addExamples(op *huma.Operation) {
	content, err := examples.ReadFile("examples/" + op.OperationID + ".json")
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	var e example
	if err == nil {
		err = json.Unmarshal(content, &e)
	}
	if err != nil {
		panic("example of " + op.OperationID + ": " + err.Error()) // A programming error: a test reads all of them.
	}
	if op.RequestBody != nil && e.Request != nil {
		for kind, body := range op.RequestBody.Content {
			body.Example = e.Request
			if strings.HasPrefix(kind, "text/") {
				body.Example = "octocat\ndefunkt\n"
			}
		}
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		value := e.Response
		if status == "202" && e.Accepted != nil {
			value = e.Accepted
		}
		for _, body := range op.Responses[status].Content {
			if status < "3" {
				body.Example = value
			}
		}
	}
}
