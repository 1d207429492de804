// Package engine does the work: it notices gists by scanning users, and makes
// exactly one deal for each by the protocol of claim, send, record and look.
// It owns all decisions about gists and deals, and all waiting. It knows GitHub,
// Pipedrive and the database by the small interfaces in engine.go only.
//
// The parts, in the order of a gist's way: sweep.go and scan.go notice it,
// catchup.go adopts deals that exist already, push.go claims and sends, look.go
// decides about attempts of unknown outcome. gate.go holds the pauses.
package engine
