// Package gistdeal is the domain: users whose public gists are watched, the
// gists, the one deal that each gist gets, and the kinds of errors that decide
// what happens next. It holds types and rules and imports only the standard
// library; talking to GitHub, Pipedrive and the database is done by the
// packages under internal.
package gistdeal
