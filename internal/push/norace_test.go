//go:build !race

package push_test

import "time"

// dayLength is how long an error lasts.
const dayLength = 24 * time.Hour
