package pipedrive

import (
	"slices"
	"time"
)

// sentRequest is a request that was sent.
type sentRequest struct {
	sent     time.Time
	ended    time.Time // zero while the request is on its way
	inWindow int       // number of our requests in the window when it was sent, including itself
}

// sentRequests are our requests that may be in Pipedrive's window.
//
// Pipedrive counts a request when it arrives, and only the time of its answer is known.
// If the answer took longer than the fastest one, the request itself may have been late
// by the difference, and it leaves the window as much later. Arrivals are relative to
// those of the fastest request: a delay of all requests does not change their distances.
type sentRequests struct {
	list    []*sentRequest // in the order of sending
	fastest fastest
}

// delay returns the time by which a request was late, at worst.
func (s *sentRequests) delay(r *sentRequest, now time.Time) time.Duration {
	end := r.ended
	if end.IsZero() {
		end = now
	}
	return max(end.Sub(r.sent)-s.fastest.time(), 0)
}

// exits returns the sorted times at which our requests leave Pipedrive's window, at
// worst, without those that have left it. It is later for a request that is still on its
// way.
func (s *sentRequests) exits(now time.Time) []time.Time {
	stay := window + s.margin(now)
	exit := func(r *sentRequest) time.Time { return r.sent.Add(s.delay(r, now) + stay) }
	for len(s.list) > 0 && !s.list[0].ended.IsZero() && !exit(s.list[0]).After(now) {
		s.list = s.list[1:]
	}
	var exits []time.Time
	for _, r := range s.list {
		if at := exit(r); at.After(now) {
			exits = append(exits, at)
		}
	}
	slices.SortFunc(exits, time.Time.Compare)
	return exits
}

// margin returns the time by which our window is longer than Pipedrive's. It grows with
// the delays, because the fastest request is not known exactly if all of them vary.
func (s *sentRequests) margin(now time.Time) time.Duration {
	return minMargin + s.usualDelay(now)/3
}

// usualDelay returns the median delay.
func (s *sentRequests) usualDelay(now time.Time) time.Duration {
	if len(s.list) == 0 {
		return 0
	}
	delays := make([]time.Duration, len(s.list))
	for i, r := range s.list {
		delays[i] = s.delay(r, now)
	}
	slices.Sort(delays)
	return delays[len(delays)/2]
}

// add adds a request.
func (s *sentRequests) add(now time.Time, inWindow int) *sentRequest {
	r := &sentRequest{sent: now, inWindow: inWindow}
	s.list = append(s.list, r)
	return r
}

// countedWith returns the highest number of our requests that Pipedrive may have counted
// when an answered request arrived, including this one. A late request may have been
// overtaken by later ones.
func (s *sentRequests) countedWith(r *sentRequest) int {
	n := r.inWindow
	latest := r.ended.Add(s.margin(r.ended) - s.fastest.time())
	for _, later := range s.list[slices.Index(s.list, r)+1:] {
		if !later.sent.After(latest) {
			n++
		}
	}
	return n
}

// fastest is the time of the fastest recent answer: the minimum of two periods. It is 0
// until there were enough answers, so that every request may have been late.
type fastest struct {
	current, previous time.Duration
	since             time.Time
	answers           int
}

func (f *fastest) time() time.Duration {
	if f.answers < minAnswers {
		return 0
	}
	return min(f.current, f.previous)
}

func (f *fastest) record(took time.Duration, now time.Time) {
	switch {
	case f.answers == 0:
		f.current, f.previous, f.since = took, took, now
	case now.Sub(f.since) >= memory:
		f.current, f.previous, f.since = took, f.current, now
	}
	f.current = min(f.current, took)
	f.answers++
}
