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

	"gistdeal"
	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

func TestTwoHundredStreamsReceiveAllEventsUnderLoad(t *testing.T) {
	t.Parallel()
	const streams, gists = 200, 100
	s, env := simulate(t, sim.Options{})
	env["GISTDEAL_PIPEDRIVE_RATE"] = "40" // Slow, so that events last for a while.
	for _, short := range []string{"GISTDEAL_PUSH_TIMEOUT", "GISTDEAL_RESEND_AFTER"} {
		delete(env, short) // No POST may time out while the machine is busy.
	}
	s.MakeGists("alice", gists)
	p := start(t, env)
	p.get("/livez")
	goroutines, files := p.gauge("go_goroutines"), p.gauge("process_open_fds")

	ctx, leave := context.WithTimeout(t.Context(), 90*time.Second)
	defer leave()
	var listening, followers, requests sync.WaitGroup
	listening.Add(streams)
	for range streams {
		followers.Go(func() {
			if err := p.followDeals(ctx, gists, listening.Done); err != nil {
				t.Error(err)
				leave() // One failure ends the test.
			}
		})
	}
	listening.Wait()
	if open := p.gauge("process_open_fds") - files; open < streams {
		t.Errorf("%v more files are open, want one for each stream", open)
	}
	var requested atomic.Int64
	loaded, rest := context.WithCancel(ctx)
	for i := range 4 {
		requests.Go(func() {
			for n := i; loaded.Err() == nil; n++ {
				path := []string{"/api/v1/users", "/api/v1/overview", "/api/v1/deals?limit=100", "/trackedusers"}[n%4]
				if status, body := p.get(path); status != http.StatusOK {
					t.Errorf("%s: status %d: %.200s", path, status, body)
				}
				requested.Add(1)
			}
		})
	}
	p.user("alice")
	followers.Wait()
	rest()
	requests.Wait()
	t.Logf("%d requests were answered in the meantime", requested.Load())
	if requested.Load() < 100 {
		t.Errorf("only %d requests were answered", requested.Load())
	}
	http.DefaultClient.CloseIdleConnections()
	testenv.Eventually(t, "the streams are cleaned up", func() bool {
		return p.gauge("go_goroutines") <= goroutines+20 && p.gauge("process_open_fds") <= files+20
	}, p.out)
}

// followDeals reads events until that many gists have their deal. Each deal must
// occur once, and the ids of events must grow; a ping repeats the last one.
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
	created, last := map[string]bool{}, int64(0)
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		switch name {
		case "id":
			id, err := strconv.ParseInt(value, 10, 64)
			if err != nil || id < last {
				return fmt.Errorf("event %q after %d", value, last)
			}
			last = id
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
	return fmt.Errorf("%d deals in the events, want %d: %w", len(created), gists, io.ErrUnexpectedEOF)
}

// note adds the gist of an event that tells of a created deal.
func note(created map[string]bool, data string) error {
	var event gistdeal.Event
	if err := json.Unmarshal([]byte(data), &event); err != nil {
		return err
	}
	if event.Type != gistdeal.EventDealCreated {
		return nil
	}
	if created[event.GistID] {
		return fmt.Errorf("%+v after %d others, want each deal once", event, len(created))
	}
	created[event.GistID] = true
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
	testenv.Must(p.t, err)
	return value
}
