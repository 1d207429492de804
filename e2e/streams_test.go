package e2e_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

func TestTwoHundredStreamsReceiveAllEventsUnderLoad(t *testing.T) {
	t.Parallel()
	const streams, gists = 200, 100
	s, env := simulate(t, sim.Options{})
	env["GISTDEAL_PIPEDRIVE_RATE"] = "40" // So that there is something to tell for a while.
	for _, short := range []string{"GISTDEAL_PUSH_TIMEOUT", "GISTDEAL_ABSENCE"} {
		delete(env, short) // Each deal is made at once, also while the machine is busy.
	}
	s.MakeGists("alice", gists)
	p := start(t, env)
	p.get("/livez")
	goroutines, files := p.gauge("go_goroutines"), p.gauge("process_open_fds")

	ctx, leave := context.WithTimeout(t.Context(), 90*time.Second)
	defer leave()
	var listening, told, asking sync.WaitGroup
	listening.Add(streams)
	for range streams {
		told.Go(func() {
			if err := p.followDeals(ctx, gists, listening.Done); err != nil {
				t.Error(err)
				leave() // The others need not wait.
			}
		})
	}
	listening.Wait()
	if open := p.gauge("process_open_fds") - files; open < streams {
		t.Errorf("%v files more are open, want one for each stream", open)
	}
	var asked atomic.Int64
	loaded, rest := context.WithCancel(ctx)
	for i := range 4 {
		asking.Go(func() {
			for n := i; loaded.Err() == nil; n++ {
				path := []string{"/api/v1/users", "/api/v1/overview", "/api/v1/deals?limit=100", "/trackedusers"}[n%4]
				if status, body := p.get(path); status != http.StatusOK {
					t.Errorf("%s: status %d: %.200s", path, status, body)
				}
				asked.Add(1)
			}
		})
	}
	p.user("alice")
	told.Wait()
	rest()
	asking.Wait()
	t.Logf("%d requests were answered meanwhile", asked.Load())
	if asked.Load() < 100 {
		t.Errorf("only %d requests were answered", asked.Load())
	}
	http.DefaultClient.CloseIdleConnections()
	testenv.Eventually(t, "nothing is left of the streams", func() bool {
		return p.gauge("go_goroutines") <= goroutines+20 && p.gauge("process_open_fds") <= files+20
	}, p.out)
}

// followDeals follows the events until that many gists have their deal, each of
// which is told once, and the ids of events rise by one.
func (p *process) followDeals(ctx context.Context, gists int, listening func()) error {
	heard := sync.OnceFunc(listening)
	defer heard()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/api/v1/events", nil)
	if err != nil {
		return err
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	created, last := map[string]bool{}, 0
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		switch name {
		case "id":
			if id, err := strconv.Atoi(value); err != nil || id != last+1 {
				return fmt.Errorf("event %q after %d", value, last)
			}
			last++
			heard()
		case "data":
			if err := note(created, value); err != nil {
				return err
			}
		}
		if len(created) == gists {
			return nil
		}
	}
	return fmt.Errorf("told of %d deals, want %d: %w", len(created), gists, io.ErrUnexpectedEOF)
}

// note adds the gists whose deals an event tells of.
func note(created map[string]bool, data string) error {
	var event struct {
		Deals []struct {
			GistID  string `json:"gist_id"`
			Outcome string
		}
	}
	if err := json.Unmarshal([]byte(data), &event); err != nil {
		return err
	}
	for _, d := range event.Deals {
		if d.Outcome != "made" || created[d.GistID] {
			return fmt.Errorf("%+v after %d others, want it made, and told once", d, len(created))
		}
		created[d.GistID] = true
	}
	return nil
}

// gauge returns a metric without labels.
func (p *process) gauge(name string) float64 {
	p.t.Helper()
	_, text := p.get("/metrics")
	match := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindStringSubmatch(text)
	if match == nil {
		p.t.Fatalf("no %s in:\n%s", name, text)
	}
	value, err := strconv.ParseFloat(match[1], 64)
	if err != nil {
		p.t.Fatal(err)
	}
	return value
}
