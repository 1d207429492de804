// Package sdktest runs the official JavaScript clients of Pipedrive and GitHub
// against the simulators. The clients come from their makers, so they do not
// share a mistake with gistdeal or with the simulators. The scripts and the
// exact versions of the clients are in testdata; "node pipedrive.js URL" runs
// one by hand. The package has only tests.
package sdktest
