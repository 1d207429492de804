// Package manifest keeps the users and settings of a gistdeal in one YAML file: it writes
// the file, finds what a gistdeal has otherwise, and makes it as the file says. It works
// on a database and on a server alike.
package manifest
