// Package pgtest runs a PostgreSQL server for tests, from the system's package, in
// a temporary folder with a Unix socket. The server and its files are removed when
// the test process ends, even after a kill.
package pgtest
