// Package amend lets deals follow edits and deletions of their gists, as the rules say: it updates
// values that nobody else has changed, writes notes, and moves deals to a stage. It works off
// rows that come from the scans and the feed. It deletes nothing, and creates no deal.
package amend
