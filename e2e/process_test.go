package e2e_test

import (
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

// binary is the path of the real program, which is built once for all tests.
var binary string

func TestMain(m *testing.M) {
	tempDir := func() (string, error) { return os.MkdirTemp("", "gistdeal-test-") }
	os.Exit(testenv.Main(m, tempDir, func(dir string) (err error) {
		if err := os.Chmod(dir, 0o755); err != nil { // One test runs the program as another user.
			return err
		}
		binary, err = testenv.Build(context.Background(), dir, "gistdeal/cmd/gistdeal")
		return err
	}))
}

// process is a running program.
type process struct {
	t     testing.TB
	cmd   *exec.Cmd
	url   string
	out   *testenv.Log
	ended chan struct{}
}

// start starts the program with only env as its environment and waits until it
// listens.
func start(t testing.TB, env map[string]string, args ...string) *process {
	t.Helper()
	p := launch(t, env, args...)
	testenv.Eventually(t, "the program listens", func() bool {
		select {
		case <-p.ended:
			t.Fatalf("the program ended: %v\n%s", p.cmd.ProcessState, p.out)
		default:
		}
		if match := listening.FindStringSubmatch(p.out.String()); match != nil {
			p.url = "http://" + match[1]
		}
		return p.url != ""
	}, p.out)
	return p
}

var listening = regexp.MustCompile(`"msg":"listening","address":"([^"]+)"`)

// launch starts the program and kills it at the end of the test.
func launch(t testing.TB, env map[string]string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(binary, args...), out: &testenv.Log{}, ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	p.cmd.Dir = t.TempDir()
	p.cmd.Env = []string{"HOME=" + p.cmd.Dir, "PATH=/usr/bin:/bin"}
	for name, value := range env {
		p.cmd.Env = append(p.cmd.Env, name+"="+value)
	}
	testenv.Must(t, p.cmd.Start())
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // Its outcome is in ProcessState.
	}()
	t.Cleanup(func() { p.signal(syscall.SIGKILL) })
	return p
}

// signal sends a signal to the program and waits until it ends.
func (p *process) signal(s syscall.Signal) int {
	p.t.Helper()
	_ = p.cmd.Process.Signal(s) // It may have ended.
	select {
	case <-p.ended:
	case <-time.After(30 * time.Second):
		p.t.Errorf("the program has not ended 30 s after %v\n%s", s, p.out)
	}
	return p.cmd.ProcessState.ExitCode()
}

// exit waits until the program ends by itself.
func (p *process) exit() (status int, output string) {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(30 * time.Second):
		p.t.Fatalf("the program has not ended after 30 s\n%s", p.out)
	}
	return p.cmd.ProcessState.ExitCode(), p.out.String()
}

// get sends a GET request and returns the status and body of the answer.
func (p *process) get(path string) (status int, body string) {
	p.t.Helper()
	resp, err := http.Get(p.url + path) //nolint:noctx // The program is killed at the end of the test.
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Error(err)
	}
	return resp.StatusCode, string(text)
}

// put sends a PUT request with a JSON body and expects success.
func (p *process) put(path, body string) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodPut, p.url+path, strings.NewReader(body))
	testenv.Must(p.t, err)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	testenv.Must(p.t, err)
	defer resp.Body.Close()
	if text, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK {
		p.t.Fatalf("PUT %s: status %d: %s", path, resp.StatusCode, text)
	}
}

// user is the answer of /user/{login}.
type user struct {
	Old []shown `json:"old_gists"`
	New []shown `json:"new_gists"`
}

type shown struct {
	ID   string `json:"id"`
	Deal struct {
		State  string `json:"state"`
		Reason string `json:"reason"`
	} `json:"deal"`
}

// user requests a login until its first scan has ended.
func (p *process) user(login string) user {
	p.t.Helper()
	var u user
	testenv.Eventually(p.t, login+" is shown", func() bool {
		status, body := p.get("/user/" + login)
		if status != http.StatusOK {
			return false
		}
		testenv.Must(p.t, json.Unmarshal([]byte(body), &u))
		return true
	}, p.out)
	return u
}

// simulate starts simulators without quotas. It returns them with an environment
// in which the program uses them and a database of its own.
func simulate(t testing.TB, o sim.Options) (*sim.Sim, map[string]string) {
	t.Helper()
	s, url := testenv.Simulate(t, testenv.Unlimited(o))
	return s, environment(t, url)
}

func environment(t testing.TB, url string) map[string]string {
	t.Helper()
	return map[string]string{
		"GITHUB_API_URL": url, "GITHUB_TOKEN": "secret-github",
		"PIPEDRIVE_API_URL": url, "PIPEDRIVE_API_KEY": "secret-pipedrive",
		"GISTDEAL_ADDR": "127.0.0.1:0", "GISTDEAL_DATABASE_URL": filepath.Join(t.TempDir(), "test.db"),
		"GISTDEAL_PIPEDRIVE_RATE": "1000", "GISTDEAL_PUSH_TIMEOUT": "500ms", "GISTDEAL_RESEND_AFTER": "2s",
	}
}

// noSecret fails the test if the output contains a secret.
func noSecret(t *testing.T, p *process) {
	t.Helper()
	if strings.Contains(p.out.String(), "secret-") {
		t.Errorf("a secret is in the output:\n%s", p.out)
	}
}

// wantDeals checks the number of deals and that no gist has two.
func wantDeals(t *testing.T, s *sim.Sim, want int) {
	t.Helper()
	if got := s.Report().Deals; got != want {
		t.Errorf("%d deals, want %d", got, want)
	}
	noDuplicates(t, s)
}

// noDuplicates fails the test if a gist has more than one deal.
func noDuplicates(t *testing.T, s *sim.Sim) {
	t.Helper()
	if duplicates := s.Report().Duplicated; len(duplicates) > 0 {
		t.Errorf("gists with more than one deal: %v", duplicates)
	}
}

// waitForDeals waits until the program shows deals for n gists of a user.
func waitForDeals(t *testing.T, p *process, login string, n int) {
	t.Helper()
	testenv.Eventually(t, "all deals of "+login+" exist", func() bool {
		u := p.user(login)
		created := 0
		for _, g := range append(u.Old, u.New...) {
			if g.Deal.State == "created" {
				created++
			}
		}
		return created == n
	}, p.out)
}

// contents returns the files of a folder.
func contents(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			files[name], err = os.ReadFile(name)
		}
		return err
	})
	testenv.Must(t, err)
	return files
}
