// Package deliver sends the events to the webhooks: at least once, those about one gist or
// user in their order, again after a failure, and apart from one another, so that a slow
// receiver holds up nothing else. Only the leader runs it. The events are stored in the
// transaction of what happened, and each webhook has a cursor on them; so nothing is lost
// with a process.
package deliver
