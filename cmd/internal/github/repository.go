// Package github asks GitHub through its own program gh, which knows hosts, logins, proxies and sealed boxes.
package github

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"garnix2gha/cmd/internal/restapi"
)

// Repository is a repository at GitHub, or at an Enterprise host.
type Repository struct {
	Host  string // "github.com"
	Name  string // "OWNER/NAME", as GitHub spells it
	Admin bool   // whether the login administers it

	// Environment is the one whose variables and secrets are meant; "" is none, and then they are the repository's own.
	Environment string
}

// Open finds the repository that is named as [HOST/]OWNER/NAME, or with "" the one that gh takes from the folder's git
// remotes.
func Open(ctx context.Context, dir, named string) (*Repository, error) {
	args := []string{"browse", "--no-browser"} // prints the address and asks nobody
	if named != "" {
		args = append(args, "--repo", named)
	}
	page, err := run(ctx, dir, nil, args...)
	if refused, ok := errors.AsType[*Error](err); ok && refused.Hint == "" {
		refused.Hint = `name it with --repo [HOST/]OWNER/NAME; a host other than github.com also needs "gh auth login --hostname HOST"`
	}
	if err != nil {
		return nil, fmt.Errorf("find repository: %w", err)
	}
	address, err := url.Parse(strings.TrimSpace(string(page)))
	if err != nil {
		return nil, errors.New("find repository: gh answered with no address")
	}
	r := &Repository{Host: address.Host, Name: strings.Trim(address.Path, "/")}
	found, err := ask[struct {
		Name        string `json:"full_name"`
		Permissions struct{ Admin bool }
	}](ctx, r, r.path())
	if err != nil {
		return nil, fmt.Errorf("read repository %s: %w", r, err)
	}
	r.Name, r.Admin = found[0].Name, found[0].Permissions.Admin // the name is another one after it was renamed
	return r, nil
}

// String is "OWNER/NAME", at another host than github.com "HOST/OWNER/NAME".
func (r *Repository) String() string {
	return restapi.Clean(strings.TrimPrefix(r.Host+"/"+r.Name, "github.com/"))
}

// path is the API's path of the repository, or of what is below it. Each segment is escaped: an environment's name may
// hold slashes.
func (r *Repository) path(below ...string) string {
	path := "repos/" + r.Name
	for _, segment := range below {
		path += "/" + url.PathEscape(segment)
	}
	return path
}

// ask returns the JSON values that GitHub's API answers: one, or with --paginate one per page.
func ask[T any](ctx context.Context, r *Repository, args ...string) ([]T, error) {
	out, err := r.api(ctx, nil, args...)
	if err != nil {
		return nil, err
	}
	var values []T
	decoder := json.NewDecoder(bytes.NewReader(out))
	decoder.UseNumber() // what is sent back later shall be what was read
	for {
		var value T
		switch err := decoder.Decode(&value); {
		case errors.Is(err, io.EOF) && len(values) > 0:
			return values, nil
		case err != nil:
			return nil, errors.New("GitHub answered with something else than expected; is there a proxy in between?")
		}
		values = append(values, value)
	}
}

// api asks GitHub's API, with a body unless it is nil.
func (r *Repository) api(ctx context.Context, body any, args ...string) ([]byte, error) {
	args = append([]string{"api", "--hostname", r.Host, "--header", "X-GitHub-Api-Version: 2022-11-28"}, args...)
	if body == nil {
		return run(ctx, "", nil, args...)
	}
	sent, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	return run(ctx, "", bytes.NewReader(sent), append(args, "--input", "-")...)
}
