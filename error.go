package gistdeal

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Kind is the meaning of an error for the work. Clients of remote APIs set it, callers
// decide by it, and the server maps it to a status.
type Kind int

const (
	// Internal is any error without a kind: our own fault or our own database's.
	Internal Kind = iota
	// Invalid means that this one request is refused and will be refused again.
	Invalid
	// NotFound means that the requested thing does not exist.
	NotFound
	// Unauthorized means that the account refuses everything of this sort until
	// a person changes something: the key, the plan, the configuration.
	Unauthorized
	// Limited means that nothing was done and that RetryAfter has to pass first.
	Limited
	// Temporary means that nothing was done and that trying again may help.
	Temporary
	// Unknown means that the remote may or may not have done the work.
	Unknown
)

var kindNames = [...]string{"internal", "invalid", "not found", "unauthorized", "limited", "temporary", "outcome unknown"}

// String returns the kind's name in lower case.
func (k Kind) String() string { return kindNames[k] }

// KindNamed returns the kind with that String, Internal if there is none.
func KindNamed(name string) Kind { return Kind(max(slices.Index(kindNames[:], name), 0)) }

// Error is an error with a kind. Its text never holds a secret.
type Error struct {
	Kind Kind
	// RetryAfter is how long to wait before trying again; 0 if the remote gave no time.
	RetryAfter time.Duration
	Err        error
}

// Error returns the text of the wrapped error.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the wrapped error.
func (e *Error) Unwrap() error { return e.Err }

// Errorf returns an error of kind k, formatted as fmt.Errorf does.
func Errorf(k Kind, format string, args ...any) error {
	return &Error{Kind: k, Err: fmt.Errorf(format, args...)}
}

// KindOf returns the kind of the outermost Error in err's chain, or Internal.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}

// RetryAfter returns how long the remote asked to wait, or 0 if it did not say.
func RetryAfter(err error) time.Duration {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.RetryAfter
	}
	return 0
}
