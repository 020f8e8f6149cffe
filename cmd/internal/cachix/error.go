// What Cachix did not do as asked.

package cachix

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Error is a call that did not do what it should. It never holds the token, and all of it is fit for a terminal.
type Error struct {
	// Doing is what was tried, "read cache acme".
	Doing string
	// Status is the HTTP status; 0 where no answer was had, 200 for an answer that could not be read.
	Status int
	// Message is what the service said, cleaned and shortened; it may be empty.
	Message string
	// Unconfirmed: the vendor does not document the endpoint any more, and it has changed rather than the user erred.
	Unconfirmed bool

	cause error
}

// Error says what was tried, what the status means, and what the service said.
func (e *Error) Error() string {
	if e.Status == 0 {
		return fmt.Sprintf("%s: %v", e.Doing, e.cause)
	}
	text := fmt.Sprintf("%s: %s answered %d, %s", e.Doing, party, e.Status, e.meaning())
	if e.Message != "" {
		text += ": " + e.Message
	}
	if e.Unconfirmed {
		text += "; this part of the API may have changed"
	}
	return text
}

// Unwrap gives the reason why there was no answer, a cancelled context among them.
func (e *Error) Unwrap() error { return e.cause }

// Expired reports whether the service said that the token's time is over.
func (e *Error) Expired() bool {
	return e.Status == http.StatusUnauthorized && strings.Contains(e.Message, "has expired")
}

// Refused reports whether the token, or its absence, is what the service does not accept.
func (e *Error) Refused() bool {
	return e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden
}

// hides reports whether a cache is missing, or not for the token to see.
func (e *Error) hides() bool { return e.Refused() || e.Status == http.StatusNotFound }

// Unanswered reports whether the service gave no answer of substance, so that asking it more would only take time.
func (e *Error) Unanswered() bool {
	return e.Status == 0 || e.Status == http.StatusTooManyRequests || e.Status >= 500
}

// meaning spells a status out. Missing and forbidden caches both get 401, so that nobody learns which names exist.
func (e *Error) meaning() string {
	switch {
	case e.Status == http.StatusOK:
		return "with something else than expected; is there a proxy in between?"
	case e.Expired():
		return "the token has expired"
	case e.Status == http.StatusUnauthorized:
		return "it is missing or access is refused, the service does not say which"
	case e.Status == http.StatusForbidden:
		return "the token may not do this"
	case e.Status == http.StatusNotFound:
		return "it does not exist"
	case e.Status == http.StatusTooManyRequests:
		return "too many requests, even after waiting"
	case e.Status >= 500:
		return "the service is out of order, even after waiting"
	}
	return "it does not accept the request"
}

// asError gives the *Error inside err, or an empty one.
func asError(err error) *Error {
	if known, ok := errors.AsType[*Error](err); ok {
		return known
	}
	return &Error{cause: err}
}

// unconfirmed marks the error of an endpoint that is not documented any more, unless the answer is a plain one.
func unconfirmed(err error) error {
	known := asError(err)
	known.Unconfirmed = !known.Refused() && !known.Unanswered()
	return err
}
