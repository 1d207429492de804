//go:build failpoint

package failpoint

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// The variable FAILPOINT contains words separated by spaces:
//
//	kill=STEP#N   at the N-th hit of STEP the process kills itself
//	stop=STEP#N   at the N-th hit of STEP it freezes until it is continued
//	break=RULE    the rule is broken
//	clock=1h30m   the wall clock is ahead by that much
//	swing=1h30m   the wall clock steps ahead by that much at a hit of Sent, and back at the next
//	record=FILE   operations on the database's files are recorded (disk.go)
//	report        each hit is written to file 3 as a line: the step's name, with
//	              an exclamation mark if the process dies or freezes there
//
// Points apply in order: hits of the second are counted after the first.
var (
	points []point
	broken []string
	ahead  time.Duration
	swing  time.Duration
	swung  atomic.Bool // whether the clock has stepped ahead
	report *os.File
)

type point struct {
	signal syscall.Signal
	step   string
	left   int
}

func init() {
	for _, word := range strings.Fields(os.Getenv("FAILPOINT")) {
		if err := obey(word); err != nil {
			panic(fmt.Sprintf("FAILPOINT: %q: %v", word, err))
		}
	}
}

func obey(word string) (err error) {
	name, value, _ := strings.Cut(word, "=")
	switch name {
	case "kill":
		return add(syscall.SIGKILL, value)
	case "stop":
		return add(syscall.SIGSTOP, value)
	case "break":
		broken = append(broken, value)
	case "clock":
		ahead, err = time.ParseDuration(value)
	case "swing":
		swing, err = time.ParseDuration(value)
	case "record":
		err = recordDisk(value)
	case "report":
		report = os.NewFile(3, "report")
	default:
		err = fmt.Errorf("unknown word")
	}
	return err
}

func add(signal syscall.Signal, place string) error {
	step, number, _ := strings.Cut(place, "#")
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || !slices.Contains(append(Steps(), Others()...), step) {
		return fmt.Errorf("want step#n, of a step that exists")
	}
	points = append(points, point{signal: signal, step: step, left: n})
	return nil
}

var mu sync.Mutex // guards points and the report

// Hit marks a fail point. If it is the next point, the process dies or freezes
// before Hit returns.
func Hit(step string) {
	mu.Lock()
	defer mu.Unlock()
	if step == Sent {
		swung.Store(!swung.Load())
	}
	signal := next(step)
	record(opHit, step, nil, 0)
	if report != nil {
		line := step + "\n"
		if signal != 0 {
			line = step + "!\n"
		}
		// The reader may have ended; this process will end as well.
		_, _ = report.WriteString(line)
	}
	if signal == 0 {
		return
	}
	// To this thread, so that it does not continue after this call.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := syscall.Tgkill(syscall.Getpid(), syscall.Gettid(), signal); err != nil {
		panic(err)
	}
}

// next counts a hit and returns the signal for it, 0 for none.
func next(step string) syscall.Signal {
	if len(points) == 0 || points[0].step != step {
		return 0
	}
	if points[0].left--; points[0].left > 0 {
		return 0
	}
	signal := points[0].signal
	points = points[1:]
	return signal
}

// Broken reports whether a mutant is active.
func Broken(rule string) bool { return slices.Contains(broken, rule) }

// Now returns the time of the wall clock set by FAILPOINT.
func Now() time.Time {
	now := time.Now().Add(ahead)
	if swung.Load() {
		now = now.Add(swing)
	}
	return now
}
