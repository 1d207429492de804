package contract

import (
	"fmt"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// API is an official description and the prefixes of its paths.
type API struct {
	file     string
	prefixes []string
	amend    func(*openapi3.T)
	token    string // required header of each request, if any
}

// The descriptions for Check.
var (
	GitHub      = API{file: "github-gists.json", prefixes: []string{"/"}, amend: amendGitHub}
	PipedriveV2 = API{file: "pipedrive-v2.json", prefixes: []string{"/api/v2"}, amend: amendPipedrive, token: "X-Api-Token"}
	PipedriveV1 = API{file: "pipedrive-v1.json", prefixes: []string{"/v1", "/api/v1"}, amend: amendPipedrive, token: "X-Api-Token"}
)

// serves reports whether path is below one of the API's prefixes.
func (a API) serves(path string) bool {
	return slices.ContainsFunc(a.prefixes, func(prefix string) bool {
		return strings.HasPrefix(path, strings.TrimSuffix(prefix, "/")+"/")
	})
}

// loaded caches each description, because loading one takes a large part of a
// second under the race detector.
var loaded = struct {
	sync.Mutex
	routers map[string]routers.Router
}{routers: map[string]routers.Router{}}

func (a API) load(dir string) (routers.Router, error) {
	loaded.Lock()
	defer loaded.Unlock()
	path := filepath.Join(dir, "contracts", a.file)
	if router := loaded.routers[path]; router != nil {
		return router, nil
	}
	doc, err := openapi3.NewLoader().LoadFromFile(path)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", a.file, err)
	}
	a.amend(doc)
	doc.Servers = nil
	for _, prefix := range a.prefixes {
		doc.Servers = append(doc.Servers, &openapi3.Server{URL: prefix})
	}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		return nil, fmt.Errorf("read routes of %s: %w", a.file, err)
	}
	loaded.routers[path] = router
	return router, nil
}

func amendGitHub(doc *openapi3.T) {
	for _, schema := range doc.Components.Schemas {
		// API version 2026-03-10 removed "user" of gists and "rate" of limits.
		schema.Value.Required = slices.DeleteFunc(schema.Value.Required, func(name string) bool {
			return name == "user" || name == "rate"
		})
		// The language of a file is null if it is unknown; its type may be null too.
		if files := schema.Value.Properties["files"]; files != nil {
			if file := files.Value.AdditionalProperties.Schema; file != nil {
				allowNullBelow(file)
			}
		}
	}
}

func amendPipedrive(doc *openapi3.T) {
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			for _, param := range op.Parameters {
				allowLists(param.Value)
			}
			// Nearly every field is described as never null, but the real API sends null.
			for _, response := range op.Responses.Map() {
				for _, media := range response.Value.Content {
					allowNullBelow(media.Schema)
				}
			}
			// Pipedrive refuses unknown keys, which the description does not mention.
			if method == http.MethodPost && (path == "/deals" || path == "/dealFields") {
				op.RequestBody.Value.Required = true
				body := op.RequestBody.Value.Content["application/json"].Schema.Value
				closed := false
				body.AdditionalProperties = openapi3.AdditionalProperties{Has: &closed}
			}
		}
	}
}

// allowLists turns the enum of a parameter described as a "comma separated array"
// (?status=open,won) into such a list.
func allowLists(param *openapi3.Parameter) {
	schema := param.Schema.Value
	if len(schema.Enum) == 0 || !strings.Contains(param.Description, "comma") {
		return
	}
	words := make([]string, len(schema.Enum))
	for i, word := range schema.Enum {
		words[i] = regexp.QuoteMeta(fmt.Sprint(word))
	}
	one := "(" + strings.Join(words, "|") + ")"
	schema.Enum, schema.Pattern = nil, "^"+one+"(,"+one+")*$"
}

// allowNullBelow allows null for each property below schema, but not for schema
// itself. Booleans stay as described: "success" is never null. Alternatives
// (oneOf) are unchanged, because null would match all of them.
func allowNullBelow(ref *openapi3.SchemaRef) {
	if ref == nil {
		return
	}
	schema := ref.Value
	for _, part := range schema.AllOf {
		allowNullBelow(part)
	}
	allowNullBelow(schema.Items)
	allowNullBelow(schema.AdditionalProperties.Schema)
	for _, property := range schema.Properties {
		if !property.Value.Type.Is("boolean") && len(property.Value.OneOf) == 0 {
			property.Value.Nullable = true
		}
		allowNullBelow(property)
	}
}
