package torture

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/failpoint"
	"gistdeal/internal/testing/receiver"
)

// The times of the program are as short as a busy machine allows. The delays of
// the simulators (lateWork plus the list delay) must be well below Options.Absence.
// Otherwise they violate the assumptions about Pipedrive.
const (
	pushTimeout = 200 * time.Millisecond
	lateWork    = 100 * time.Millisecond
	scanEvery   = 3 * time.Second
	randomSpan  = 600 * time.Millisecond // longest time from a start or a point to a random moment
)

// lease is GISTDEAL_LEASE. A row must be renewed within it; the lock of a file need
// not be.
func (o Options) lease() time.Duration {
	if o.Postgres {
		return time.Second
	}
	return pushTimeout + 100*time.Millisecond
}

// frozen is the duration of a freeze.
func (o Options) frozen() time.Duration {
	return pushTimeout + o.lease() + o.ResendAfter + 100*time.Millisecond
}

// pointsOfAWorld is the minimum of points in a world, because the settling and
// counting at its end take time.
const pointsOfAWorld = 25

// plan contains all decisions about a world before it starts.
type plan struct {
	number    int
	seed      uint64 // of the simulators
	listDelay time.Duration
	burst     int
	rounds    []round
}

// round is a sequence of lives of each process. Between two rounds no process runs.
type round struct {
	lives [][]life // by process
	then  string
}

// The fate of the database after a round.
const (
	kept     = "kept"
	lost     = "lost"     // it is deleted
	restored = "restored" // it is replaced by a copy from the end of an earlier round
)

// life is one execution of the program from its start to its last point, a kill.
type life struct {
	clock   time.Duration // lead of the program's clock
	swing   bool          // the clock steps between 0 and the lead at each POST, instead of staying ahead
	gists   int           // of a new user
	faults  []sim.Fault
	points  []point
	power   uint64           // if not 0, the power is cut at the end, and this seed decides about unsynced writes
	conduct receiver.Conduct // of the webhook flaky, towards half of its messages
}

// point is a moment at which the program is killed or frozen: at the n-th hit of a
// step, or, with an empty step, some time after the previous point.
type point struct {
	freeze bool
	step   string
	n      int
	after  time.Duration
}

// spec returns the value of FAILPOINT for a life.
func (l life) spec(broken []string) string {
	words := []string{"report", "clock=" + l.clock.String()}
	if l.swing {
		words[1] = "swing=" + l.clock.String()
	}
	for _, rule := range broken {
		words = append(words, "break="+rule)
	}
	for _, p := range l.points {
		switch {
		case p.step != "" && p.freeze:
			words = append(words, fmt.Sprintf("stop=%s#%d", p.step, p.n))
		case p.step != "":
			words = append(words, fmt.Sprintf("kill=%s#%d", p.step, p.n))
		}
	}
	return strings.Join(words, " ")
}

// drawer draws a plan. It depends on the seed only: the same seed gives the same
// plan.
type drawer struct {
	*rand.Rand
	steps []string
}

// draw returns the plan of the world with that number.
func draw(o Options, number int) plan {
	d := drawer{rand.New(rand.NewPCG(o.Seed, uint64(number))), o.Steps}
	p := plan{number: number, seed: d.Uint64(), listDelay: time.Duration(d.IntN(5)) * 50 * time.Millisecond, burst: -1}
	if d.IntN(6) == 0 {
		p.burst = 150
	}
	for points := 0; points < min(pointsOfAWorld, o.Points); {
		r := round{lives: make([][]life, o.Processes), then: []string{kept, kept, kept, lost, restored}[d.IntN(5)]}
		lives := 2 + d.IntN(5)
		switch {
		case o.Then != "":
			r.then, lives = o.Then, 1
		case o.Outbox:
			r.then = kept // Events are lost with their database.
		}
		for range lives {
			for i := range r.lives {
				l := d.life()
				if o.Outbox {
					l.conduct = receiver.Bad()[d.IntN(len(receiver.Bad()))]
				}
				if !o.Postgres && o.Processes == 1 && d.IntN(3) == 0 {
					l.power = 1 + d.Uint64N(1<<32)
				}
				r.lives[i] = append(r.lives[i], l)
				points += len(l.points)
			}
		}
		p.rounds = append(p.rounds, r)
	}
	return p
}

func (d drawer) life() life {
	l := life{
		clock:  []time.Duration{0, 0, 0, -90 * time.Minute, 45 * time.Minute, 5 * time.Hour}[d.IntN(6)],
		gists:  5 + d.IntN(6),
		swing:  d.IntN(2) == 0,
		points: d.points(),
	}
	if d.IntN(40) == 0 {
		l.gists = 101 + d.IntN(20) // two pages
	}
	last := l.points[len(l.points)-1]
	if last.step == "" {
		l.gists += 30 // Enough gists for work at any moment.
	}
	for range d.IntN(4) {
		l.faults = append(l.faults, d.fault())
	}
	if slices.ContainsFunc(l.points, point.afterLoss) {
		// The first attempts have no effect; of the second only the answers are lost.
		const post, times = "POST /api/v2/deals", 4
		l.faults = append([]sim.Fault{
			{Match: post, Kind: "drop-before", Times: times},
			{Match: post, Kind: "drop-after", After: l.gists - times, Times: times},
		}, l.faults...)
	}
	return l
}

// afterLoss reports whether the point needs a lost request.
func (p point) afterLoss() bool {
	return p.step == failpoint.LookedUp || p.step == failpoint.NotFound || p.step == failpoint.Reclaimed
}

// points returns one to three points, the last of them a kill. They are in the order
// of processing a gist, because the program reaches them in that order.
func (d drawer) points() []point {
	var chosen []int
	for range []int{1, 1, 1, 2}[d.IntN(4)] {
		chosen = append(chosen, d.IntN(len(d.steps)))
	}
	slices.Sort(chosen)
	var points []point
	for _, i := range chosen {
		p := point{freeze: true, step: d.steps[i], n: 1}
		switch p.step {
		case failpoint.Claimed, failpoint.Sent, failpoint.Answered, failpoint.Recorded:
			p.n += d.IntN(3)
		case failpoint.LookedUp:
			p.n += d.IntN(3)
		case failpoint.Delivered:
			p.n += d.IntN(20)
		case failpoint.NotFound, failpoint.Reclaimed:
			p.n += d.IntN(4)
		}
		points = append(points, p)
	}
	last := &points[len(points)-1]
	if d.IntN(4) == 0 {
		*last = point{after: d.moment()}
	}
	if last.freeze = d.IntN(3) == 0; last.freeze {
		points = append(points, point{after: d.moment()})
	}
	return points
}

func (d drawer) moment() time.Duration { return time.Duration(d.Int64N(int64(randomSpan))) }

// fault returns a temporary fault of the remotes.
func (d drawer) fault() sim.Fault {
	const post, list, hub = "POST /api/v2/deals", "GET /api/v2/deals", "GET /users/"
	faults := []sim.Fault{
		{Match: post, Kind: "drop-after", Share: 0.3, Times: 3},
		{Match: post, Kind: "error-after", Share: 0.3, Times: 3},
		{Match: post, Kind: "hang-after", Share: 0.3, Times: 3},
		{Match: post, Kind: "truncate", Share: 0.3, Times: 3},
		{Match: post, Kind: "drop-before", Share: 0.3, Times: 2},
		{Match: post, Kind: "hang-before", Share: 0.3, Times: 2},
		{Match: post, Kind: "error-before", Share: 0.3, Times: 2},
		{Match: post, Kind: "latency", Latency: lateWork, Share: 0.5, Times: 10},
		{Match: post, Kind: "slow", Latency: 2 * pushTimeout, Share: 0.3, Times: 3},
		{Match: post, Kind: "limit", After: d.IntN(5), Times: 1},
		{Match: list, Kind: "error-before", Share: 0.5, Times: 2},
		{Match: list, Kind: "truncate", Share: 0.5, Times: 2},
		{Match: hub, Kind: "error-before", Share: 0.5, Times: 1},
		{Kind: "drop-before", Share: 0.5, Times: 6}, // a complete outage
	}
	return faults[d.IntN(len(faults))]
}

// points returns the number of points of a plan.
func (p plan) points() (n int) {
	for _, r := range p.rounds {
		for _, lives := range r.lives {
			for _, l := range lives {
				n += len(l.points)
			}
		}
	}
	return n
}
