// Package desk does what people and programs want done with users and deals, for
// the commands and the HTTP API alike, beside a gistdeal that may be at work: it
// writes rows which that one carries out, and follows them. It talks to no
// remote. It returns values with JSON names that stay; how they are shown is
// left to its callers.
package desk
