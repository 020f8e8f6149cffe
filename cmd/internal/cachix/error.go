// What Cachix did not do as asked.

package cachix

import (
	"errors"
	"net/http"
	"strings"

	"garnix2gha/cmd/internal/restapi"
)

// Error is a call that did not do what it should. It never holds the token, and all of it is fit for a terminal.
type Error struct {
	*restapi.Fault
	// Doing is what was tried, "read cache acme".
	Doing string
	// Unconfirmed: the vendor does not document the endpoint any more, and it has changed rather than the user erred.
	Unconfirmed bool
}

// Error says what was tried, and what came of it.
func (e *Error) Error() string {
	text := e.Doing + ": " + e.Fault.Error()
	if e.Unconfirmed {
		text += "; this part of the API may have changed"
	}
	return text
}

// Expired reports whether the service said that the token's time is over.
func (e *Error) Expired() bool {
	return e.Status == http.StatusUnauthorized && strings.Contains(e.Detail, "has expired")
}

// hides reports whether a cache is missing, or not for the token to see: nobody shall learn which names exist.
func (e *Error) hides() bool { return e.Refused() || e.Absent() }

// asError gives the *Error inside err, or an empty one.
func asError(err error) *Error {
	if known, ok := errors.AsType[*Error](err); ok {
		return known
	}
	return &Error{Fault: &restapi.Fault{}}
}

// unconfirmed marks the error of an endpoint that is not documented any more, unless the answer is a plain one.
func unconfirmed(err error) error {
	known := asError(err)
	known.Unconfirmed = !known.Refused() && !known.Unavailable()
	return err
}
