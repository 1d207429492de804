// Package mutant breaks rules of the program from outside, so that the kill
// harness can show that it would notice. In an ordinary build it returns its
// arguments unchanged; only the build tag "failpoint" makes it work (on.go).
package mutant
