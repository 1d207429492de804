package config

import (
	"log/slog"
	"path/filepath"

	"gistdeal/internal/store"
)

// Secret is a text that is never shown.
type Secret string

// String returns a text to show in place of the secret.
func (s Secret) String() string {
	if s == "" {
		return "(not set)"
	}
	return "(set, hidden)"
}

// LogValue hides the secret in logs too.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// Database is the path or the URL of a database.
type Database string

// String returns it without its password.
func (d Database) String() string { return store.DisplayName(string(d)) }

// IsFile reports whether the database is a file on this machine.
func (d Database) IsFile() bool { return store.IsFile(string(d)) }

// Place returns the absolute path, or the URL without its password.
func (d Database) Place() string {
	name := d.String()
	if d.IsFile() && name == string(d) {
		if path, err := filepath.Abs(name); err == nil {
			return path
		}
	}
	return name
}

// LogValue hides the password in logs too.
func (d Database) LogValue() slog.Value { return slog.StringValue(d.String()) }
