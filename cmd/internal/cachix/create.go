// The creation of a cache.

package cachix

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// CreateResult is what Create found and did, ready to be printed.
type CreateResult struct {
	Outcome  string      `json:"outcome"` // "created", "existed" or, where it failed, ""
	Cache    BinaryCache `json:"cache"`   // as the service shows it
	Account  Account     `json:"account"`
	Steps    []string    `json:"steps"` // what was done, in order
	Warnings []string    `json:"warnings"`
}

// How often and how long a new cache's key is waited for.
const (
	keyAttempts = 4
	keyPause    = 2 * time.Second
)

// Create makes a cache with a signing key, and reads it back; a cache that the token may push to already is returned as
// it is. It needs an account-wide token. Where it fails, the result still tells the steps done.
func (c Client) Create(ctx context.Context, name string, public bool) (CreateResult, error) {
	if err := ValidateName(name); err != nil {
		return CreateResult{}, err
	}
	result := CreateResult{
		Cache: BinaryCache{Name: name, Visibility: visibility(public), PublicSigningKeys: []string{}},
		Steps: []string{}, Warnings: []string{},
	}
	if c.caller.Token.Empty() {
		return result, fmt.Errorf("create cache %s: it takes an account-wide token, and none was given", name)
	}
	account, err := c.User(ctx)
	if faultOf(err).Refused() && !expired(err) {
		err = fmt.Errorf("the token is not account-wide, or an organization's, whose caches are made by hand: %w", err)
	}
	if err != nil {
		return result, err
	}
	result.Account = account
	result.did("found account %s", account)
	cache, err := c.GetCache(ctx, name)
	switch {
	case err == nil && !pushable(cache):
		return result, fmt.Errorf("there is a cache %s that this token may only read: it is someone else's, choose another name", name)
	case err == nil:
		result.did("cache %s is there already, nothing to create", cache.Name)
		result.end("existed", cache, public)
		return result, nil
	case !hides(err):
		return result, err
	}
	result.did("no cache %s to be seen", name)
	made := c.create(ctx, name, public, account)
	cache, err = c.readBack(ctx, name)
	// An answer that was lost is repeated, and the repetition refused: the cache can be there nevertheless.
	if made != nil && (err != nil || !pushable(cache)) {
		return result, made
	}
	result.Outcome = "created"
	result.did("created cache %s", name)
	if err != nil {
		return result, fmt.Errorf("the cache was created, but could not be read back: %w", err)
	}
	result.did("read the cache back: it is %s and has %d public signing keys", cache.Visibility, len(cache.PublicSigningKeys))
	result.end("created", cache, public)
	return result, nil
}

// create asks for a cache with a signing key that the service keeps. A success has no body. Which status an existing
// name gets is not known, and the endpoint is documented no longer.
func (c Client) create(ctx context.Context, name string, public bool, account Account) error {
	body, err := c.caller.Do(ctx, http.MethodPost, "/cache/"+url.PathEscape(name), map[string]any{
		"isPublic": public, "generateSigningKey": true, "accountID": account.ID,
	})
	if err == nil && len(body) > 0 && !json.Valid(body) {
		err = c.caller.Misread(body, c.caller.Message(body))
	}
	if err == nil {
		return nil
	}
	if !faultOf(err).Unavailable() {
		err = fmt.Errorf("the name may be taken, the account may not have another cache, or this part of the API has changed: %w", err)
	}
	return fmt.Errorf("create cache %s: %w", name, err)
}

// readBack reads a cache that was just made, and waits a little for its key.
func (c Client) readBack(ctx context.Context, name string) (BinaryCache, error) {
	cache, err := c.GetCache(ctx, name)
	for attempt := 1; attempt < keyAttempts && err == nil && pushable(cache) && len(cache.PublicSigningKeys) == 0; attempt++ {
		if err := c.caller.Wait(ctx, keyPause, "the signing key is not there yet"); err != nil {
			return cache, err
		}
		cache, err = c.GetCache(ctx, name)
	}
	return cache, err
}

// pushable reports whether the token may push; a cache that does not say is given the benefit of the doubt.
func pushable(cache BinaryCache) bool { return cache.Permission != Read }

// end notes how it ended, and warns where the cache is not as it was asked for, which is for a person to change.
func (r *CreateResult) end(outcome string, cache BinaryCache, public bool) {
	r.Outcome, r.Cache = outcome, cache
	if wanted := visibility(public); cache.Visibility != wanted {
		r.Warnings = append(r.Warnings,
			fmt.Sprintf("the cache is %s, asked for was a %s one; change it in the cache's settings", cache.Visibility, wanted))
	}
	if len(cache.PublicSigningKeys) == 0 {
		r.Warnings = append(r.Warnings, "the cache has no public signing key; generate one in the cache's settings before anything is pushed")
	}
}

func (r *CreateResult) did(format string, args ...any) {
	r.Steps = append(r.Steps, fmt.Sprintf(format, args...))
}
