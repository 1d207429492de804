// Package gistdeal is the domain: users, their public gists, the one deal of each
// gist, and the kinds of errors that decide the next step. It holds types and rules
// and imports only the standard library; the packages under internal talk to GitHub,
// Pipedrive and the database.
package gistdeal
