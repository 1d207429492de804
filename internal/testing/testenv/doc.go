// Package testenv has helpers for the tests of several packages: waiting for a
// condition, reading a log, starting the simulators, building programs, and
// skipping a test on a machine that lacks a program. It imports none of the
// packages under test, so that their internal tests can import it.
package testenv
