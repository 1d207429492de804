// Package stack runs the real engine, with its store and clients, against the
// simulators, for the tests of every package that needs a working engine.
package stack
