// Package scan turns the lists of GitHub into rows: it tracks users on request,
// scans them when they are due, and stores their gists with a deal row for each.
// It owns the order and the pace of scans and the backoff from GitHub. It does
// not know Pipedrive: a queued row and a signal are the hand-over to the pushes.
package scan
