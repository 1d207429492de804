package torture

import (
	"fmt"
	"io"
	"slices"
	"sync"
)

// tally counts the events in all worlds of a run.
type tally struct {
	steps  []string // of the plans
	outbox bool     // there are webhooks

	mu      sync.Mutex
	hits    map[string]int // of all steps, with and without a point
	killed  map[string]int // by step, "" at random moments
	frozen  map[string]int
	unmet   map[string]int // unreached points
	counted map[string]int // other events
	deaths  int            // at random moments
	sending int            // number of these with a deal in state sending
}

func newTally(steps []string, outbox bool) *tally {
	return &tally{steps: steps, outbox: outbox, hits: map[string]int{}, killed: map[string]int{}, frozen: map[string]int{}, unmet: map[string]int{}, counted: map[string]int{}}
}

func (t *tally) hit(step string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.hits[step]++
}

func (t *tally) reached(p point) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p.freeze {
		t.frozen[p.step]++
	} else {
		t.killed[p.step]++
	}
}

func (t *tally) missed(points []point) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range points {
		t.unmet[p.step]++
	}
}

func (t *tally) count(what string) { t.add(what, 1) }

func (t *tally) add(what string, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counted[what] += n
}

func (t *tally) died(sending bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.deaths++
	if sending {
		t.sending++
	}
}

// points returns the number of kills and freezes.
func (t *tally) points() (n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, m := range []map[string]int{t.killed, t.frozen} {
		for _, times := range m {
			n += times
		}
	}
	return n
}

// unproved returns the gaps of a run: each step needs a kill and a freeze, and half
// of the random kills need a deal in state sending.
func (t *tally) unproved() (gaps []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, step := range append(slices.Clone(t.steps), "") {
		name := step
		if step == "" {
			name = "random moments"
		}
		if t.killed[step] == 0 {
			gaps = append(gaps, "no kill at "+name)
		}
		if t.frozen[step] == 0 {
			gaps = append(gaps, "no freeze at "+name)
		}
	}
	if t.outbox {
		for _, what := range treatments() {
			if t.counted[messagesThat(what)] == 0 {
				gaps = append(gaps, "no message was "+what)
			}
		}
	}
	if 2*t.sending < t.deaths {
		gaps = append(gaps, fmt.Sprintf("of %d kills at random moments only %d met a deal in state sending", t.deaths, t.sending))
	}
	return gaps
}

// print writes the table of steps.
func (t *tally) print(w io.Writer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprintf(w, "%-18s %8s %8s %8s %8s\n", "step", "passed", "killed", "frozen", "missed")
	for _, step := range t.steps {
		fmt.Fprintf(w, "%-18s %8d %8d %8d %8d\n", step, t.hits[step], t.killed[step], t.frozen[step], t.unmet[step])
	}
	fmt.Fprintf(w, "%-18s %8s %8d %8d %8d\n", "random moments", "", t.killed[""], t.frozen[""], t.unmet[""])
	fmt.Fprintf(w, "random kills that found a deal being sent: %d of %d\n", t.sending, t.deaths)
	fmt.Fprintf(w, "power cuts: %d, connections cut: %d, starts that failed by that: %d, databases lost: %d, restored: %d, rewound: %d; deals duplicated by hand: %d\n", t.counted["power cuts"], t.counted["connections cut"], t.counted["starts that failed"], t.counted["database lost"], t.counted["database restored"], t.counted["databases rewound"], t.counted["deals duplicated by hand"])
	if t.outbox {
		fmt.Fprint(w, "messages to webhooks:")
		for _, what := range treatments() {
			fmt.Fprintf(w, " %s %d", what, t.counted[messagesThat(what)])
		}
		fmt.Fprintln(w)
	}
}
