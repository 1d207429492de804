// Package rules decides which gists become deals and what the deals say. Deciding is pure: it
// reads no database and asks no remote, so that the preview, the plan and the work decide
// the same. A set of rules is checked before it is stored, and then costs at most a small
// number of steps for each gist, whatever it contains.
package rules
