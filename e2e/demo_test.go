package e2e_test

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gistdeal/internal/testing/testenv"
)

// inContainer returns the environment and the arguments that the command in the README
// gives to the program in its image.
func inContainer(t *testing.T) (env map[string]string, args []string) {
	t.Helper()
	manual, err := os.ReadFile("../README.md")
	testenv.Must(t, err)
	command := regexp.MustCompile(`(?m)^docker run --rm --publish 127\.0\.0\.1:8050:8050 gistdeal (demo)$`).FindSubmatch(manual)
	if command == nil {
		t.Fatal("the README has no command that runs the demo in a container, for this machine only")
	}
	dockerfile, err := os.ReadFile("../Dockerfile")
	testenv.Must(t, err)
	env = map[string]string{}
	for _, line := range regexp.MustCompile(`(?m)^ENV (.*)$`).FindAllStringSubmatch(string(dockerfile), -1) {
		for _, word := range strings.Fields(line[1]) {
			name, value, _ := strings.Cut(word, "=")
			env[name] = value
		}
	}
	return env, []string{string(command[1])}
}

func TestTheDemoInAContainerNeedsTheTokenThatItPrints(t *testing.T) {
	t.Parallel()
	env, args := inContainer(t)
	if env["GISTDEAL_ADDR"] != ":8050" || env["GISTDEAL_DATABASE_URL"] != "/data/gistdeal.db" {
		t.Errorf("the image has %v: a published port reaches it on all addresses only", env)
	}
	// This machine has no network of its own for the test: the address is its own, and the
	// rule for all addresses is set.
	env["GISTDEAL_ADDR"], env["GISTDEAL_AUTH"], env["GISTDEAL_LOG"] = "127.0.0.1:0", "token", "json"
	env["GISTDEAL_DATABASE_URL"] = filepath.Join(t.TempDir(), "gistdeal.db")
	env["TMPDIR"] = "/no/such/folder" // The image has none.
	p := start(t, env, args...)
	token := regexp.MustCompile(`Log in with (gd_\w+)`).FindStringSubmatch(p.out.String())
	if token == nil {
		t.Fatalf("no token is printed:\n%s", p.out)
	}
	status := func(token string) int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+"/user/seven-swans", nil)
		testenv.Must(t, err)
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(req)
		testenv.Must(t, err)
		testenv.Must(t, resp.Body.Close())
		return resp.StatusCode
	}
	if got, _ := p.get("/user/seven-swans"); got != http.StatusUnauthorized {
		t.Errorf("without a token: %d", got)
	}
	if got := status("gd_" + strings.Repeat("A", 26)); got != http.StatusUnauthorized {
		t.Errorf("with another token: %d", got)
	}
	testenv.Eventually(t, "the demo's user is shown", func() bool { return status(token[1]) == http.StatusOK }, p.out)
}
