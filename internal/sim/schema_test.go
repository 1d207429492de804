package sim_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/contract"
)

func readSchema(t *testing.T, name string) *ast.Schema {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: name, Input: string(text)})
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func officialSchema(t *testing.T) *ast.Schema {
	t.Helper()
	return readSchema(t, filepath.Join(contract.SharedDir(t), "contracts", "github-gists.graphql"))
}

func TestTheSchemaIsAPartOfTheOfficialOne(t *testing.T) {
	t.Parallel()
	official := officialSchema(t)
	for name, ours := range readSchema(t, "graphql.graphql").Types {
		theirs := official.Types[name]
		if theirs == nil || theirs.Kind != ours.Kind {
			t.Errorf("%s is %v in the official schema", name, theirs)
			continue
		}
		for _, value := range ours.EnumValues {
			if theirs.EnumValues.ForName(value.Name) == nil {
				t.Errorf("%s has no value %s", name, value.Name)
			}
		}
		for _, in := range ours.Interfaces {
			if !slices.Contains(theirs.Interfaces, in) {
				t.Errorf("%s does not implement %s", name, in)
			}
		}
		for _, field := range ours.Fields {
			wantField(t, name, field, theirs.Fields.ForName(field.Name))
		}
	}
}

func wantField(t *testing.T, name string, ours, theirs *ast.FieldDefinition) {
	t.Helper()
	if theirs == nil || theirs.Type.String() != ours.Type.String() {
		t.Errorf("%s.%s is %v in the official schema, not %s", name, ours.Name, theirs, ours.Type)
		return
	}
	for _, arg := range ours.Arguments {
		official := theirs.Arguments.ForName(arg.Name)
		if official == nil || official.Type.String() != arg.Type.String() || fmt.Sprint(official.DefaultValue) != fmt.Sprint(arg.DefaultValue) {
			t.Errorf("%s.%s(%s) is %v in the official schema", name, ours.Name, arg.Name, official)
		}
	}
}

// everything selects all fields that the simulator has.
const everything = `query($ids:[ID!]!) { rateLimit { cost limit nodeCount remaining resetAt used }
  viewer { __typename id } node(id:"MDQ6VXNlcjE=") { id } repositoryOwner(login:"octocat") { id login avatarUrl resourcePath url }
  nodes(ids:$ids) { __typename id
    ... on Organization { databaseId login name avatarUrl createdAt updatedAt resourcePath url }
    ... on User { databaseId login name avatarUrl createdAt updatedAt resourcePath url gist(name:"none") { id }
      gists(first:30) { totalCount pageInfo { endCursor hasNextPage hasPreviousPage startCursor }
        edges { cursor node { id } }
        nodes { __typename id name description createdAt updatedAt pushedAt isFork isPublic resourcePath url stargazerCount owner { __typename login }
          files { name encodedName extension isImage isTruncated size language { id name } } } } } } }`

func TestAnswersFitTheOfficialSchema(t *testing.T) {
	t.Parallel()
	official := officialSchema(t)
	w := start(t, sim.Options{Seed: 1})
	w.MakeGists("octocat", 20)
	w.AddGist("octocat", sim.Gist{NullDescription: true, NoOwner: true, NoFiles: true})
	w.AddUser(sim.User{Login: "acme", Type: "Organization"})
	w.AddUser(sim.User{Login: "quiet"})
	for _, query := range []string{sweep, everything} {
		doc, errs := gqlparser.LoadQueryWithRules(official, query, rules.NewDefaultRules())
		if errs != nil {
			t.Fatal(errs)
		}
		g := w.query(query, ids(w.nodeID("octocat"), "missing", w.nodeID("acme"), w.nodeID("quiet")))
		want(t, g, http.StatusOK, `"data":{`)
		answer := decode[struct {
			Data   map[string]any `json:"data"`
			Errors []any          `json:"errors"`
		}](t, g)
		if len(answer.Errors) == 0 {
			t.Error("no error of the missing node")
		}
		c := fitness{t, official}
		c.object("data", official.Query, doc.Operations[0].SelectionSet, answer.Data)
	}
}

// fitness checks values against a schema.
type fitness struct {
	t      *testing.T
	schema *ast.Schema
}

// object checks that an object has the selected fields and no others.
func (c fitness) object(path string, def *ast.Definition, set ast.SelectionSet, value map[string]any) {
	c.t.Helper()
	if name, ok := value["__typename"].(string); ok {
		def = c.schema.Types[name]
	}
	seen := map[string]bool{}
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			seen[s.Alias] = true
			got, exists := value[s.Alias]
			if !exists {
				c.t.Errorf("%s has no %s", path, s.Alias)
			}
			if s.Name != "__typename" {
				c.value(path+"."+s.Alias, s.Definition.Type, s.SelectionSet, got)
			}
		case *ast.InlineFragment:
			if s.TypeCondition != def.Name {
				continue
			}
			for _, one := range s.SelectionSet {
				if f, ok := one.(*ast.Field); ok {
					seen[f.Alias] = true
					c.value(path+"."+f.Alias, f.Definition.Type, f.SelectionSet, value[f.Alias])
				}
			}
		}
	}
	for name := range value {
		if !seen[name] {
			c.t.Errorf("%s has %s, which was not selected", path, name)
		}
	}
}

func (c fitness) value(path string, of *ast.Type, set ast.SelectionSet, value any) {
	c.t.Helper()
	def := c.schema.Types[of.Name()]
	switch v := value.(type) {
	case nil:
		if of.NonNull {
			c.t.Errorf("%s is null", path)
		}
	case []any:
		if of.Elem == nil {
			c.t.Errorf("%s is a list", path)
			return
		}
		for i, item := range v {
			c.value(fmt.Sprintf("%s[%d]", path, i), of.Elem, set, item)
		}
	case map[string]any:
		if of.Elem != nil || len(set) == 0 {
			c.t.Errorf("%s is an object", path)
		}
		c.object(path, def, set, v)
	default:
		if !isScalar(def.Name, v) || of.Elem != nil {
			c.t.Errorf("%s is %v, want a %s", path, v, of)
		}
	}
}

func isScalar(kind string, value any) bool {
	text, isText := value.(string)
	switch kind {
	case "Int":
		n, ok := value.(float64)
		return ok && n == float64(int32(n))
	case "Boolean":
		_, ok := value.(bool)
		return ok
	case "DateTime":
		_, err := time.Parse("2006-01-02T15:04:05Z", text)
		return err == nil
	case "URI":
		return strings.HasPrefix(text, "/") || strings.HasPrefix(text, "https://")
	}
	return isText
}
