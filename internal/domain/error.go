package domain

import (
	"errors"
	"fmt"
	"time"
)

// Error is the one error vocabulary of the product. Code and Message may be
// shown to a user; Err is the cause and only ever logged.
type Error struct {
	Code    Code
	Message string // a sentence a person can act on
	Hint    string // optional: what to try next
	Err     error

	// RetryAfter is a provider's or our own wish of when to come back.
	RetryAfter time.Duration
}

// Error implements error with the internal cause included, for logs.
func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %s: %v", e.Code, e.Message, e.Err)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Message)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an Error whose message may be shown to a user.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// WithCause returns a copy of e that carries err for the logs.
func (e *Error) WithCause(err error) *Error {
	c := *e
	c.Err = err
	return &c
}

// WithHint returns a copy of e that carries a hint for the user.
func (e *Error) WithHint(hint string) *Error {
	c := *e
	c.Hint = hint
	return &c
}

// CodeOf returns the code of the first Error in err's chain, CodeInternal for
// any other error and "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}

// AsError returns the first Error in err's chain, or an internal one around err
// whose message says nothing of the cause.
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Code: CodeInternal, Message: "Something went wrong on our side. Try again; if it persists, report the request id.", Err: err}
}
