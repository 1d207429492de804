package e2e_test

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gistdeal/client"
	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

const typeScript = "../client/typescript"

// served starts the program with the user bob and an admin token.
func served(t *testing.T) (p *process, token string) {
	t.Helper()
	s, env := simulate(t, sim.Options{Seed: 7})
	s.MakeGists("alice", 3)
	s.MakeGists("bob", 1)
	p = start(t, env)
	p.user("bob")
	var admin newToken
	if status := read(t, env, &admin, "tokens", "add", "--name=boss", "--scope=admin"); status != 0 {
		t.Fatalf("exit status %d", status)
	}
	return p, admin.Token
}

func TestAGoProgramWorksWithTheAPI(t *testing.T) {
	t.Parallel()
	p, token := served(t)
	c, err := client.New(p.url, token)
	testenv.Must(t, err)
	ctx := t.Context()
	added, err := c.AddUsersWithResponse(ctx, &client.AddUsersParams{}, client.AddUsersJSONRequestBody{Users: []string{"alice"}, Backfill: "all"})
	testenv.Must(t, err)
	if added.JSON200 == nil || len(added.JSON200.Results) != 1 || added.JSON200.Results[0].Result != "added" {
		t.Fatalf("%s", added.Body)
	}
	testenv.Eventually(t, "the user has its deals", func() bool {
		u, err := c.GetUserWithResponse(ctx, "alice", nil)
		testenv.Must(t, err)
		return u.JSON200 != nil && u.JSON200.Deals["created"] == 3
	}, p.out)

	var logins []string
	for cursor := ""; ; {
		page, err := c.ListUsersWithResponse(ctx, &client.ListUsersParams{Limit: new(int64(1)), Cursor: &cursor})
		testenv.Must(t, err)
		if page.JSON200 == nil {
			t.Fatal(page.JSONDefault)
		}
		for _, u := range page.JSON200.Users {
			logins = append(logins, u.Login)
		}
		if cursor = page.JSON200.Next; cursor == "" {
			break
		}
	}
	if len(logins) != 2 {
		t.Errorf("the pages have %v, want alice and bob", logins)
	}
	deals, err := c.ListDealsWithResponse(ctx, &client.ListDealsParams{User: new("alice")})
	testenv.Must(t, err)
	if deals.JSON200 == nil || len(deals.JSON200.Deals) != 3 {
		t.Fatalf("%s", deals.Body)
	}
	for _, d := range deals.JSON200.Deals {
		if d.State != client.DealStateCreated || d.DealID == 0 {
			t.Errorf("%+v", d)
		}
	}
	missing, err := c.GetUserWithResponse(ctx, "nobody-here", nil)
	testenv.Must(t, err)
	if missing.StatusCode() != http.StatusNotFound || missing.JSONDefault.Type != "urn:gistdeal:problem:not-found" || !strings.Contains(missing.JSONDefault.Error(), "nobody-here") {
		t.Errorf("%d %s", missing.StatusCode(), missing.Body)
	}
}

func TestATypeScriptProgramWorksWithTheAPI(t *testing.T) {
	t.Parallel()
	node := testenv.Node(t, typeScript)
	p, token := served(t)
	runNode(t, node, "node_modules/typescript/bin/tsc")
	runNode(t, node, "build/story.js", p.url, token, "alice", "3")
}

func TestTheTypeScriptClientIsGeneratedFromTheDocument(t *testing.T) {
	t.Parallel()
	node := testenv.Node(t, typeScript)
	path := filepath.Join(t.TempDir(), "schema.d.ts")
	run := exec.CommandContext(t.Context(), node, "node_modules/openapi-typescript/bin/cli.js", "../openapi.json", "--output", path)
	run.Dir = typeScript
	if out, err := run.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want, err := os.ReadFile(path)
	testenv.Must(t, err)
	got, err := os.ReadFile(filepath.Join(typeScript, "schema.d.ts"))
	testenv.Must(t, err)
	if !bytes.Equal(got, want) {
		t.Error("schema.d.ts is stale: run make clients")
	}
}

// runNode runs a script in the folder of the TypeScript client. Each line that it
// prints is a failure.
func runNode(t *testing.T, node, script string, args ...string) {
	t.Helper()
	run := exec.CommandContext(t.Context(), node, append([]string{script}, args...)...)
	run.Dir = typeScript
	run.Env = append(run.Environ(), "NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1")
	out, err := run.CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
}
