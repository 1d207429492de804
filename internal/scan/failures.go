package scan

import (
	"sync"
	"time"

	"gistdeal/internal/loop"
)

// manyFailures is how many users' scans have to fail in a row before the sweep waits.
// Fewer failures say nothing about the other users.
const manyFailures = 5

// failures counts the scans that failed in a row.
type failures struct {
	mu    sync.Mutex
	users map[int64]bool // whose scans failed since the last one that did not
	own   int            // faults of gistdeal or of its database, whose users may still be due
}

func (f *failures) failed(user int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.users == nil {
		f.users = map[int64]bool{}
	}
	f.users[user] = true
}

func (f *failures) ownFault() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.own++
}

// remote names the cause of the failures for the log.
func (f *failures) remote() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.own > 0 {
		return "database"
	}
	return "GitHub"
}

func (f *failures) succeeded() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.users)
	f.own = 0
}

// many returns how many scans failed in a row, or 0 if these were too few for the sweep
// to wait.
func (f *failures) many() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.own == 0 && len(f.users) < manyFailures {
		return 0
	}
	return len(f.users) + f.own
}

// delay returns how long the sweep has to wait after that many failures, longer after
// each further one.
func (f *failures) delay() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return loop.Delay(max(len(f.users)-manyFailures, 0) + f.own)
}
