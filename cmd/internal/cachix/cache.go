// A cache, as the API shows it.

package cachix

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"garnix2gha/cmd/internal/restapi"
)

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

// shown is what the service shows when it is asked for a cache. With a token for one cache, it has been seen to show that
// cache whatever was asked.
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
