package imagetest

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"gistdeal/internal/sim"
)

const (
	mostBytes  = 35_000_000
	adminToken = "admin-token-of-the-long-test"
)

// service is a running image with its data.
type service struct {
	*engine
	sim *sim.Sim
	env string // the file with its configuration
}

func newService(t *testing.T) *service {
	t.Helper()
	s := &service{engine: newEngine(t), sim: sim.New(sim.Options{Seed: 3, Burst: -1, DailyTokens: -1, GitHubLimit: -1})}
	listener, err := net.Listen("tcp", ":0") //nolint:noctx // At once, and in a network of its own.
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(s.sim)
	server.Listener.Close()
	server.Listener = listener
	server.Start()
	t.Cleanup(func() {
		s.sim.Close()
		server.Close()
	})
	url := fmt.Sprintf("http://%s:%d", gateway, listener.Addr().(*net.TCPAddr).Port)
	s.env = filepath.Join(s.dir, "gistdeal.env")
	text := "PIPEDRIVE_API_KEY=secret-pipedrive\nGITHUB_TOKEN=secret-github\nGITHUB_API_URL=" + url + "\nPIPEDRIVE_API_URL=" + url +
		"\nGISTDEAL_PIPEDRIVE_RATE=1000\nGISTDEAL_ADMIN_TOKEN=" + adminToken + "\n"
	if err := os.WriteFile(s.env, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// The parts of this story share one engine and follow one another.
func TestTheImageServesAsTheReadmeSaysThroughErrorsStopsAndRestarts(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.sim.MakeGists("manygists", 20)
	for _, part := range []struct {
		name string
		test func()
	}{
		{"it is small, has no shell and no rights", s.isSmall},
		{"it is healthy, closed, and writes to its volume only", s.serves},
		{"it is restarted after an error", s.isRestarted},
		{"it stops in time in the middle of a push", s.stops},
		{"it is back after the engine was restarted", s.comesBack},
		{"after a restart of the engine the machine's unit starts it anew", s.isStartedByTheUnit},
	} {
		if !t.Run(part.name, func(t *testing.T) { s.during(t, part.test) }) {
			return
		}
	}
	if r := s.sim.Report(); len(r.WithoutDeal) > 0 || len(r.Duplicated) > 0 {
		t.Errorf("without a deal %v, doubled %v", r.WithoutDeal, r.Duplicated)
	}
}

// during reports failures of one part to the test of that part.
func (s *service) during(t *testing.T, part func()) {
	all := s.t
	s.t = t
	defer func() { s.t = all }()
	part()
}

func (s *service) isSmall() {
	size, err := strconv.Atoi(s.docker("image", "inspect", "--format", "{{.Size}}", "gistdeal"))
	if err != nil || size > mostBytes {
		s.t.Errorf("%d bytes, want %d at the most: %v", size, mostBytes, err)
	}
	if user := s.docker("image", "inspect", "--format", "{{.Config.User}}", "gistdeal"); user != "65532:65532" {
		s.t.Errorf("it runs as %q", user)
	}
	if out, err := s.try("run", "--rm", "--entrypoint", "/bin/sh", "gistdeal", "-c", "true"); err == nil {
		s.t.Errorf("there is a shell: %s", out)
	}
}

func (s *service) serves() {
	s.docker(s.readme()...)
	s.eventually("it is healthy", func() bool { return s.inspect("{{.State.Health.Status}}") == "healthy" })
	if status, body := s.get("/user/manygists", ""); status != http.StatusUnauthorized {
		s.t.Errorf("without a token: %d %s", status, body)
	}
	token := s.docker("exec", "gistdeal", "/gistdeal", "tokens", "add", "--name", "me", "--scope", "write")
	token = regexp.MustCompile(`gd_\w+`).FindString(token)
	s.eventually("a user is shown", func() bool {
		status, _ := s.get("/user/manygists", token)
		return status == http.StatusOK
	})
	s.eventually("its deals are made", func() bool { return s.sim.Report().Deals == 20 })
	s.docker("exec", "gistdeal", "/gistdeal", "backup", "/data/copy.db")
	if out, err := s.try("exec", "gistdeal", "/gistdeal", "backup", "/copy.db"); err == nil {
		s.t.Errorf("it writes beside its volume: %s", out)
	}
}

func (s *service) isRestarted() {
	s.signal(syscall.SIGKILL)
	s.eventually("it runs again", func() bool { return s.inspect("{{.RestartCount}} {{.State.Running}}") == "1 true" })
	s.ready()
	// The machine's unit asks for on-failure: an error is tried again, an ordinary end is one.
	s.docker("run", "--detach", "--name", "wrong", "--restart", "on-failure:2", "gistdeal")
	s.eventually("the wrong one was tried twice more", func() bool {
		return s.docker("inspect", "--format", "{{.RestartCount}} {{.State.Status}} {{.State.ExitCode}}", "wrong") == "2 exited 78"
	})
	s.docker("update", "--restart", "on-failure", "gistdeal")
	s.signal(syscall.SIGTERM)
	s.eventually("it has ended", func() bool { return s.inspect("{{.State.Status}} {{.State.ExitCode}}") == "exited 0" })
	s.docker("update", "--restart", "unless-stopped", "gistdeal")
	s.docker("start", "gistdeal")
	s.ready()
}

func (s *service) stops() {
	s.sim.AddFault(sim.Fault{Match: "POST /api/v2/deals", Kind: "latency", Latency: 3 * time.Second})
	s.sim.MakeGists("others", 60)
	s.eventually("a user is shown", func() bool {
		status, _ := s.get("/user/others", adminToken)
		return status == http.StatusOK
	})
	s.eventually("a deal is being sent", func() bool {
		for _, seen := range s.sim.Report().RequestLog {
			if seen.Method == http.MethodPost && seen.Status == 0 {
				return true
			}
		}
		return false
	})
	s.docker("stop", "gistdeal")
	// The engine would have killed it, with status 137.
	if status := s.inspect("{{.State.ExitCode}}"); status != "0" {
		s.t.Errorf("exit status %s\n%s", status, s.docker("logs", "--tail", "20", "gistdeal"))
	}
	s.sim.ClearFaults()
	s.docker("start", "gistdeal")
	s.eventually("all deals are made", func() bool { return s.sim.Report().Deals == 80 })
}

func (s *service) comesBack() {
	s.restart()
	s.ready()
	s.docker("rm", "--force", "gistdeal")
}

func (s *service) isStartedByTheUnit() {
	commands := s.unit()
	start := func() {
		for _, command := range commands {
			if out, err := s.try(command.args...); err != nil && command.must {
				s.t.Fatalf("%v: %v\n%s", command.args, err, out)
			}
		}
	}
	start()
	s.ready()
	// The program ends on an error that no restart can fix, so that somebody notices.
	if policy := s.inspect("{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}}"); policy != "on-failure 10" {
		s.t.Errorf("the engine restarts it: %s", policy)
	}
	s.restart()
	start()
	s.ready()
}

// readme is the command of docs/deploy.md that starts a container.
func (s *service) readme() []string {
	s.t.Helper()
	command := regexp.MustCompile(`(?m)^docker (run --detach (?:.*\\\n)*.*)$`).FindStringSubmatch(read(s.t, "../../docs/deploy.md"))
	if command == nil {
		s.t.Fatal("docs/deploy.md starts no container")
	}
	return strings.Fields(strings.NewReplacer("\\\n", " ", "gistdeal.env", s.env).Replace(command[1]))
}

// command is a command of a systemd unit; must means that it may not fail.
type command struct {
	must bool
	args []string
}

// unit returns the docker commands of the unit that the start-up script of a
// machine writes, without its log driver, which asks AWS.
func (s *service) unit() []command {
	s.t.Helper()
	_, text, _ := strings.Cut(read(s.t, "../startup.sh.tftpl"), "put /etc/systemd/system/gistdeal.service ")
	text, _, _ = strings.Cut(text, "\nUNIT\n")
	text = strings.NewReplacer("\\\n", " ", "${limits.stop}", "60", "$account", "65532", "$id", "gistdeal",
		"/etc/gistdeal/env", s.env, "/etc/gistdeal:", s.dir+":").Replace(text)
	text = regexp.MustCompile(`--log-\S+ \S+`).ReplaceAllString(text, "")
	var commands []command
	for _, line := range regexp.MustCompile(`(?m)^ExecStart(?:Pre)?=(-?)/usr/bin/docker (.*)$`).FindAllStringSubmatch(text, -1) {
		commands = append(commands, command{line[1] == "", strings.Fields(line[2])})
	}
	if len(commands) < 3 {
		s.t.Fatalf("the unit has only %d commands", len(commands))
	}
	return commands
}

func (s *service) inspect(format string) string {
	s.t.Helper()
	return s.docker("inspect", "--format", format, "gistdeal")
}

// ready waits for less than a health check, which the engine makes each 10 seconds.
func (s *service) ready() {
	s.t.Helper()
	s.eventually("it is ready", func() bool {
		status, _ := s.get("/readyz", "")
		return status == http.StatusOK
	})
}

// signal sends the program a signal as others than the engine do.
func (s *service) signal(signal syscall.Signal) {
	s.t.Helper()
	pid, err := strconv.Atoi(s.inspect("{{.State.Pid}}"))
	if err != nil || pid == 0 {
		s.t.Fatalf("process %d: %v", pid, err)
	}
	if err := syscall.Kill(pid, signal); err != nil {
		s.t.Fatal(err)
	}
}

func (s *service) get(path, token string) (status int, body string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, "http://127.0.0.1:8050"+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, string(text)
}
