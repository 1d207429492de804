// Package engine is the leader: it waits for the lease, runs the loops of scan,
// push and reconcile while it holds it, and stops them in order. It owns the lease,
// the status, and the remotes' quotas, which it saves for the next leader.
// The work itself is in those three packages.
package engine
