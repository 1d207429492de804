// Package app builds the program from a configuration: database, clients,
// engine, API and server, and the demo with its simulators. It decides nothing
// about gists or deals. Commands and tests start the same App.
package app
