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
	"regexp"
	"strconv"
	"strings"

	"garnix2gha/cmd/internal/restapi"
)

const defaultBaseURL = "https://app.cachix.org/api/v1" // of the hosted service

// Client calls the API.
type Client struct{ caller restapi.Caller }

// New gives a client for the API at BaseURL (.../api/v1), by default the hosted service's. Without a token it sees public caches.
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

// lenient decodes what has the wanted type, since the answers have changed before. It reports whether there was JSON.
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

// User reads the account behind a person's account-wide token; for other tokens the *restapi.Fault is Refused.
func (c Client) User(ctx context.Context) (Account, error) {
	var user Account
	if err := c.get(ctx, "read the token's account", "/user", &user, func() bool { return user.ID != 0 }); err != nil {
		return Account{}, err
	}
	user.Slug, user.GithubUsername = restapi.Clean(user.Slug), restapi.Clean(user.GithubUsername)
	return user, nil
}

// Visibility says who may read a cache.
type Visibility string

// The visibilities; Undisclosed is a cache object that does not say.
const (
	Public      Visibility = "public"
	Private     Visibility = "private"
	Undisclosed Visibility = "undisclosed"
)

// Permission is what the caller's token may do with a cache, in the service's words.
type Permission string

// The permissions, each including the one before.
const (
	Read  Permission = "Read"
	Write Permission = "Write"
	Admin Permission = "Admin"
)

// BinaryCache is a cache as the API shows it. All texts are clean of control characters.
type BinaryCache struct {
	Name              string     `json:"name"`
	URI               string     `json:"uri"` // the substituter's address, without a trailing slash; "" if the service did not say
	Visibility        Visibility `json:"visibility"`
	PublicSigningKeys []string   `json:"publicSigningKeys"` // as nix wants them, in the service's order; empty if nothing is signed yet
	Permission        Permission `json:"permission"`        // that of the token that asked; "" if the service did not say
	GithubUsername    string     `json:"githubUsername"`
}

// ValidateName checks the name of a cache to be made: a lower-case letter, then at most 62 of a-z, 0-9 and "-", which is not the last.
// That is what the one client known to create caches allows; a cache's name is also a DNS label.
func ValidateName(name string) error {
	if !regexp.MustCompile(`^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`).MatchString(name) {
		return fmt.Errorf("cache name %q: want a lower-case letter, then letters, digits and dashes inside, 63 in all at most", restapi.Clean(name))
	}
	return nil
}

// mayExist is wider than ValidateName, for caches that exist already.
func mayExist(name string) bool {
	return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`).MatchString(name)
}

// checkName refuses what cannot be the name of a cache; a token pasted in its place must not end up in an address.
func (c Client) checkName(name string) error {
	if restapi.HoldsToken(name) || (name != "" && name == c.caller.Token.Reveal()) {
		return errors.New("cache name: this is a token, not the name of a cache")
	}
	if !mayExist(name) {
		return fmt.Errorf("cache name %q: no cache can have this name", restapi.Clean(name))
	}
	return nil
}

// GetCache reads a cache. A missing cache and one that the token may not read give the same *restapi.Fault with status 401.
func (c Client) GetCache(ctx context.Context, name string) (BinaryCache, error) {
	cache, err := c.shown(ctx, name)
	if err == nil && !sameName(cache.Name, name) {
		return BinaryCache{}, fmt.Errorf("asked for cache %s, the service answered with %s", name, cache.Name)
	}
	return cache, err
}

// shown is what the service shows of a cache. With a token for one cache, it has been seen to show that whatever was asked.
func (c Client) shown(ctx context.Context, name string) (BinaryCache, error) {
	if err := c.checkName(name); err != nil {
		return BinaryCache{}, err
	}
	var answer struct {
		BinaryCache
		IsPublic any `json:"isPublic"` // a bool, as far as is known
	}
	named := func() bool { return mayExist(answer.Name) }
	if err := c.get(ctx, "read cache "+name, "/cache/"+url.PathEscape(name), &answer, named); err != nil {
		return BinaryCache{}, err
	}
	cache := BinaryCache{
		Name:              answer.Name,
		URI:               strings.TrimRight(restapi.Clean(answer.URI), "/"),
		Visibility:        Undisclosed,
		PublicSigningKeys: []string{},
		Permission:        Permission(restapi.Clean(string(answer.Permission))),
		GithubUsername:    restapi.Clean(answer.GithubUsername),
	}
	if public, known := answer.IsPublic.(bool); known {
		cache.Visibility = visibility(public)
	}
	for _, key := range answer.PublicSigningKeys {
		cache.PublicSigningKeys = append(cache.PublicSigningKeys, restapi.Clean(key))
	}
	return cache, nil
}

func visibility(public bool) Visibility {
	if public {
		return Public
	}
	return Private
}

// sameName compares as host names do.
func sameName(a, b string) bool { return strings.EqualFold(a, b) }
