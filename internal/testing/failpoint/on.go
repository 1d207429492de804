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
	"syscall"
	"time"
)

// What the variable FAILPOINT says, as words separated by spaces, in any number:
//
//	kill=STEP#N   at the N-th hit of STEP the process kills itself
//	stop=STEP#N   at the N-th hit of STEP it freezes until somebody continues it
//	break=RULE    the rule is broken
//	clock=1h30m   the engine's wall clock is that much ahead
//	record=FILE   what is done to the database's files is recorded (disk.go)
//	report        each hit is written to file 3 as a line: the step's name, with
//	              an exclamation mark if the process dies or freezes there
//
// Points wait for one another: the hits of the second are counted from the first on.
var (
	points []point
	broken []string
	ahead  time.Duration
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
	if err != nil || n < 1 || !slices.Contains(Steps(), step) {
		return fmt.Errorf("want step#n, of a step that exists")
	}
	points = append(points, point{signal: signal, step: step, left: n})
	return nil
}

var mu sync.Mutex // guards points and the report

// Hit says that the program has come to a step. If that is the next point, the
// process dies or freezes before Hit returns.
func Hit(step string) {
	mu.Lock()
	defer mu.Unlock()
	signal := next(step)
	record(opHit, step, nil, 0)
	if report != nil {
		line := step + "\n"
		if signal != 0 {
			line = step + "!\n"
		}
		// Who reads it may have ended; then so will we.
		_, _ = report.WriteString(line)
	}
	if signal == 0 {
		return
	}
	// To this very thread, so that it goes no further than this call.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := syscall.Tgkill(syscall.Getpid(), syscall.Gettid(), signal); err != nil {
		panic(err)
	}
}

// next counts a hit and returns the signal that is due at it, 0 for none.
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

// Broken reports whether a rule is broken on purpose.
func Broken(rule string) bool { return slices.Contains(broken, rule) }

// Now returns the time on the wall clock that FAILPOINT sets.
func Now() time.Time { return time.Now().Add(ahead) }
