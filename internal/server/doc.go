// Package server answers HTTP requests: health, metrics, logins, the page and the
// API that it is given, and, in compat.go, the routes of the system that gistdeal
// replaces. It owns access and all limits on requests. It uses the database
// and the engine, and no remote.
package server
