// Package pgtest is test support: a PostgreSQL of the test's own, from the
// system's package, on a temporary folder and a Unix socket. It ends with the
// test process, however that ends, and leaves nothing behind.
package pgtest
