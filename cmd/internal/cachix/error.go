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
	// Status is the HTTP status; 0 where no answer was had.
	Status int
	// Message is what the service said, cleaned and shortened; it may be empty.
	Message string
	// Next is what to do about it, in order; it may be empty.
	Next []string

	page, misread bool
	cause         error
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

// unanswered reports whether the service gave no answer of substance, so that asking it more would only take time.
func (e *Error) unanswered() bool {
	return e.Status == 0 || e.Status == http.StatusTooManyRequests || e.Status >= 500
}

// meaning spells a status out. Missing and forbidden caches both get 401, so that nobody learns which names exist.
func (e *Error) meaning() string {
	switch {
	case e.page && e.Status < 300:
		return "with a web page where the API's answer should be; is there a proxy in between?"
	case e.misread:
		return "with something else than expected"
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

// Unconfirmed is an error of an endpoint that the vendor does not document any more and that answered in an unexpected
// way: the endpoint has changed rather than the user erred. Next leads through the web pages.
type Unconfirmed struct {
	Err  *Error
	Next []string
}

// Error says that the API may have changed, and what was seen.
func (u *Unconfirmed) Error() string {
	return u.Err.Error() + "; this part of the API may have changed"
}

// Unwrap gives the *Error.
func (u *Unconfirmed) Unwrap() error { return u.Err }

// NextSteps is what an error of this package advises, in order; nil for other errors.
func NextSteps(err error) []string {
	var unconfirmed *Unconfirmed
	if errors.As(err, &unconfirmed) {
		return unconfirmed.Next
	}
	var known *Error
	if errors.As(err, &known) {
		return known.Next
	}
	return nil
}
