// Package receiver is a receiver of webhooks for the kill harness. It misbehaves as it is
// told, and checks the messages that it accepts. It shares no code with the program.
package receiver
