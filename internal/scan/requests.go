package scan

import (
	"context"
	"maps"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"gistdeal"
	"gistdeal/internal/loop"
)

const (
	servedAtOnce     = 4 // scan requests
	backgroundAtOnce = 2 // of them
	// requestPoll is how often rows of other processes are read: requests by the
	// leader, results by the process that wrote the request. Within one process,
	// and where the database notifies, nothing waits for it.
	requestPoll = 250 * time.Millisecond
)

var errStopping = gistdeal.Errorf(gistdeal.Temporary, "gistdeal is stopping; ask again when it runs")

// requests is the in-memory state of the request queue.
type requests struct {
	wake loop.Signal // a request may be pending

	mu       sync.Mutex
	busy     map[string]bool // logins being served here, by key; true for background requests
	changed  chan struct{}   // closed with the next result, and when another process wrote a row
	failures int             // in a row, of requests that no client waits for
	rest     time.Time       // until then only requests are served that a client waits for
}

func newRequests() requests {
	return requests{wake: loop.NewSignal(), busy: map[string]bool{}, changed: make(chan struct{})}
}

// Track tracks login and returns nil once its first scan has succeeded. If ctx
// ends before, the request stays and the error is ctx's. NotFound, Invalid and
// Limited report GitHub's answer; Temporary means that a later try may help.
func (s *Scanner) Track(ctx context.Context, login string) error {
	_, err := s.RequestScan(ctx, gistdeal.ScanRequest{Login: login, Kind: gistdeal.RequestFirstScan})
	return err
}

// RequestScan stores a request for the leader, which may be another process, and waits
// for the result. Its errors are those of Track.
func (s *Scanner) RequestScan(ctx context.Context, a gistdeal.ScanRequest) (gistdeal.RequestResult, error) {
	if err := gistdeal.CheckLogin(a.Login); err != nil {
		return gistdeal.RequestResult{}, err
	}
	stored, err := s.store.RequestScan(ctx, s.now(), a)
	s.requests.wake.Set()
	for err == nil {
		changed := s.requests.next()
		var results map[string]gistdeal.RequestResult
		if results, err = s.store.RequestResults(ctx, stored...); err != nil {
			break
		}
		if result, ok := results[gistdeal.LoginKey(a.Login)]; ok {
			return result, result.Err
		}
		select {
		case <-ctx.Done():
			err = ctx.Err()
		case <-s.stopping:
			err = errStopping
		case <-changed:
		case <-time.After(requestPoll):
		}
	}
	if ctx.Err() != nil {
		err = ctx.Err() // SQLite reports the end of a context as an interrupt.
	}
	return gistdeal.RequestResult{}, err
}

// Wake makes the leader read the requests at once.
func (s *Scanner) Wake() { s.requests.wake.Set() }

// Notified wakes the server of requests and everything that waits for a result
// here: another process may have written either.
func (s *Scanner) Notified() {
	s.requests.wake.Set()
	s.requests.mu.Lock()
	defer s.requests.mu.Unlock()
	s.requests.notify()
}

// ServeRequests serves the pending requests, of this process and of others, until
// ctx ends.
func (s *Scanner) ServeRequests(ctx context.Context) error {
	var serving sync.WaitGroup
	defer serving.Wait()
	slots := semaphore.NewWeighted(servedAtOnce)
	for delay := requestPoll; slots.Acquire(ctx, 1) == nil; {
		a, ok, err := s.takeRequest(ctx)
		if ok {
			delay = requestPoll
			serving.Go(func() {
				defer slots.Release(1)
				s.serve(ctx, a)
			})
			continue
		}
		slots.Release(1)
		if err != nil && ctx.Err() == nil {
			s.log.Error("scan requests not read", "error", err)
			delay = min(2*delay, loop.MaxDelay)
		}
		loop.SleepOrWake(ctx, delay, s.requests.wake)
	}
	return nil
}

// takeRequest takes the next pending request. It takes only interactive ones while
// GitHub's limits leave nothing to the others, or enough of these are being served, and
// only those that a client waits for during a backoff from GitHub. ResolveRequests takes the
// background requests if it can.
func (s *Scanner) takeRequest(ctx context.Context) (a gistdeal.ScanRequest, ok bool, err error) {
	// Read before the query: a request finished since is not among the rows.
	busy, background, resting := s.requests.underWay()
	least := gistdeal.RequestTrack
	switch {
	case resting || s.backoff.Left() > 0:
		least = gistdeal.RequestFirstScan
	case background >= backgroundAtOnce || s.background.Ready() != nil || s.batches():
		least = gistdeal.RequestTrackNow
	}
	pending, err := s.store.PendingRequests(ctx, least, servedAtOnce)
	for _, a := range pending {
		key := gistdeal.LoginKey(a.Login)
		if _, serving := busy[key]; !serving {
			s.requests.begin(key, a.Kind == gistdeal.RequestTrack)
			return a, true, nil
		}
	}
	return a, false, err
}

// serve carries out a request and records its result. A request that no client waits for
// stays pending if a later try may help.
func (s *Scanner) serve(ctx context.Context, a gistdeal.ScanRequest) {
	defer s.requests.end(gistdeal.LoginKey(a.Login))
	s.trackAndAnswer(ctx, a)
}

func (s *Scanner) trackAndAnswer(ctx context.Context, a gistdeal.ScanRequest) {
	added, err := s.track(ctx, a)
	s.answer(ctx, a, added, err)
}

// answer records the result of a request, unless it stays pending.
func (s *Scanner) answer(ctx context.Context, a gistdeal.ScanRequest, added bool, err error) {
	if err != nil && ctx.Err() != nil {
		return // It is served after the next start.
	}
	again := !waitsForScan(a) && mayHelpLater(err)
	loop.Record(ctx, ctx.Done(), s.log, func(ctx context.Context) error {
		if again {
			return s.store.RequeueRequest(ctx, a, err.Error(), s.now())
		}
		_, err := s.store.Answer(ctx, a, gistdeal.RequestResult{Added: added, Err: err}, s.now())
		return err
	})
	if !waitsForScan(a) {
		s.requests.slow(again)
	}
}

// mayHelpLater reports whether err says nothing about the requested login.
func mayHelpLater(err error) bool {
	kind := gistdeal.KindOf(err)
	return err != nil && kind != gistdeal.NotFound && kind != gistdeal.Invalid
}

// next returns a channel that is closed with the next result.
func (q *requests) next() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.changed
}

// underWay returns the logins being served, by key, the number of background requests
// among them, and whether such requests have to wait.
func (q *requests) underWay() (busy map[string]bool, background int, resting bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, b := range q.busy {
		if b {
			background++
		}
	}
	return maps.Clone(q.busy), background, time.Now().Before(q.rest)
}

func (q *requests) begin(key string, background bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.busy[key] = background
}

// end wakes everything that waits for a result here.
func (q *requests) end(key string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.busy, key)
	q.notify()
}

// notify closes the channel that next returned; q.mu is held.
func (q *requests) notify() {
	close(q.changed)
	q.changed = make(chan struct{})
}

// slow delays background requests after one that has to be tried again, longer
// after each failure in a row.
func (q *requests) slow(again bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !again {
		q.failures = 0
		return
	}
	q.rest = time.Now().Add(loop.Delay(q.failures))
	q.failures++
}
