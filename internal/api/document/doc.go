// Package document completes the OpenAPI document that huma generates from the
// Go types of package api: with the facts about the API as a whole, the answers
// and headers that all operations share, an example for each operation, bounds
// for values, and the routes that package server answers. It serves nothing.
package document
