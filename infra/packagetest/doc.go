// Package packagetest installs the deb and the rpm as an administrator does, on a
// copy of this machine's file system that vanishes with the test. It owns no code
// of the program.
package packagetest
