// Package api is version 1 of the HTTP API, /api/v1: the functions of package
// admin as routes. The OpenAPI document is generated from the Go types that read
// requests and write answers, so the two cannot differ. The routes of the first
// system, /user/{login} and /trackedusers, are not here: they are a
// compatibility surface in package server.
package api
