//go:build !failpoint

package failpoint

import "time"

// Hit marks a fail point.
func Hit(string) {}

// Now returns the time.
func Now() time.Time { return time.Now() }
