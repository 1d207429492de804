//go:build !failpoint

package failpoint

import "time"

// Hit marks a fail point.
func Hit(string) {}

// Broken reports whether a mutant is active.
func Broken(string) bool { return false }

// Now returns the time.
func Now() time.Time { return time.Now() }
