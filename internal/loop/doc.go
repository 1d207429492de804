// Package loop holds the parts that every long-running loop needs: a sleep that
// ends with its context, a signal that wakes a sleeping loop, and the backoff
// from a remote that refuses everything. It does not know the loops themselves.
package loop
