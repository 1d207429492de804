// Package e2e tests the real program from outside: the binary, its commands,
// its HTTP API and its page, against the simulators.
package e2e
