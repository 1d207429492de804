package gistdeal

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Kind classifies an error by the next step that it calls for. Clients of remote APIs
// set it, callers decide by it, and the server maps it to a status.
type Kind int

const (
	// Internal is any error without a kind: a fault of gistdeal or of its database.
	Internal Kind = iota
	// Invalid means that this request is refused and will be refused again.
	Invalid
	// NotFound means that the requested thing does not exist.
	NotFound
	// Unauthorized means that the account refuses all requests of this sort until
	// a person changes the key, the plan or the configuration.
	Unauthorized
	// Limited means that nothing was done and that the next try must wait for RetryAfter.
	Limited
	// Temporary means that nothing was done and that another try may succeed.
	Temporary
	// Unknown means that the remote may have done the work.
	Unknown
	// Conflict means that the thing exists already, or has changed since it was read.
	Conflict
	// Gone means that the requested thing existed and was deleted.
	Gone
)

var kindNames = [...]string{"internal", "invalid", "not found", "unauthorized", "limited", "temporary", "outcome unknown", "conflict", "gone"}

// String returns the kind's name in lower case.
func (k Kind) String() string { return kindNames[k] }

// KindNamed returns the kind with the given String, or Internal if there is none.
func KindNamed(name string) Kind { return Kind(max(slices.Index(kindNames[:], name), 0)) }

// ErrForbidden is in the chain of the error of a request that Pipedrive understands but
// forbids, for the account or for this request alone.
var ErrForbidden = errors.New("forbidden")

// ErrNoDeal is in the chain of the error of a POST that Pipedrive accepted without naming a
// deal. The deal may be on the waiting list of a full plan.
var ErrNoDeal = errors.New("accepted without a deal")

// ErrRule is in the chain of the error of a deal by a rule that needs something which
// Pipedrive does not have any more: a field, a stage, an owner or a label.
var ErrRule = errors.New("a rule needs what Pipedrive does not have")

// Error is an error with a kind. Its text never contains a secret.
type Error struct {
	Kind Kind
	// RetryAfter is the wait before the next try; 0 if the remote named none.
	RetryAfter time.Duration
	// Brief is the text without what a remote said; "" if Err has nothing of that.
	Brief string
	Err   error
}

// Error returns the text of the wrapped error.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the wrapped error.
func (e *Error) Unwrap() error { return e.Err }

// ErrDatabase is in the chain of the error of a database that cannot be used: it does not
// answer, its disk is full, or its file is damaged.
var ErrDatabase = errors.New("the database cannot be used")

// ErrCommitsLost means that the database came back older than a commit that it had
// acknowledged: it crashed without synchronous commits, a replica that was behind took
// over, or somebody restored a backup. Its kind is Temporary.
var ErrCommitsLost = Errorf(Temporary, "the database came back without its last commits")

// Errorf returns an error of kind k, formatted as fmt.Errorf does.
func Errorf(k Kind, format string, args ...any) error {
	return &Error{Kind: k, Err: fmt.Errorf(format, args...)}
}

// Brief returns the text of an error without what a remote said, for those who may not see
// the secrets that an answer can repeat.
func Brief(err error) string {
	if e, ok := errors.AsType[*Error](err); ok && e.Brief != "" {
		return e.Brief
	}
	return err.Error()
}

// KindOf returns the kind of the outermost Error in err's chain, or Internal.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}

// OwnFault reports whether err is a fault of gistdeal or of its database. All other errors
// come from a remote or from a request.
func OwnFault(err error) bool {
	return err != nil && (KindOf(err) == Internal || errors.Is(err, ErrDatabase) || errors.Is(err, ErrCommitsLost))
}

// RetryAfter returns the RetryAfter of the outermost Error in err's chain, or 0.
func RetryAfter(err error) time.Duration {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.RetryAfter
	}
	return 0
}
