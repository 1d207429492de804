package gistdeal_test

import (
	"cmp"
	"errors"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// policy lists the packages that each package may import besides the standard
// library; tests are free. A new or longer line is a decision that needs a reason
// in its commit. It is not a way to repair a build.
//
// "package: imports", ours by their folder ("." is the domain, the root of the
// module), others by a path that stands for everything below it.
const policy = `
	# The domain stands alone: everything else may depend on it.
	.:

	# Helpers of every loop: sleep, signal, backoff, and the records of runs.
	internal/loop:   .
	internal/runlog: .
	# Spans of the parts below, which find their tracer in the context.
	internal/trace: . google.golang.org/protobuf
	# What becomes of a gist is decided without a database or a remote, so that the preview
	# and the work agree.
	internal/rules: .

	# The leader composes three programs. scan and push do not know each other: a row
	# and a signal are the hand-over. push asks reconcile for existing deals; the
	# audit of reconcile needs no push.
	internal/probe:     . internal/loop
	internal/scan:      . internal/loop internal/probe internal/rules internal/runlog internal/testing/failpoint internal/trace golang.org/x/sync github.com/prometheus/client_golang
	internal/feed:      . internal/loop internal/rules internal/testing/failpoint github.com/prometheus/client_golang
	internal/reconcile: . internal/loop internal/testing/failpoint
	internal/push:      . internal/loop internal/reconcile internal/rules internal/runlog internal/testing/failpoint internal/trace golang.org/x/sync github.com/prometheus/client_golang
	# Deals follow their gists by the same rules, after the pushes.
	internal/amend:     . internal/loop internal/rules internal/testing/failpoint github.com/prometheus/client_golang
	# Events as a text for people.
	internal/notice: . internal/format
	# Messages to webhooks are sent by the leader, apart from the work on gists.
	# SMTP with its encryption and encodings is a library's.
	internal/mail: . github.com/wneessen/go-mail
	internal/deliver: . internal/loop internal/mail internal/notice internal/store internal/testing/failpoint internal/webhook github.com/prometheus/client_golang
	internal/engine:    . internal/amend internal/feed internal/loop internal/probe internal/push internal/reconcile internal/runlog internal/scan golang.org/x/sync github.com/prometheus/client_golang

	# Adapters know the domain and not one another, so that each can be replaced. Of
	# loop they use only the sleep that ends with its context, as admin does.
	internal/github:    . internal/loop internal/trace github.com/prometheus/client_golang golang.org/x/time
	# Texts for a spreadsheet are made safe in one place.
	internal/pipedrive: . internal/format internal/loop internal/testing/failpoint internal/trace golang.org/x/sys github.com/prometheus/client_golang
	internal/webhook:   .
	internal/store:     . internal/loop internal/trace github.com/gofrs/flock github.com/jackc/pgx/v5 modernc.org/sqlite

	# The sign-in at a provider needs libraries for signatures and for the flow: mistakes in
	# our own would let strangers in.
	internal/signin: . github.com/coreos/go-oidc/v3 golang.org/x/oauth2

	# HTTP: the server owns access and limits and gets the API and the page as
	# handlers. All three write errors as problem+json.
	internal/problem: .
	internal/server:  . internal/problem internal/signin internal/trace github.com/klauspost/compress github.com/prometheus/client_golang golang.org/x/time
	internal/web:     internal/problem
	# The API is admin as routes; huma generates its OpenAPI document.
	internal/api: . internal/admin internal/admin/activity internal/admin/estimate internal/admin/rulesets internal/admin/settings internal/api/document internal/format
	internal/api: internal/notice internal/operation internal/problem internal/rules internal/store github.com/danielgtaylor/huma/v2

	internal/api/document: github.com/danielgtaylor/huma/v2

	# The Go client is generated from the document, and imports nothing of ours.
	client: github.com/oapi-codegen/runtime

	# Numbers and durations as text need nothing of ours.
	internal/format:

	# admin works on the database alone: it imports no client of a remote and never
	# config, so that the HTTP API and the commands share it.
	internal/admin:          . internal/admin/activity internal/format internal/loop internal/rules internal/store
	internal/admin/activity: . internal/format internal/store
	internal/admin/settings: . internal/store
	internal/admin/transfer: . internal/store
	# A preview shows deals exactly as the client of Pipedrive sends them.
	internal/admin/rulesets: . internal/pipedrive internal/rules internal/store
	# An estimate reads GitHub through an interface, Pipedrive for its quotas, and decides as rules will.
	internal/admin/estimate: . internal/admin/rulesets internal/pipedrive internal/rules internal/store golang.org/x/sync

	# Bulk work makes the changes of admin, item by item. The engine runs it as a function.
	internal/operation: . internal/admin internal/admin/rulesets internal/loop internal/rules internal/store internal/testing/failpoint

	# Old rows go by rules that app makes of the store's methods.
	internal/retention: internal/loop github.com/prometheus/client_golang
	# A server does what admin does on a database, through the generated client.
	internal/remote: . client internal/admin internal/admin/activity internal/admin/estimate internal/admin/rulesets internal/admin/settings internal/loop internal/rules

	# One file of users and settings, for a database and a server alike.
	internal/manifest: . internal/admin internal/admin/settings internal/rules go.yaml.in/yaml/v4

	# config opens the database for commands, and takes the default URL of Pipedrive
	# from its client, as it does the options of the sign-in.
	internal/config: . internal/pipedrive internal/signin internal/store

	# doctor checks a configuration with the clients of the real remotes.
	internal/doctor: . internal/config internal/format internal/github internal/pipedrive internal/signin internal/store golang.org/x/sys

	# The simulators share no type with the clients: a shared mistake would go unseen.
	# They parse and validate GraphQL with a library: a language is not ours to write.
	internal/sim: github.com/vektah/gqlparser/v2

	# app assembles the program; the commands use it and stand beside it.
	internal/app: . internal/admin/activity internal/admin/estimate internal/admin/settings internal/api internal/config internal/engine
	internal/app: internal/format internal/github internal/operation internal/pipedrive internal/retention internal/server internal/signin internal/sim internal/store internal/testing/failpoint internal/testing/mutant internal/trace internal/web internal/deliver internal/mail internal/webhook
	internal/app: github.com/prometheus/client_golang golang.org/x/sync golang.org/x/term
	# The plan command creates clients of its own; the others work on a database or a server.
	cmd/gistdeal: . internal/admin internal/admin/activity internal/admin/estimate internal/admin/rulesets internal/admin/settings internal/admin/transfer internal/app internal/config internal/doctor internal/format
	cmd/gistdeal: internal/github internal/loop internal/manifest internal/operation internal/pipedrive internal/remote internal/rules internal/store github.com/alecthomas/kong golang.org/x/term

	# Fail points and mutants are empty in an ordinary build, so that every package may
	# name them. With the build tag, a fail point also stands between SQLite and its files.
	internal/testing/failpoint: modernc.org/libc modernc.org/sqlite
	internal/testing/mutant:    . internal/deliver internal/engine internal/testing/failpoint internal/webhook

	# The kill harness knows the program only from outside, and reads its database
	# with a driver of its own, so that it checks the store too.
	internal/testing/torture: internal/sim internal/testing/failpoint internal/testing/pgtest internal/testing/receiver internal/testing/testenv github.com/jackc/pgx/v5 golang.org/x/sync modernc.org/sqlite
	cmd/torture: internal/testing/torture

	# Test support: no line above names it.
	internal/testing/testenv:  internal/sim
	internal/testing/contract: internal/testing/testenv github.com/getkin/kin-openapi
	internal/testing/receiver:
	internal/testing/smtpsink: internal/testing/testenv
	internal/testing/issuer:   internal/testing/testenv
	internal/testing/pgtest:   internal/testing/testenv github.com/jackc/pgx/v5
	internal/testing/stack:    internal/engine internal/github internal/operation internal/pipedrive internal/store internal/testing/testenv
	e2e:
	infra/offline:
	infra/plantest:
`

const module = "gistdeal"

func TestEachPackageImportsOnlyWhatThePolicyAllows(t *testing.T) {
	t.Parallel()
	allowed, used := parsePolicy(policy), map[string][]string{}
	for _, file := range sources(t) {
		if file.test {
			continue
		}
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if err := allowed.check(path.Dir(file.name), imported); err != nil {
				t.Errorf("%s: %v", file.pos(spec), err)
			}
			used[path.Dir(file.name)] = append(used[path.Dir(file.name)], imported)
		}
	}
	for folder, grants := range allowed {
		for _, grant := range grants {
			if !slices.ContainsFunc(used[folder], func(imported string) bool { return matches(grant, imported) }) {
				t.Errorf("the policy allows %s to import %s, which it does not: delete the grant", folder, grant)
			}
		}
	}
}

func TestThePolicyRefusesUnlistedImports(t *testing.T) {
	t.Parallel()
	allowed := parsePolicy(policy)
	tests := []struct {
		folder, imported string
		ok               bool
	}{
		{".", "net/http", true},
		{".", "golang.org/x/time/rate", false},
		{".", "gistdeal/internal/store", false},
		{"internal/pipedrive", "gistdeal", true},
		{"internal/pipedrive", "golang.org/x/sys/unix", true},
		{"internal/pipedrive", "golang.org/x/system", false},
		{"internal/pipedrive", "gistdeal/internal/github", false},
		{"internal/sim", "gistdeal", false},
		{"internal/app", "gistdeal/internal/sim", true},
		{"internal/app", "gistdeal/internal/testing/contract", false},
		{"internal/admin", "gistdeal/internal/config", false},
		{"internal/admin", "gistdeal/internal/github", false},
		{"cmd/gistdeal", "gistdeal/internal/sim", false},
		{"internal/testing/torture", "gistdeal/internal/engine", false},
		{"internal/newcomer", "fmt", false},
	}
	for _, tt := range tests {
		if err := allowed.check(tt.folder, tt.imported); (err == nil) != tt.ok {
			t.Errorf("%s imports %s: %v, want ok: %t", tt.folder, tt.imported, err, tt.ok)
		}
	}
}

func TestOnlyTheConfigurationReadsTheEnvironment(t *testing.T) {
	t.Parallel()
	for _, file := range sources(t) {
		// Tests, and test support, may read the environment of their run.
		support := []string{"internal/testing/contract", "internal/testing/testenv", "infra/offline"}
		if file.test || path.Dir(file.name) == "internal/config" || slices.Contains(support, path.Dir(file.name)) {
			continue
		}
		// A variable sets fail points, in a file with a build tag of its own.
		if file.name == "internal/testing/failpoint/on.go" && file.leftOut(t) {
			continue
		}
		for _, name := range []string{"Getenv", "LookupEnv", "Environ", "ExpandEnv"} {
			for _, use := range file.selectors("os", name) {
				t.Errorf("%s: os.%s; only internal/config reads the environment", file.pos(use), name)
			}
		}
	}
}

func TestNoTestSleepsInRealTime(t *testing.T) {
	t.Parallel()
	for _, file := range sources(t) {
		// Inside a bubble of synctest a sleep takes no time.
		if !file.test || file.imports("testing/synctest") {
			continue
		}
		for _, use := range file.selectors("time", "Sleep") {
			t.Errorf("%s: time.Sleep in a test outside testing/synctest", file.pos(use))
		}
	}
}

// grants are the imports that a policy allows, by folder.
type grants map[string][]string

func parsePolicy(text string) grants {
	allowed := grants{}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		folder, imports, _ := strings.Cut(line, ":")
		allowed[folder] = append(allowed[folder], strings.Fields(imports)...)
	}
	return allowed
}

// check returns nil if the package in folder may import the path.
func (g grants) check(folder, imported string) error {
	list, ok := g[folder]
	if !ok {
		return fmt.Errorf("package %s is not in the policy of deps_test.go", folder)
	}
	if first, _, _ := strings.Cut(imported, "/"); first != module && !strings.Contains(first, ".") {
		return nil // the standard library
	}
	if slices.ContainsFunc(list, func(grant string) bool { return matches(grant, imported) }) {
		return nil
	}
	return fmt.Errorf("%s may not import %s by the policy of deps_test.go", folder, imported)
}

// matches reports whether a grant covers the import of a path: a package of ours, or
// a path of others with everything below it.
func matches(grant, imported string) bool {
	if imported == module || strings.HasPrefix(imported, module+"/") {
		return grant == cmp.Or(strings.TrimPrefix(strings.TrimPrefix(imported, module), "/"), ".")
	}
	return imported == grant || strings.HasPrefix(imported, grant+"/")
}

// source is a parsed Go file of the module; its name is relative to the root.
type source struct {
	*ast.File
	fset *token.FileSet
	name string
	test bool
}

func (s source) pos(node ast.Node) string { return s.fset.Position(node.Pos()).String() }

func (s source) imports(path string) bool {
	return slices.ContainsFunc(s.Imports, func(spec *ast.ImportSpec) bool {
		return spec.Path.Value == strconv.Quote(path)
	})
}

// leftOut reports whether an ordinary build leaves the file out.
func (s source) leftOut(t *testing.T) bool {
	t.Helper()
	built, err := build.Default.MatchFile(path.Dir(s.name), path.Base(s.name))
	if err != nil {
		t.Fatal(err)
	}
	return !built
}

// selectors returns the places of pkg.name. It ignores packages imported under
// another name; os and time are not.
func (s source) selectors(pkg, name string) []ast.Node {
	var nodes []ast.Node
	ast.Inspect(s.File, func(node ast.Node) bool {
		if sel, ok := node.(*ast.SelectorExpr); ok && sel.Sel.Name == name {
			if id, ok := sel.X.(*ast.Ident); ok && id.Name == pkg {
				nodes = append(nodes, sel)
			}
		}
		return true
	})
	return nodes
}

// sources reads the files without the go command, so that files for other systems
// are included.
func sources(t *testing.T) []source {
	t.Helper()
	var files []source
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return skipFolder(name)
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return fmt.Errorf("read imports: %w", err)
		}
		files = append(files, source{file, fset, filepath.ToSlash(name), strings.HasSuffix(name, "_test.go")})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("no Go files found")
	}
	return files
}

// skipFolder skips the folders that the go command skips: hidden folders, test
// data, and other modules. It also skips packages of npm.
func skipFolder(name string) error {
	if name == "." {
		return nil
	}
	base := filepath.Base(name)
	if base[0] == '.' || base[0] == '_' || base == "testdata" || base == "node_modules" || name == filepath.FromSlash("client/typescript/build") {
		return fs.SkipDir
	}
	if _, err := os.Stat(filepath.Join(name, "go.mod")); !errors.Is(err, fs.ErrNotExist) {
		return fs.SkipDir
	}
	return nil
}
