// Package sim simulates GitHub's REST and GraphQL APIs and Pipedrive's API in one
// http.Handler, with faults on demand and a report of the deals of each gist. It
// follows the documentation of the services and imports nothing of gistdeal, so
// it does not repeat a client's mistake. Where the documentation is silent,
// Options lets a test try both possibilities. Besides the APIs it serves
// /_sim/ (control) and /deals (a page for people). It keeps everything in
// memory, opens no socket and does not simulate webhooks, search, persons,
// notes, or of GraphQL anything but users and their gists.
package sim
