// Package server serves HTTP requests: health, metrics, log-ins, the page, the API,
// and the routes of the system before gistdeal (compat.go). It owns access control
// and all limits on requests. The page and the API are passed in. It uses the
// database and the engine, and never calls GitHub or Pipedrive.
package server
