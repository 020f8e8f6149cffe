// Package cachix talks to Cachix's management API: what a cache is, what a token can do, and how to make a cache.
//
// The API is documented by the vendor only in part. What was seen working in 2026 is used, fields of other types than
// expected are left out, and what else is answered is a *restapi.Fault.
package cachix

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"garnix2gha/cmd/internal/restapi"
)

// defaultBaseURL is the API of the hosted service.
const defaultBaseURL = "https://app.cachix.org/api/v1"

// Client calls the API.
type Client struct{ caller restapi.Caller }

// New gives a client for the hosted service, or for the one whose API is at the caller's BaseURL, which ends in /api/v1.
// A caller without a token is shown public caches.
func New(caller restapi.Caller) Client {
	caller.Party, caller.BaseURL = "Cachix", cmp.Or(caller.BaseURL, defaultBaseURL)
	return Client{caller: caller}
}

// get reads what is at a path into a value, and has it checked. Its errors say what was tried.
func (c Client) get(ctx context.Context, doing, path string, into any, valid func() bool) error {
	body, err := c.caller.Do(ctx, http.MethodGet, path, nil)
	if err == nil && !(lenient(body, into) && valid()) {
		err = c.caller.Misread(body, c.caller.Message(body))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

// lenient decodes what has the wanted type, since the answers have changed before and may again. What is no JSON gives
// false.
func lenient(body []byte, into any) bool {
	err := json.Unmarshal(body, into)
	_, mistyped := errors.AsType[*json.UnmarshalTypeError](err)
	return err == nil || mistyped
}

// Page is the address of one of the web pages beside the API; path starts with a slash.
func (c Client) Page(path string) string {
	base, err := url.Parse(c.caller.BaseURL)
	if err != nil {
		return strings.TrimSuffix(defaultBaseURL, "/api/v1") + path
	}
	return (&url.URL{Scheme: base.Scheme, Host: base.Host}).String() + path
}

// faultOf gives the fault inside err, or an empty one.
func faultOf(err error) *restapi.Fault {
	if fault, ok := errors.AsType[*restapi.Fault](err); ok {
		return fault
	}
	return &restapi.Fault{}
}

// expired reports whether the service said that the token's time is over.
func expired(err error) bool {
	fault := faultOf(err)
	return fault.Status == http.StatusUnauthorized && strings.Contains(fault.Detail, "has expired")
}

// hides reports whether a cache is missing, or not for the token to see: nobody shall learn which names exist.
func hides(err error) bool { return faultOf(err).Refused() || faultOf(err).Absent() }

// Account owns caches.
type Account struct {
	ID             int64  `json:"id"`
	Slug           string `json:"slug"`
	GithubUsername string `json:"githubUsername"`
}

// String is the account's slug, else its GitHub name, else its number.
func (a Account) String() string {
	return cmp.Or(a.Slug, a.GithubUsername, strconv.FormatInt(a.ID, 10))
}

// User reads the account behind the token. Only a person's account-wide token gets an answer; for others the
// *restapi.Fault is Refused.
func (c Client) User(ctx context.Context) (Account, error) {
	var user Account
	if err := c.get(ctx, "read the token's account", "/user", &user, func() bool { return user.ID != 0 }); err != nil {
		return Account{}, err
	}
	user.Slug, user.GithubUsername = restapi.Clean(user.Slug), restapi.Clean(user.GithubUsername)
	return user, nil
}
