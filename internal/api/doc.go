// Package api is version 1 of the HTTP API, /api/v1: what package desk does, as
// routes. The OpenAPI document is made from the same Go types that read requests
// and write answers, so the two cannot differ.
package api
