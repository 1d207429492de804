//go:build race

package push_test

import "time"

// dayLength is shorter than a day, because the race detector makes one take minutes. Most
// tries are in its first hours.
const dayLength = 4 * time.Hour
