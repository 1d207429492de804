package store_test

import "testing"

// BenchmarkMatchingAPageOfTheFeedAgainstAMillionUsers measures the query for the owners of
// a page, of whom one in a hundred is tracked.
func BenchmarkMatchingAPageOfTheFeedAgainstAMillionUsers(b *testing.B) {
	aMillionUsers(b, func(q userQuery) bool { return q.name == matching })
}
