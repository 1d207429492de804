// Package app puts the parts of gistdeal together: configuration, database,
// clients, engine, server. It knows all of them and decides nothing about
// gists or deals. Commands and tests start the same App.
package app
