// Package runlog records runs, the work that scans, sweeps and pushes did, for
// people. It owns when a run is written to the database. A run that cannot be
// written never holds up the work itself.
package runlog
