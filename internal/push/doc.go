// Package push turns queued rows into deals in Pipedrive: claim, send, record the
// outcome. It owns the connection to the Pipedrive account (company, fields and
// target), the attempts in doubt and the decision to send a deal again. Finding
// deals that exist already is left to package reconcile. It does not know GitHub.
package push
