// Package doctor checks a configuration against the real world: the remotes, the
// database, the disk and the address to listen on. It changes nothing. Its checks
// have texts and JSON names; how they are shown is left to the command line.
package doctor
