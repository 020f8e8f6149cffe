// Package cachix talks to Cachix's management API: what a cache is, what a token can do, and how to make a cache.
//
// The API is documented by the vendor only in part. What was seen working in 2026 is used as it is; everything else is
// tried, and where the answer is not the expected one the *Error is Unconfirmed.
package cachix

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"garnix2gha/cmd/internal/restapi"
	"garnix2gha/cmd/internal/secretsource"
)

// DefaultBaseURL is the API of the hosted service.
const DefaultBaseURL = "https://app.cachix.org/api/v1"

// party is the service's name in messages.
const party = "Cachix"

// Client calls the API. The zero value asks the hosted service without a token.
type Client struct {
	// BaseURL ends in /api/v1; "" is DefaultBaseURL. A self-hosted server has its own.
	BaseURL string
	// Token is sent as "Authorization: Bearer"; without one the header is left out, which public caches accept.
	Token secretsource.Value
	// HTTP, Sleep and Waiting are those of a restapi.Caller.
	HTTP    *http.Client
	Sleep   func(context.Context, time.Duration) error
	Waiting func(wait time.Duration, why string)
}

func (c Client) caller() restapi.Caller {
	base := c.BaseURL
	if base == "" {
		base = DefaultBaseURL
	}
	return restapi.Caller{Party: party, BaseURL: base, Token: c.Token, HTTP: c.HTTP, Sleep: c.Sleep, Waiting: c.Waiting}
}

// call sends a request and gives the body of a success, or an *Error for any other status.
func (c Client) call(ctx context.Context, doing, method, path string, body any) ([]byte, error) {
	caller := c.caller()
	reply, err := caller.Call(ctx, method, path, body)
	switch {
	case err != nil:
		return nil, &Error{Doing: doing, cause: err}
	case !reply.OK():
		return nil, &Error{Doing: doing, Status: reply.Status, Message: caller.Message(reply)}
	case restapi.IsPage(reply):
		return nil, c.misread(doing, reply.Body)
	}
	return reply.Body, nil
}

// misread is the error for a success whose body is not what it should be; it carries the start of the body's text.
func (c Client) misread(doing string, body []byte) *Error {
	return &Error{Doing: doing, Status: http.StatusOK, Message: c.caller().Message(restapi.Reply{Body: body})}
}

// Page is the address of one of the web pages beside the API; path starts with a slash.
func (c Client) Page(path string) string {
	base, err := url.Parse(c.caller().BaseURL)
	if err != nil {
		return strings.TrimSuffix(DefaultBaseURL, "/api/v1") + path
	}
	return (&url.URL{Scheme: base.Scheme, Host: base.Host}).String() + path
}

// fields decodes a JSON object without insisting on anything inside it.
func fields(body []byte) (map[string]json.RawMessage, bool) {
	var found map[string]json.RawMessage
	return found, json.Unmarshal(body, &found) == nil && found != nil
}

// field decodes one field if it is there and of the wanted type; otherwise it is T's zero value.
func field[T any](from map[string]json.RawMessage, name string) T {
	var value, zero T
	if json.Unmarshal(from[name], &value) != nil {
		return zero
	}
	return value
}
