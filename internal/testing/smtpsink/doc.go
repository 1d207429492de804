// Package smtpsink is a mail server for tests, which keeps what it takes.
package smtpsink
