// Package config turns the environment into a Config: every variable is read
// and checked once, and all mistakes are reported together. It is the only
// package that reads the environment. It also opens the configured database for
// commands. Package app builds the program from a Config, package doctor checks
// one against the real remotes.
package config
