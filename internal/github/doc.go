// Package github is the client of GitHub's REST API: it looks accounts up and
// reads the public gists of a user. It owns the protocol (pages, ETags,
// redirects) and turns every answer into the domain's types and kinds of
// errors. It also owns GitHub's limits: requests wait for their turn, people's
// before those that nobody waits for, and after a refusal none is sent before
// its time. It tries nothing else again and remembers nothing else: whoever
// calls it decides by the error's kind and keeps the ETags.
package github
