//go:build !failpoint

package failpoint

import "time"

// Hit says that the program has come to a step.
func Hit(string) {}

// Broken reports whether a rule is broken on purpose.
func Broken(string) bool { return false }

// Now returns the time.
func Now() time.Time { return time.Now() }
