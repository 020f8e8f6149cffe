// Package cachix talks to Cachix's management API: what a cache is, what a token can do, and how to make a cache.
//
// The API is documented by the vendor only in part. What was seen working in 2026 is used as it is; everything else is
// tried, and where the answer is not the expected one the *Error is Unconfirmed.
package cachix

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"garnix2gha/cmd/internal/restapi"
)

// DefaultBaseURL is the API of the hosted service.
const DefaultBaseURL = "https://app.cachix.org/api/v1"

// Client calls the API.
type Client struct{ caller restapi.Caller }

// New gives a client for the hosted service, or for the one whose API is at the caller's BaseURL, which ends in /api/v1.
// A caller without a token is shown public caches.
func New(caller restapi.Caller) Client {
	caller.Party, caller.BaseURL = "Cachix", cmp.Or(caller.BaseURL, DefaultBaseURL)
	return Client{caller: caller}
}

// call sends a request and gives the body of a success. The error is an *Error, or the context's own.
func (c Client) call(ctx context.Context, doing, method, path string, body any) ([]byte, error) {
	answer, err := c.caller.Do(ctx, method, path, body)
	if fault, ok := errors.AsType[*restapi.Fault](err); ok {
		return nil, &Error{Doing: doing, Fault: fault}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	return answer, nil
}

// misread is the error for a success whose body is not what it should be.
func (c Client) misread(doing string, body []byte) *Error {
	return &Error{Doing: doing, Fault: c.caller.Misread(body, c.caller.Message(body))}
}

// Page is the address of one of the web pages beside the API; path starts with a slash.
func (c Client) Page(path string) string {
	base, err := url.Parse(c.caller.BaseURL)
	if err != nil {
		return strings.TrimSuffix(DefaultBaseURL, "/api/v1") + path
	}
	return (&url.URL{Scheme: base.Scheme, Host: base.Host}).String() + path
}

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

// lenient decodes what has the wanted type, since the answers have changed before and may again. What is no JSON gives
// false.
func lenient(body []byte, into any) bool {
	err := json.Unmarshal(body, into)
	_, mistyped := errors.AsType[*json.UnmarshalTypeError](err)
	return err == nil || mistyped
}
