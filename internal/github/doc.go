// Package github is a client of GitHub's REST API: it looks up accounts and reads the
// public gists of a user. It owns the protocol (pages, ETags, redirects) and turns
// each answer into the domain's types and kinds of errors. It also owns GitHub's
// limits: interactive requests go before background ones, and after a limit is reached
// no request is sent until it ends. The package retries nothing else and stores
// nothing: callers decide by the kind of an error and keep the ETags.
package github
