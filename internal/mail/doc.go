// Package mail sends plain texts by SMTP through the configured server.
package mail
