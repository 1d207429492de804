// Package admin implements the operations of operators and API clients on users
// and deals, once for the command line and the HTTP API. It works on the
// database alone, beside a gistdeal that may be running: it writes rows that the
// leader acts on, and follows them. It talks to no remote, and it never imports
// package config: its callers open the database and pass plain arguments.
//
// Its answers are the types of the domain; a type of its own adds only
// computed fields, such as the URL of a deal. How answers are shown is left to
// the callers. The packages below it do the rest: activity
// (overview, runs, events), settings, estimate (the cost of tracking users) and
// transfer (whole databases).
package admin
