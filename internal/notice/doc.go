// Package notice turns events into one short text for people: what is new, what failed and
// why, and what to do. It writes the text as Slack, Microsoft Teams and ntfy take it. It sends
// nothing.
package notice
