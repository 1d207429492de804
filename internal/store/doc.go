// Package store keeps users, gists, deals, visits and settings in a database,
// which is the only truth there is. It owns all SQL; it decides nothing.
//
// The SQL is one text that SQLite and PostgreSQL both understand: $1
// parameters, times as Unix milliseconds, bulk writes through one JSON object.
// Only the schema has a folder for each dialect, and opening and the lease a
// file for each. Changes of a deal's state are conditional, and their callers
// learn whether the condition held.
package store
