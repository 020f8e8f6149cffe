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
	return &Error{Doing: doing, Fault: c.caller.Misread(body, c.caller.Message(restapi.Reply{Body: body}))}
}

// Page is the address of one of the web pages beside the API; path starts with a slash.
func (c Client) Page(path string) string {
	base, err := url.Parse(c.caller.BaseURL)
	if err != nil {
		return strings.TrimSuffix(DefaultBaseURL, "/api/v1") + path
	}
	return (&url.URL{Scheme: base.Scheme, Host: base.Host}).String() + path
}

// lenient decodes what has the wanted type, since the answers have changed before and may again. What is no JSON gives
// false.
func lenient(body []byte, into any) bool {
	err := json.Unmarshal(body, into)
	_, mistyped := errors.AsType[*json.UnmarshalTypeError](err)
	return err == nil || mistyped
}
