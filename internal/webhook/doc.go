// Package webhook sends signed messages to the webhooks of other people: it signs them by
// the Standard Webhooks specification, refuses private addresses, and says how an answer
// is to be read. It does not know which messages are due; that is package deliver.
package webhook
