// Package client is a client of gistdeal's HTTP API. client.gen.go is generated from
// openapi.json; "make clients" does it. The methods of ClientWithResponses send a
// request each: a successful answer has a field for its status, as JSON200, and any
// other answer has a Problem in JSONDefault.
package client
