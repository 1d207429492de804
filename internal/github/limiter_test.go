package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"gistdeal"
	"gistdeal/internal/sim"
)

// tracker passes requests to a simulated GitHub without a socket, so that time can
// be virtual. It records the time of each request and the number under way.
type tracker struct {
	handled
	mu        sync.Mutex
	sent      []time.Time
	now, most int
}

func (k *tracker) RoundTrip(r *http.Request) (*http.Response, error) {
	k.mu.Lock()
	k.sent = append(k.sent, time.Now())
	k.now++
	k.most = max(k.most, k.now)
	k.mu.Unlock()
	defer func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.now--
	}()
	return k.handled.RoundTrip(r)
}

func (k *tracker) count() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.sent)
}

// inVirtualTime runs a scenario with a simulated GitHub and a client.
func inVirtualTime(t *testing.T, o sim.Options, token string, scenario func(t *testing.T, s *sim.Sim, c *Client, k *tracker)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := sim.New(o)
		defer s.Close()
		k := &tracker{handled: handled{s}}
		c, err := New("https://api.github.com", Options{Token: token, Transport: k})
		if err != nil {
			t.Fatal(err)
		}
		scenario(t, s, c, k)
	})
}

// about fails the test unless got is want or up to 2 seconds more, because GitHub
// sends whole seconds.
func about(t *testing.T, what string, got, want time.Duration) {
	t.Helper()
	if got < want || got > want+2*time.Second {
		t.Errorf("%s: %s, want %s", what, got, want)
	}
}

// limited fails the test unless err is Limited for about wait.
func limited(t *testing.T, what string, err error, wait time.Duration) {
	t.Helper()
	if gistdeal.KindOf(err) != gistdeal.Limited {
		t.Fatalf("%s: %v, want a Limited error", what, err)
	}
	about(t, what, gistdeal.RetryAfter(err), wait)
}

// broken is a network without a connection.
type broken struct{}

func (broken) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("no network") }

func lookUp(c *Client) error {
	_, err := c.User(context.Background(), "octocat")
	return err
}

func TestASpentHourlyQuotaStopsAllRequestsUntilTheReset(t *testing.T) {
	t.Parallel()
	inVirtualTime(t, sim.Options{GitHubLimit: 7}, token, func(t *testing.T, s *sim.Sim, c *Client, k *tracker) {
		s.MakeGists("octocat", 1150)
		begin := time.Now()
		var pages sync.WaitGroup
		pages.Go(func() {
			if ids, l := read(t, c, ""); len(ids) != 1150 || l.Requests != 12 || l.Pages != 12 {
				t.Errorf("%d gists, %+v, want 1150 in 12 requests", len(ids), l)
			}
		})
		synctest.Wait() // 7 pages are read and the list waits.
		time.Sleep(20 * time.Minute)
		for range 5 {
			limited(t, "meanwhile", lookUp(c), 40*time.Minute)
		}
		if n := k.count(); n != 7 {
			t.Errorf("%d requests in the hour, want 7 and none refused by GitHub", n)
		}
		pages.Wait()
		about(t, "the reading", time.Since(begin), time.Hour)
		if err := lookUp(c); err != nil {
			t.Errorf("after the reset: %v", err)
		}
		if n := s.Report().Limited; n != 0 {
			t.Errorf("%d requests refused, want none", n)
		}
	})
}

func TestAnHourlyQuotaSpentByOthersStopsAllRequests(t *testing.T) {
	t.Parallel()
	inVirtualTime(t, sim.Options{}, token, func(t *testing.T, s *sim.Sim, c *Client, k *tracker) {
		s.MakeGists("octocat", 1)
		s.AddFault(sim.Fault{Kind: "gh-primary", Times: 1})
		limited(t, "at once", lookUp(c), time.Hour)
		time.Sleep(59 * time.Minute)
		limited(t, "later", lookUp(c), time.Minute)
		limited(t, "later", c.Ready(), time.Minute)
		time.Sleep(time.Minute + time.Second)
		if err := lookUp(c); err != nil || k.count() != 2 {
			t.Errorf("after the reset: %v; %d requests, want 2", err, k.count())
		}
	})
}

func TestAListEndsWithoutRepetitionIfEveryThirdRequestIsLimited(t *testing.T) {
	t.Parallel()
	inVirtualTime(t, sim.Options{}, token, func(t *testing.T, s *sim.Sim, c *Client, k *tracker) {
		s.MakeGists("octocat", 1150)
		s.AddFault(sim.Fault{Match: "GET /user", Kind: "limit", Every: 3})
		begin := time.Now()
		ids, l := read(t, c, "")
		// 17 requests; GitHub refuses the 3rd, 6th, 9th, 12th and 15th.
		if len(ids) != 1150 || l.Pages != 12 || l.Requests != 17 || k.count() != 17 {
			t.Errorf("%d gists, %+v, %d requests, want 1150 of 12 pages in 17 requests", len(ids), l, k.count())
		}
		about(t, "the reading", time.Since(begin), 5*time.Minute)
	})
}

func TestALimitOnPageOneIsReturnedAtOnce(t *testing.T) {
	t.Parallel()
	inVirtualTime(t, sim.Options{}, token, func(t *testing.T, s *sim.Sim, c *Client, k *tracker) {
		s.MakeGists("octocat", 150)
		s.AddFault(sim.Fault{Match: "GET /users", Kind: "limit", Times: 1})
		l, err := listGists(t.Context(), c, "octocat", "", none(t))
		limited(t, "refused", err, time.Minute)
		time.Sleep(20 * time.Second)
		unsent, err := listGists(t.Context(), c, "octocat", "", none(t))
		limited(t, "not_sent", err, 40*time.Second)
		if l.Requests != 1 || unsent.Requests != 0 || k.count() != 1 {
			t.Errorf("counted %d and %d requests, sent %d; want 1, 0 and 1", l.Requests, unsent.Requests, k.count())
		}
	})
}

func TestALimitWithoutARetryTimeBacksOffLongerEachTime(t *testing.T) {
	t.Parallel()
	inVirtualTime(t, sim.Options{}, token, func(t *testing.T, s *sim.Sim, c *Client, k *tracker) {
		limit := sim.Fault{Match: "GET /user", Kind: "limit", Header: map[string]string{"Retry-After": ""}}
		users := []string{"octocat", "alice", "bob"}
		refused := func() (err error) {
			for _, login := range users {
				_, err = c.User(context.Background(), login)
			}
			return err
		}
		for _, login := range users {
			s.AddUser(sim.User{Login: login})
		}
		s.AddFault(limit)
		limited(t, "three users in a row", refused(), time.Minute)
		for wait := 2 * time.Minute; wait <= 64*time.Minute; wait *= 2 {
			time.Sleep(wait / 2)
			limited(t, "one more", lookUp(c), wait)
		}
		if n := k.count(); n != 3+6 {
			t.Errorf("%d requests, want 3 and one after each wait", n)
		}
		time.Sleep(64 * time.Minute)
		s.ClearFaults()
		if err := refused(); err != nil {
			t.Fatal(err)
		}
		s.AddFault(limit)
		limited(t, "after a success", refused(), time.Minute)
	})
}

func TestAListThatAlwaysAnswersALimitStopsTheOthersOnce(t *testing.T) {
	t.Parallel()
	inVirtualTime(t, sim.Options{}, token, func(t *testing.T, s *sim.Sim, c *Client, _ *tracker) {
		s.AddUser(sim.User{Login: "octocat"})
		s.AddFault(sim.Fault{Match: "GET /users/heavy", Kind: "limit"}) // with a Retry-After of a minute
		heavy := func() error {
			_, err := listGists(t.Context(), c, "heavy", "", none(t))
			return err
		}
		limited(t, "the first time", heavy(), time.Minute)
		limited(t, "the others", lookUp(c), time.Minute)
		for range 10 {
			time.Sleep(time.Minute)
			if err := lookUp(c); err != nil {
				t.Errorf("another user: %v", err)
			}
			limited(t, "again", heavy(), time.Minute)
			if err := c.Ready(); err != nil {
				t.Errorf("others were answered since the last refusal, but: %v", err)
			}
		}
	})
}

func TestAWaitingListEndsWithItsContext(t *testing.T) {
	t.Parallel()
	inVirtualTime(t, sim.Options{}, token, func(t *testing.T, s *sim.Sim, c *Client, _ *tracker) {
		s.MakeGists("octocat", 150)
		s.AddFault(sim.Fault{Match: "GET /user/", Kind: "gh-primary"})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		begin := time.Now()
		_, err := listGists(ctx, c, "octocat", "", func(gistdeal.GistPage) error { return nil })
		wantKind(t, err, gistdeal.Temporary)
		about(t, "ended", time.Since(begin), 10*time.Second)
	})
}

func TestConcurrentListsSendNothingAfterTheFirstRefusal(t *testing.T) {
	t.Parallel()
	inVirtualTime(t, sim.Options{Latency: 100 * time.Millisecond}, token, func(t *testing.T, s *sim.Sim, c *Client, k *tracker) {
		s.AddUser(sim.User{Login: "octocat"})
		s.AddFault(sim.Fault{Kind: "limit", After: 20})
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() { _ = lookUp(c) })
		}
		all.Wait()
		if n := k.count(); k.most != inFlight || n > 20+inFlight {
			t.Errorf("%d requests at a time and %d in total, want %d at a time and at most as many after the 20th", k.most, n, inFlight)
		}
	})
}

func TestNoMinuteExceedsGitHubsRequestLimit(t *testing.T) {
	t.Parallel()
	inVirtualTime(t, sim.Options{GitHubLimit: -1, Latency: time.Millisecond}, token, func(t *testing.T, s *sim.Sim, c *Client, k *tracker) {
		s.AddUser(sim.User{Login: "octocat"})
		var all sync.WaitGroup
		for _, client := range []*Client{c, c, c.Background(), c.Background()} {
			all.Go(func() {
				for range 400 {
					if err := lookUp(client); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		for i, from := range k.sent {
			n := 0
			for _, sent := range k.sent[i:] {
				if sent.Sub(from) < time.Minute {
					n++
				}
			}
			if n > burst+60*perSecond {
				t.Fatalf("%d requests within a minute", n)
			}
		}
	})
}

func TestInteractiveRequestsDoNotWaitForBackgroundWork(t *testing.T) {
	t.Parallel()
	inVirtualTime(t, sim.Options{GitHubLimit: -1}, token, func(t *testing.T, s *sim.Sim, c *Client, k *tracker) {
		s.MakeGists("octocat", 5000)
		s.AddUser(sim.User{Login: "quiet"})
		background := c.Background()
		var stop atomic.Bool
		var work sync.WaitGroup
		for range 2 * inFlight {
			work.Go(func() {
				for !stop.Load() {
					if _, err := background.User(t.Context(), "quiet"); err != nil {
						t.Error(err)
					}
				}
			})
		}
		time.Sleep(2 * time.Minute)
		if n := k.count(); n > 2*60*backgroundPerSecond+backgroundBurst {
			t.Errorf("%d background requests in 2 minutes", n)
		}
		for range 2 { // 51 requests each
			begin := time.Now()
			if err := lookUp(c); err != nil {
				t.Fatal(err)
			}
			read(t, c, "")
			about(t, "51 requests beside background work", time.Since(begin), 0)
		}
		stop.Store(true)
		work.Wait()
	})
}

func TestBackgroundWorkLeavesTheReservedTenthOfTheHour(t *testing.T) {
	t.Parallel()
	inVirtualTime(t, sim.Options{GitHubLimit: 200}, token, func(t *testing.T, s *sim.Sim, c *Client, _ *tracker) {
		s.MakeGists("octocat", 250)
		background := c.Background()
		for range 179 {
			if err := lookUp(background); err != nil {
				t.Fatal(err)
			}
		}
		if err := background.Ready(); err != nil {
			t.Errorf("with 21 of 200 left: %v", err)
		}
		began := time.Now()
		read(t, background, "") // May continue below the reserved share: 18 are left.
		hour := c.Quota().Reset.Sub(began)
		limited(t, "18 left", background.Ready(), hour-2*time.Second)
		if err := c.Ready(); err != nil {
			t.Errorf("an interactive request has to wait: %v", err)
		}
		for range 18 {
			if err := lookUp(c); err != nil {
				t.Fatal(err)
			}
		}
		limited(t, "people, none left", c.Ready(), hour-2*time.Second)
		time.Sleep(hour)
		if err := background.Ready(); err != nil {
			t.Errorf("after the reset: %v", err)
		}
	})
}

func TestWithoutATokenBackgroundWorkMaySend50RequestsAnHour(t *testing.T) {
	t.Parallel()
	inVirtualTime(t, sim.Options{}, "", func(t *testing.T, s *sim.Sim, c *Client, k *tracker) {
		background, etag := c.Background(), ""
		s.MakeGists("octocat", 100)
		for background.Ready() == nil {
			_, l := read(t, background, etag) // A 304 is not free without a token.
			etag = l.ETag
		}
		if n := k.count(); n != AnonymousLimit-Reserved(AnonymousLimit) || n != 50 {
			t.Errorf("%d background requests, want 50", n)
		}
		for range 10 {
			if err := lookUp(c); err != nil {
				t.Fatal(err)
			}
		}
		limited(t, "the 61st", lookUp(c), time.Until(c.Quota().Reset))
		wantText(t, lookUp(c), "all 60 requests that GitHub allows this hour are spent: set GITHUB_TOKEN")
		time.Sleep(time.Until(c.Quota().Reset))
		read(t, background, etag)
		if b := c.Quota(); b.Limit != 60 || b.Remaining != 59 || s.Report().Limited != 0 {
			t.Errorf("%+v and %d refusals, want 59 of 60 left and none", b, s.Report().Limited)
		}
	})
}

func TestTheQuotaIsThatOfTheNewestAnswer(t *testing.T) {
	t.Parallel()
	// GitHub's clock is 25 years behind, and its hour has 90 s left.
	header := fields{"Date": "Sun, 23 Nov 2001 10:00:00 GMT", "X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "4000", "X-RateLimit-Reset": "1006509690"}
	c, _ := serve(t, "", reply(404, header, `{}`))
	if b := c.Quota(); b.Name != "github-hour" || b.Limit != 0 {
		t.Errorf("before any answer: %+v", b)
	}
	begin := time.Now()
	_ = lookUp(c)
	b := c.Background().Quota()
	if b.Limit != 5000 || b.Remaining != 4000 || b.SeenAt.Before(begin) || b.Reset.Sub(b.SeenAt) != 90*time.Second {
		t.Errorf("%+v, want 4000 of 5000 left for 90 s", b)
	}
}

func TestRequestsAreCountedByStatus(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	answers := []http.HandlerFunc{reply(404, nil, `{}`), reply(200, nil, `{}`), reply(404, nil, `{}`)}
	s := handled{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answers[0](w, r)
		answers = answers[1:]
	})}
	c, err := New("https://api.github.com", Options{Transport: s, Metrics: registry})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		_ = lookUp(c)
	}
	c.http.Transport = broken{}
	_ = lookUp(c.Background())
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		if f.GetName() != "gistdeal_github_requests_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			got[m.GetLabel()[0].GetValue()] = m.GetCounter().GetValue()
		}
	}
	if fmt.Sprint(got) != "map[200:1 404:2 none:1]" {
		t.Errorf("counted %v", got)
	}
}
