// Package github is the client of GitHub's REST API: it looks accounts up and
// reads the public gists of a user. It owns the protocol (pages, ETags,
// redirects, limits) and turns every answer into the domain's types and kinds
// of errors. It neither waits nor tries again nor remembers anything: whoever
// calls it decides by the error's kind and keeps the ETags.
package github
