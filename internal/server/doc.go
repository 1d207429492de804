// Package server answers HTTP requests: the routes that clients of the seed
// know, health, metrics, and the page that it is given. It owns who may ask
// what, all limits on requests, and the map from an error's kind to a status.
// It talks to nobody but the database and the engine.
package server
