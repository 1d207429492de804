// Package api serves version 1 of the HTTP API, /api/v1: the operations of package
// admin as routes. The OpenAPI document is generated from the Go types that
// decode requests and encode answers, so the document always matches the code.
// The routes of the system before gistdeal, /user/{login} and /trackedusers, are
// not part of this package: package server keeps them for compatibility.
package api
