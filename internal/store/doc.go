// Package store keeps users, gists, deals, visits and settings in a database, the only
// durable state of gistdeal. It owns all SQL and makes no decisions.
//
// SQLite and PostgreSQL run the same SQL: $1 parameters, times as Unix milliseconds, and
// bulk writes through one JSON object. Only the schema, the code that opens a database
// and the lease differ. Changes of a deal's state are conditional, and they report
// whether the condition was met.
package store
