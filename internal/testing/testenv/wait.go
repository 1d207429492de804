package testenv

import (
	"fmt"
	"testing"
	"time"
)

const (
	patience = 90 * time.Second
	interval = 5 * time.Millisecond
)

// Eventually waits until done returns true. It fails the test after 90 seconds,
// which a machine busy with other tests may need, and prints the logs.
func Eventually(t testing.TB, what string, done func() bool, logs ...fmt.Stringer) {
	t.Helper()
	tick := time.NewTicker(interval)
	defer tick.Stop()
	late := time.After(patience)
	for !done() {
		select {
		case <-tick.C:
		case <-late:
			text := ""
			for _, log := range logs {
				text += "\n" + log.String()
			}
			t.Fatalf("not within %v: %s%s", patience, what, text)
		}
	}
}

// Must fails the test if err is not nil.
func Must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
