package torture_test

import (
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/failpoint"
	"gistdeal/internal/testing/testenv"
)

func TestAKillWithinABatchABulkAddOrAPageOfTheFeedLosesNothing(t *testing.T) {
	t.Parallel()
	for _, at := range []string{
		failpoint.UserTakenIn + "#1", failpoint.UserTakenIn + "#60", failpoint.UsersRequested + "#1", failpoint.UsersRequested + "#2", failpoint.FeedUserSaved + "#1", failpoint.FeedUserSaved + "#4",
	} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			const users = 240
			s, url := testenv.Simulate(t, testenv.Unlimited(sim.Options{Seed: 1}))
			logins := make([]string, users)
			for i := range logins {
				logins[i] = fmt.Sprint("user-", i)
				u := sim.User{Login: logins[i]}
				if i%4 == 0 {
					u.Gists = []sim.Gist{{ID: fmt.Sprintf("a%04d", i)}}
				}
				s.AddUser(u)
			}
			l := lives{t: t, database: filepath.Join(t.TempDir(), "test.db"), url: url, interval: "3s"}
			if strings.HasPrefix(at, failpoint.FeedUserSaved) {
				l.interval = "3h" // No sweep finds what the feed loses.
			}
			first := l.start("kill=" + at)
			first.add(logins)
			if strings.HasPrefix(at, failpoint.FeedUserSaved) {
				testenv.Eventually(t, "all users are tracked, or the program has died", func() bool { return first.dead() || first.tracked() == users }, first.out)
			}
			for _, login := range logins[:10] { // For one page of the feed.
				s.AddGist(login, sim.Gist{})
			}
			testenv.Eventually(t, "the program has died", first.dead, first.out)
			second := l.start("")
			if second.tracked() < users {
				second.add(logins) // The answer to the first request may be lost.
			}
			testenv.Eventually(t, "each user is tracked and each gist has a deal", func() bool {
				return second.tracked() == users && len(s.Report().WithoutDeal) == 0
			}, second.out)
			if r := s.Report(); len(r.Duplicated) > 0 || r.Gists != users/4+10 {
				t.Errorf("%d gists, duplicated: %v\n%s", r.Gists, r.Duplicated, second.out)
			}
		})
	}
}

// lives starts the program on one database.
type lives struct {
	t             *testing.T
	database, url string
	interval      string // between two sweeps
}

// life is one run of the program.
type life struct {
	t     *testing.T
	url   string
	out   *testenv.Log
	ended chan struct{}
}

var listens = regexp.MustCompile(`"msg":"listening","address":"([^"]+)"`)

// start starts the program with a fail point, and waits until it listens.
func (l lives) start(point string) *life {
	l.t.Helper()
	p := &life{t: l.t, out: &testenv.Log{}, ended: make(chan struct{})}
	cmd := exec.Command(program)
	cmd.Dir, cmd.Stdout, cmd.Stderr = filepath.Dir(l.database), p.out, p.out
	cmd.Env = []string{
		"FAILPOINT=" + point, "GITHUB_API_URL=" + l.url, "GITHUB_TOKEN=secret-github", "PIPEDRIVE_API_URL=" + l.url, "PIPEDRIVE_API_KEY=secret-pipedrive",
		"GISTDEAL_ADDR=127.0.0.1:0", "GISTDEAL_DATABASE_URL=" + l.database, "GISTDEAL_PIPEDRIVE_RATE=200", "GISTDEAL_SCAN_INTERVAL=" + l.interval,
		"GISTDEAL_FEED_INTERVAL=100ms", "GISTDEAL_PUSH_TIMEOUT=2s", "GISTDEAL_RESEND_AFTER=3s", "GISTDEAL_LOG=json",
	}
	testenv.Must(l.t, cmd.Start())
	go func() {
		defer close(p.ended)
		_ = cmd.Wait() // It is killed.
	}()
	l.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGKILL) // It may have ended.
		<-p.ended
	})
	testenv.Eventually(l.t, "the program listens", func() bool {
		if match := listens.FindStringSubmatch(p.out.String()); match != nil {
			p.url = "http://" + match[1]
		}
		return p.url != "" || p.dead()
	}, p.out)
	return p
}

func (p *life) dead() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// add adds users in bulk. The program may die meanwhile.
func (p *life) add(logins []string) {
	p.t.Helper()
	body := `{"users": ["` + strings.Join(logins, `", "`) + `"]}`
	resp, err := http.Post(p.url+"/api/v1/users", "application/json", strings.NewReader(body)) //nolint:noctx // The program dies.
	if err != nil {
		return
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		text, _ := io.ReadAll(resp.Body) //nolint:errcheck // It may be cut off.
		p.t.Errorf("status %d: %s", resp.StatusCode, text)
	}
}

// tracked returns the number of tracked users, 0 if the program has died.
func (p *life) tracked() int {
	resp, err := http.Get(p.url + "/trackedusers") //nolint:noctx // The program dies.
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body) //nolint:errcheck // It may be cut off.
	return strings.Count(string(text), `"`) / 2
}
