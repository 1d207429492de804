package boottest

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"gistdeal/internal/sim"
)

// audience is many clients that follow events and reconnect when cut off.
type audience struct {
	client *http.Client
	url    string

	mu     sync.Mutex
	opened int            // streams, including reconnections
	saw    map[string]int // how many visitors were told of a gist
	wrong  []string       // unexpected answers
}

// listen follows events as one visitor, from that address, until the context ends.
func (a *audience) listen(ctx context.Context, address string) {
	for ctx.Err() == nil {
		if err := a.stream(ctx, address); err != nil && ctx.Err() == nil {
			a.mu.Lock()
			a.wrong = append(a.wrong, err.Error())
			a.mu.Unlock()
			return
		}
	}
}

// stream follows one stream to its end. The ids of its events must not fall.
func (a *audience) stream(ctx context.Context, address string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+adminToken)
	request.Header.Set("X-Forwarded-For", address)
	response, err := a.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("a stream's status is %d", response.StatusCode)
	}
	first, last := true, int64(0)
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), "id: "); ok {
			id, err := strconv.ParseInt(value, 10, 64)
			if err != nil || id < last {
				return fmt.Errorf("event %s comes after %d", value, last)
			}
			last = id
		}
		a.hear(lines.Text(), first)
		first = first && !strings.HasPrefix(lines.Text(), "data: ")
	}
	return nil // nginx cut it.
}

// hear counts the events of a line; the first event of a stream means that it is open.
func (a *audience) hear(line string, first bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if first && strings.HasPrefix(line, "data: ") {
		a.opened++
	}
	for gist := range a.saw {
		if strings.HasPrefix(line, "data: ") && strings.Contains(line, gist) && strings.Contains(line, `"deal.created"`) {
			a.saw[gist]++
		}
	}
}

// open waits until so many streams were opened.
func (a *audience) open(t *testing.T, want int) {
	t.Helper()
	eventually(t, time.Minute, func() error {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.opened < want || len(a.wrong) > 0 {
			return fmt.Errorf("%d streams were opened, want %d; %q", a.opened, want, a.wrong)
		}
		return nil
	})
}

// hears posts a gist and waits until all of the audience were told of its deal.
func (a *audience) hears(m *machine, login string, want int) {
	m.t.Helper()
	m.sim.AddUser(sim.User{Login: login})
	gist := m.sim.AddGist(login, sim.Gist{Description: "told to many"})
	a.mu.Lock()
	a.saw[gist] = 0
	a.mu.Unlock()
	if r, err := m.ask(gatewayAddress, balancerAddress, "POST", "https://"+apiDomain+"/user/"+login, nil, adminLogin); err != nil || r.status != 200 {
		m.t.Fatalf("tracking: %d, %v: %s", r.status, err, r.body)
	}
	eventually(m.t, 20*time.Second, func() error {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.saw[gist] < want || len(a.wrong) > 0 {
			return fmt.Errorf("%d were told of %s's gist, want %d; %q", a.saw[gist], login, want, a.wrong)
		}
		return nil
	})
}

func TestEventsReachTwoHundredStreamsAcrossAReloadOfNginx(t *testing.T) {
	t.Parallel()
	w := enter(t)
	if w == nil {
		return
	}
	w.sh("rmdir /srv/world/shared") // The machine's own certificate will do.
	m := w.started(strings.Replace(render(t, parameterised), "worker_shutdown_timeout 30s;", "worker_shutdown_timeout 20s;", 1))
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // As the load balancer does.
		DialContext:     (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(balancerAddress)}}).DialContext,
	}
	a := &audience{client: &http.Client{Transport: transport}, url: "https://" + m.address + "/api/v1/events", saw: map[string]int{}}
	ctx, leave := context.WithCancel(t.Context())
	var visitors sync.WaitGroup
	defer visitors.Wait()
	defer leave()
	const many = 200
	for i := range many {
		visitors.Go(func() { a.listen(ctx, fmt.Sprintf("203.0.113.%d", i)) })
	}
	a.open(t, many)
	a.hears(m, "octocat", many)
	m.ran("/usr/sbin/nginx", "-s", "reload")
	a.hears(m, "hubot", many) // By the old workers of nginx, which stay as long as a machine drains.
	a.open(t, 2*many)         // By the new ones, once the old are gone.
	a.hears(m, "monalisa", many)
}
