// Package transfer copies whole databases: to a file, as a backup, and from
// SQLite to PostgreSQL.
package transfer
