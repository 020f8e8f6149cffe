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
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"garnix2gha/cmd/internal/restapi"
)

// Repository is a repository at GitHub, or at an Enterprise host.
type Repository struct {
	Host        string // "github.com"
	Name        string // "OWNER/NAME", as GitHub spells it
	Admin       bool   // whether the login administers it
	Environment string // whose variables and secrets are meant; with "" they are the repository's own
}

// Open finds the repository named as [HOST/]OWNER/NAME, or with "" the one that gh takes from the folder's git remotes.
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

// path is the API's path of the repository or of what is below it: an environment's name may hold slashes.
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

// Error is a refusal by GitHub or by gh. All of it is fit for a terminal.
type Error struct {
	Status  int // of HTTP; 0 if GitHub did not answer
	Message string
	Hint    string // the next step; it may be empty
}

// Error is the message, with the hint on a line of its own.
func (e *Error) Error() string {
	if e.Hint == "" {
		return e.Message
	}
	return e.Message + "\nhint: " + e.Hint
}

const (
	stopTime   = 5 * time.Second // how long gh may take to end after it was told to
	needsLogin = 4               // gh's exit code for a login that is missing
)

// run runs gh, which shall neither ask nor paint, and returns what it prints.
func run(ctx context.Context, dir string, stdin io.Reader, args ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, "gh", args...)
	command.Dir, command.Stdin, command.WaitDelay = dir, stdin, stopTime
	command.Env = append(os.Environ(), "GH_PROMPT_DISABLED=1", "GH_NO_UPDATE_NOTIFIER=1", "NO_COLOR=1", "GH_FORCE_TTY=", "CLICOLOR_FORCE=", "GH_DEBUG=")
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	exit, failed := errors.AsType[*exec.ExitError](err)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.Is(err, exec.ErrNotFound):
		return nil, errors.New("GitHub's program gh is not installed\n" +
			`hint: install it (apt install gh, brew install gh, nix shell nixpkgs#gh; https://cli.github.com), then run "gh auth login"`)
	case failed && exit.ExitCode() == needsLogin:
		return nil, &Error{Message: "gh is not logged in", Hint: `run "gh auth login", or set GH_TOKEN`}
	case failed:
		return nil, refusal(stderr.String())
	case err != nil:
		return nil, fmt.Errorf("run gh: %w", err)
	}
	return out, nil
}

// rights is what a login needs, in the words of GitHub's token pages.
const rights = `secrets and variables take a classic token's scope "repo", or a fine-grained one's permissions "Secrets" and "Variables" ` +
	`(write; for an environment's also "Environments"); rules take an administrator, with the permission "Administration" (write)`

var (
	httpStatus = regexp.MustCompile(`\bHTTP (\d{3})\b`)
	decoration = regexp.MustCompile(`(?m)^(\d+ errors? occurred:\s*|gh: |\s*\* )+`)
)

// refusal reads what gh says when it fails: a message, and on further lines what it advises.
func refusal(said string) *Error {
	message, advice, _ := strings.Cut(strings.TrimSpace(decoration.ReplaceAllString(said, "")), "\n")
	e := &Error{Message: restapi.Clean(message), Hint: restapi.Clean(advice)}
	if status := httpStatus.FindStringSubmatch(message); status != nil {
		e.Status, _ = strconv.Atoi(status[1])
	}
	lower := strings.ToLower(message)
	switch {
	case e.Status == 429 || strings.Contains(lower, "rate limit"):
		e.Hint = `GitHub limits how often it is asked: wait a minute ("gh api rate_limit" tells the hourly limit), then run the same command again`
	case e.Hint != "":
	case e.Status == 401:
		e.Hint = `the login is wrong, expired or revoked: run "gh auth login", or set GH_TOKEN to another token`
	case strings.Contains(lower, "saml"):
		e.Hint = `the organization asks for single sign-on: authorize the login for it, with "gh auth refresh" or on the token's page`
	case e.Status == 403 || strings.Contains(lower, "not accessible"):
		e.Hint = "the login may not do this: " + rights
	case e.Status == 404:
		e.Hint = "GitHub also says so of what the login may not see: check the name, then the rights: " + rights
	case e.Status >= 500:
		e.Hint = "GitHub is out of order; run the same command again later"
	}
	return e
}

func refusedWith(err error, status int) bool {
	refused, ok := errors.AsType[*Error](err)
	return ok && refused.Status == status
}
