package plantest_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"gistdeal/internal/sim"
)

// filters reads the patterns of infra/watch.tf.
func filters(t *testing.T) map[string]string {
	t.Helper()
	patterns := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^    (\S+) += "(\{ .* \})"$`).FindAllStringSubmatch(text(t, "infra/watch.tf"), -1) {
		patterns[m[1]] = strings.ReplaceAll(m[2], `\"`, `"`)
	}
	if len(patterns) == 0 {
		t.Fatal("infra/watch.tf has no patterns")
	}
	return patterns
}

// matches evaluates the part of CloudWatch's patterns that is used: values of a
// JSON object that equal a text, or are true, joined by &&.
func matches(pattern string, line []byte) (bool, error) {
	var event map[string]any
	if json.Unmarshal(line, &event) != nil {
		return false, nil // A line that is not JSON matches nothing.
	}
	for term := range strings.SplitSeq(strings.Trim(pattern, "{} "), " && ") {
		if m := regexp.MustCompile(`^\$\.(\w+) = "([^"*]*)"$`).FindStringSubmatch(term); m != nil {
			if event[m[1]] != m[2] {
				return false, nil
			}
		} else if m := regexp.MustCompile(`^\$\.(\w+) IS TRUE$`).FindStringSubmatch(term); m != nil {
			if event[m[1]] != true {
				return false, nil
			}
		} else {
			return false, fmt.Errorf("%q is not of the part of the language that is known here", term)
		}
	}
	return true, nil
}

func TestEachFilterCountsTheEventThatTheProgramWrites(t *testing.T) {
	t.Parallel()
	binary := filepath.Join(t.TempDir(), "gistdeal")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "gistdeal/cmd/gistdeal")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // Other tests build it in the same way, so its packages are compiled once.
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, happens := range map[string]func(*sim.Sim){
		"sweep-on-time": func(*sim.Sim) {},
		"deals-refused": func(s *sim.Sim) { s.AddFault(sim.Fault{Match: "POST /api/v2/deals", Kind: "invalid"}) },
		"day-spent":     func(s *sim.Sim) { s.AddFault(sim.Fault{Match: "POST /api/v2/deals", Kind: "spent"}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pattern := filters(t)[name]
			for line := range written(t, binary, happens) {
				ok, err := matches(pattern, line)
				if err != nil {
					t.Fatal(err)
				}
				if ok {
					return
				}
			}
			t.Errorf("no line matched %s", pattern)
		})
	}
}

func TestNoFilterCountsWhatIsNoConcernOfIts(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		`{"msg":"deal created"}`: "",
		`{"msg":"backoff started","remote":"Pipedrive","spent":false}`: "",
		`{"msg":"backoff started","remote":"GitHub","spent":true}`:     "",
		`deal refused`: "",
		`{"msg":"backoff started","remote":"Pipedrive","spent":true}`: "day-spent",
	} {
		for name, pattern := range filters(t) {
			if got, err := matches(pattern, []byte(line)); err != nil || got != (name == want) {
				t.Errorf("%s: %s matches: %t, %v", line, name, got, err)
			}
		}
	}
}

// written yields the log of the real program, with one user to scan and faults for
// its deal, until the caller has seen enough.
func written(t *testing.T, binary string, happens func(*sim.Sim)) func(func([]byte) bool) {
	t.Helper()
	s := sim.New(sim.Options{Burst: -1, DailyTokens: -1, GitHubLimit: -1})
	s.AddUser(sim.User{Login: "alice", Gists: []sim.Gist{{ID: "aa11", CreatedAt: time.Now().UTC()}}})
	happens(s)
	remotes := httptest.NewServer(s)
	dir := t.TempDir()
	env := append(os.Environ(), "GITHUB_API_URL="+remotes.URL, "PIPEDRIVE_API_URL="+remotes.URL, "PIPEDRIVE_API_KEY=key",
		"GISTDEAL_DATABASE_URL="+filepath.Join(dir, "gistdeal.db"), "GISTDEAL_ADDR=127.0.0.1:0", "GISTDEAL_LOG=json")
	return func(yield func([]byte) bool) {
		serve := exec.CommandContext(t.Context(), binary, "serve")
		serve.Env = env
		lines, err := serve.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := serve.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() {
			_ = serve.Process.Kill()
			_ = serve.Wait() // It was killed.
			remotes.CloseClientConnections()
			s.Close()
			remotes.Close()
		}()
		for in := bufio.NewScanner(lines); in.Scan(); {
			if bytes.Contains(in.Bytes(), []byte(`"listening"`)) {
				add := exec.CommandContext(t.Context(), binary, "users", "add", "alice")
				add.Env = env
				if out, err := add.CombinedOutput(); err != nil {
					t.Fatalf("%v\n%s", err, out)
				}
			}
			if !yield(in.Bytes()) {
				return
			}
		}
	}
}
