package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/pgtest"
	"gistdeal/internal/testing/testenv"
)

// restart acts like a service manager: it ends the old process, if any, and
// starts a new one.
const restart = `
set -eu
file=$DIR/$1
if [ -e "$file.pid" ]; then
  pid=$(cat "$file.pid")
  kill -TERM "$pid"
  while kill -0 "$pid" 2>/dev/null && ! grep -q '^State:.Z' "/proc/$pid/status" 2>/dev/null; do sleep 0.05; done
fi
GISTDEAL_ADDR=$1 nohup "$GISTDEAL" >>"$file.log" 2>&1 </dev/null &
echo $! >"$file.pid"
`

// services are instances for scripts/replace.sh.
type services struct {
	t         *testing.T
	dir       string
	env       []string
	addresses []string
}

// newServices starts n instances until the end of the test.
func newServices(t *testing.T, env map[string]string, n int) *services {
	t.Helper()
	s := &services{t: t, dir: t.TempDir(), env: []string{"PATH=/usr/bin:/bin", "GISTDEAL=" + binary, "SETTLE=0.5"}}
	s.env = append(s.env, "DIR="+s.dir)
	for name, value := range env {
		s.env = append(s.env, name+"="+value)
	}
	testenv.Must(t, os.WriteFile(s.command(), []byte(restart), 0o600))
	t.Cleanup(s.end)
	for range n {
		address := testenv.FreeAddress(t)
		s.addresses = append(s.addresses, address)
		s.run("/bin/bash", s.command(), address)
	}
	for _, address := range s.addresses {
		testenv.Eventually(t, address+" is ready", func() bool { return ready(t.Context(), address) }, s)
	}
	return s
}

func (s *services) command() string { return filepath.Join(s.dir, "restart") }

func (s *services) run(args ...string) {
	s.t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = s.env
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("%v: %v\n%s\n%s", args, err, out, s)
	}
}

// replace replaces all instances, one by one.
func (s *services) replace() {
	s.t.Helper()
	s.run(append([]string{"../scripts/replace.sh", "/bin/bash " + s.command()}, s.addresses...)...)
}

// String returns the output of all instances.
func (s *services) String() string {
	files, _ := filepath.Glob(filepath.Join(s.dir, "*.log"))
	text := ""
	for _, file := range files {
		log, _ := os.ReadFile(file)
		text += file + "\n" + string(log)
	}
	return text
}

func (s *services) end() {
	files, _ := filepath.Glob(filepath.Join(s.dir, "*.pid"))
	for _, file := range files {
		text, _ := os.ReadFile(file)
		if pid, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
			_ = syscall.Kill(pid, syscall.SIGKILL) // It may have ended.
		}
	}
}

// balancer distributes requests over the ready instances, which it checks every
// 100 ms. It sends no request twice.
func balancer(t *testing.T, addresses []string) *httptest.Server {
	t.Helper()
	healthy := make([]atomic.Bool, len(addresses))
	check := func(i int) { healthy[i].Store(ready(t.Context(), addresses[i])) }
	stop, checking := make(chan struct{}), sync.WaitGroup{}
	for i := range addresses {
		check(i)
		checking.Go(func() {
			for tick := time.NewTicker(100 * time.Millisecond); ; {
				select {
				case <-tick.C:
					check(i)
				case <-stop:
					return
				}
			}
		})
	}
	var turn atomic.Uint64
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			up := make([]string, 0, len(addresses))
			for i, address := range addresses {
				if healthy[i].Load() {
					up = append(up, address)
				}
			}
			if len(up) == 0 {
				up = addresses
			}
			r.SetURL(&url.URL{Scheme: "http", Host: up[turn.Add(1)%uint64(len(up))]})
		},
	})
	t.Cleanup(func() {
		close(stop)
		checking.Wait()
		proxy.Close()
	})
	return proxy
}

func TestARollingReplacementFailsNoRequestAndDuplicatesNoDeal(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{Seed: 5, ListDelay: 200 * time.Millisecond})
	s.MakeGists("manygists", 300)
	env["GISTDEAL_DATABASE_URL"], env["GISTDEAL_PIPEDRIVE_RATE"] = pgtest.URL(t), "25"
	env["GISTDEAL_DRAIN"], env["GISTDEAL_LEASE"] = "2s", "2s"
	instances := newServices(t, env, 3)
	front := balancer(t, instances.addresses)
	get := func(path string) (int, string) { return (&process{t: t, url: front.URL}).get(path) }
	if status, body := get("/user/manygists"); status != http.StatusOK {
		t.Fatalf("status %d: %s", status, body)
	}

	// Each reader requests a known user and sometimes a new one.
	stop, readers, requested := make(chan struct{}), sync.WaitGroup{}, atomic.Int64{}
	for reader := range 4 {
		readers.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				path := "/user/manygists?peek=true"
				if n%50 == 0 {
					login := fmt.Sprintf("reader%d-%d", reader, n)
					s.MakeGists(login, 2)
					path = "/user/" + login
				}
				if status, body := get(path); status != http.StatusOK {
					t.Errorf("%s: status %d: %s", path, status, body)
				}
				requested.Add(1)
			}
		})
	}
	instances.replace()
	close(stop)
	readers.Wait()
	t.Logf("%d requests during the replacement", requested.Load())
	testenv.Eventually(t, "each gist has a deal", func() bool { return len(s.Report().WithoutDeal) == 0 }, instances)
	noDuplicates(t, s)
	if logs := instances.String(); strings.Count(logs, `"msg":"listening"`) != 6 || strings.Count(logs, `"msg":"stopping"`) != 3 {
		t.Errorf("want six starts and three stops:\n%s", logs)
	}
}

func TestARollingReplacementStopsAtTheFirstInstanceThatIsNotReady(t *testing.T) {
	t.Parallel()
	_, env := simulate(t, sim.Options{})
	env["READY_WAIT"], env["GISTDEAL_DATABASE_URL"] = "1", pgtest.URL(t)
	instances := newServices(t, env, 2)
	first, second := instances.addresses[0], instances.addresses[1]
	replace := func(command string, addresses ...string) {
		t.Helper()
		cmd := exec.Command("../scripts/replace.sh", append([]string{command}, addresses...)...)
		cmd.Env = instances.env
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "is not ready: the others are left as they are") {
			t.Errorf("replacing %v: %v\n%s", addresses, err, out)
		}
	}
	replace("/bin/bash "+instances.command(), first, "127.0.0.1:1")
	if logs := instances.String(); strings.Contains(logs, "stopping") {
		t.Errorf("an instance was replaced while another one was down:\n%s", logs)
	}
	broken := filepath.Join(instances.dir, "broken")
	testenv.Must(t, os.WriteFile(broken, []byte(`kill -TERM "$(cat "$DIR/$1.pid")"`), 0o600))
	replace("/bin/bash "+broken, first, second)
	if !ready(t.Context(), second) {
		t.Errorf("the second instance was replaced:\n%s", instances.String())
	}
}

// ready reports whether the instance at address is ready.
func ready(ctx context.Context, address string) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/readyz", nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}
