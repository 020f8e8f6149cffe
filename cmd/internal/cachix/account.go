// Accounts, which own caches.

package cachix

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"garnix2gha/cmd/internal/restapi"
)

// Account owns caches: a person's or an organization's.
type Account struct {
	ID             int64  `json:"id"`
	Slug           string `json:"slug"`
	GithubUsername string `json:"githubUsername"`
}

// String is the account's slug, else its GitHub name, else its number.
func (a Account) String() string {
	return cmp.Or(a.Slug, a.GithubUsername, strconv.FormatInt(a.ID, 10))
}

func (a Account) called(slug string) bool {
	return strings.EqualFold(a.Slug, slug) || strings.EqualFold(a.GithubUsername, slug)
}

// User reads the account behind the token. Only an account-wide token gets an answer; others get an *Error that is Refused.
func (c Client) User(ctx context.Context) (Account, error) {
	const doing = "read the token's account"
	body, err := c.call(ctx, doing, http.MethodGet, "/user", nil)
	if err != nil {
		return Account{}, err
	}
	account, ok := decodeAccount(body)
	if !ok {
		return Account{}, c.misread(doing, body)
	}
	return account, nil
}

// organizations reads the organizations of the token's account, in the service's order. The endpoint was last seen
// documented in 2023.
func (c Client) organizations(ctx context.Context) ([]Account, error) {
	const doing = "list the token's organizations"
	body, err := c.call(ctx, doing, http.MethodGet, "/organization", nil)
	if err != nil {
		return nil, unconfirmed(err)
	}
	var list []json.RawMessage
	if json.Unmarshal(body, &list) != nil {
		return nil, unconfirmed(c.misread(doing, body))
	}
	accounts := make([]Account, 0, len(list))
	for _, raw := range list {
		account, ok := decodeAccount(raw)
		if !ok {
			return nil, unconfirmed(c.misread(doing, raw))
		}
		accounts = append(accounts, account)
	}
	return accounts, nil
}

// owner finds the account that shall own a new cache: the one called slug, or the token's own.
func (c Client) owner(ctx context.Context, slug string) (Account, error) {
	user, userErr := c.User(ctx)
	if userErr == nil && (slug == "" || user.called(slug)) {
		return user, nil
	}
	if known := asError(userErr); userErr != nil && (known.Expired() || !known.Refused()) {
		return Account{}, userErr
	}
	// A token of an organization has no user behind it, so a refusal above is not the end.
	accounts, err := c.organizations(ctx)
	switch {
	case userErr != nil && (err != nil || len(accounts) == 0):
		return Account{}, fmt.Errorf("the token is not account-wide: %w", userErr)
	case err != nil:
		return Account{}, err
	case slug == "" && len(accounts) == 1:
		return accounts[0], nil
	case userErr == nil:
		accounts = append([]Account{user}, accounts...)
	}
	var names []string
	for _, account := range accounts {
		if slug != "" && account.called(slug) {
			return account, nil
		}
		names = append(names, account.String())
	}
	if slug == "" {
		return Account{}, fmt.Errorf("the token is of several organizations, name one of: %s", strings.Join(names, ", "))
	}
	return Account{}, fmt.Errorf("the token has no account %q, it has: %s", restapi.Clean(slug), strings.Join(names, ", "))
}

// decodeAccount insists on a number only.
func decodeAccount(body []byte) (Account, bool) {
	var answer struct {
		Account
		ID any `json:"id"` // a number, as far as is known
	}
	ok := lenient(body, &answer)
	id, known := answer.ID.(float64)
	if !ok || !known {
		return Account{}, false
	}
	return Account{ID: int64(id), Slug: restapi.Clean(answer.Slug), GithubUsername: restapi.Clean(answer.GithubUsername)}, true
}
