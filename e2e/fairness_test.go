package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

const (
	manyGists = 20_000
	// stopPage is the page of the user with many gists at which its list stops.
	stopPage = 10
	// atOnce is how many POSTs may be under way, which no later deal can overtake.
	atOnce = 32
)

// crowd is a program with a user that has many gists, and with others.
type crowd struct {
	*process
	t   *testing.T
	sim *sim.Sim
	env map[string]string

	release chan struct{} // closed when the list goes on

	mu      sync.Mutex
	pages   int      // of all lists after the first pages, which only the user with many gists has
	stopped bool     // a page is not answered
	gaveUp  int      // such pages that were not waited for any longer
	posts   []string // bodies of the POSTs of deals
}

// newCrowd starts a program that has scanned carol.
func newCrowd(t *testing.T) *crowd {
	t.Helper()
	c := &crowd{t: t, release: make(chan struct{})}
	var url string
	c.sim, url = testenv.Simulate(t, testenv.Unlimited(sim.Options{Seed: 1}), c.watch)
	c.env = environment(t, url)
	c.env["GISTDEAL_FEED_INTERVAL"], c.env["GISTDEAL_PUSH_TIMEOUT"], c.env["GISTDEAL_RESEND_AFTER"] = "200ms", "10s", "60s"
	c.sim.MakeGists("many", manyGists)
	c.sim.MakeGists("carol", 30)
	c.process = start(t, c.env)
	waitForDeals(t, c.process, "carol", 30)
	return c
}

// watch counts pages and deals on their way to the simulator, and stops the list.
func (c *crowd) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/api/v2/deals" && r.Method == http.MethodPost:
			body, err := io.ReadAll(r.Body)
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			c.mu.Lock()
			c.posts = append(c.posts, string(body))
			c.mu.Unlock()
		case strings.HasSuffix(r.URL.Path, "/gists") && r.URL.Query().Has("page"):
			c.hold(r)
		}
		next.ServeHTTP(w, r)
	})
}

// hold counts a page, and does not answer it while the list is stopped.
func (c *crowd) hold(r *http.Request) {
	c.mu.Lock()
	c.pages++
	c.stopped = c.pages >= stopPage
	stopped := c.stopped
	c.mu.Unlock()
	if !stopped {
		return
	}
	select {
	case <-c.release:
	case <-r.Context().Done():
		c.mu.Lock()
		defer c.mu.Unlock()
		c.stopped = false
		c.gaveUp++
	}
}

// meanwhile does something while the list is stopped. On a slow machine the program may give up
// the list before that is done: then it is done again with another user.
func (c *crowd) meanwhile(what string, do func(login string)) {
	c.t.Helper()
	state := func() (stopped bool, gaveUp int) {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.stopped, c.gaveUp
	}
	for try := range 5 {
		login := fmt.Sprint(what, "-", try)
		c.sim.MakeGists(login, 30) // More than a query shows, so that a first scan takes a request.
		testenv.Eventually(c.t, "the list stops", func() bool { stopped, _ := state(); return stopped }, c.out)
		_, before := state()
		do(login)
		if _, after := state(); after == before {
			return
		}
	}
	c.t.Errorf("%s: it is done only when the list of another user is given up", what)
}

// before returns how many deals were sent before that of a gist; -1 if that one was not sent.
func (c *crowd) before(gist string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.IndexFunc(c.posts, func(body string) bool { return strings.Contains(body, gist) })
}

// sent returns the number of deals that were sent.
func (c *crowd) sent() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.posts)
}

// noticed waits until the program knows so many gists of a user, however slow the machine is, as
// long as it gets on.
func (c *crowd) noticed(login string, gists int) {
	c.t.Helper()
	for n := 0; n < gists; {
		testenv.Eventually(c.t, "more gists of "+login+" are noticed", func() bool {
			var user struct{ Deals map[string]int }
			_, body := c.get("/api/v1/users/" + login)
			before := n
			if json.Unmarshal([]byte(body), &user) == nil {
				n = 0
				for _, deals := range user.Deals {
					n += deals
				}
			}
			return n > before
		}, c.out)
	}
}

// published posts a gist of carol, calls then, and waits until the gist's deal is sent. It
// returns how many deals were sent before.
func (c *crowd) published(then func()) (before int) {
	c.t.Helper()
	id := c.sim.AddGist("carol", sim.Gist{})
	then()
	testenv.Eventually(c.t, "the new gist has a deal", func() bool { return c.before(id) >= 0 }, c.out)
	return c.before(id)
}

func TestAUserWithTwentyThousandGistsHoldsUpNobody(t *testing.T) {
	t.Parallel()
	for name, add := range map[string]func(*crowd){
		"asked for": func(c *crowd) {
			for !c.released() { // It is asked for again if it is given up.
				c.get("/user/many")
			}
		},
		"in bulk": func(c *crowd) { run(c.t, c.env, "users", "add", "many", "carol") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCrowd(t)
			var adding sync.WaitGroup
			defer adding.Wait()
			goOn := sync.OnceFunc(func() { close(c.release) })
			defer goOn()
			adding.Go(func() { add(c) })
			c.meanwhile("asked-for", func(login string) { c.user(login) })
			c.meanwhile("in-bulk", func(login string) {
				wantRun(t, c.env, 0, "", "users", "add", login, "carol")
				c.noticed(login, 30)
			})
			gists := 30
			c.meanwhile("feed", func(string) { gists++; c.published(func() {}) })

			// While all of its deals are queued, a new gist comes first.
			wantRun(t, c.env, 0, "until `gistdeal resume`", "pause")
			goOn()
			c.noticed("many", manyGists)
			sent := 0
			before := c.published(func() {
				c.noticed("carol", gists+1)
				sent = c.sent()
				wantRun(t, c.env, 0, "", "resume")
			})
			if n := before - sent; n >= atOnce {
				t.Errorf("%d deals of another user came first, want less than %d", n, atOnce)
			}
		})
	}
}

// released reports whether the list goes on.
func (c *crowd) released() bool {
	select {
	case <-c.release:
		return true
	default:
		return false
	}
}
