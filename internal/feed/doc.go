// Package feed notices new gists of tracked users in GitHub's list of all new public
// gists: one request a minute serves any number of users. It owns the reading of that
// list. The list may leave out gists, so scans of each user remain the safety net.
package feed
