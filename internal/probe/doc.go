// Package probe compares many users at once with GitHub, by one GraphQL query for a hundred
// of them. It says which users have to be scanned, records that nothing has changed for the
// others, and owns the fallback: where GitHub serves no such queries, every user is scanned.
package probe
