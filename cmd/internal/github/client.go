// Package github talks to GitHub's REST API about the variables and secrets of a repository's Actions.
package github

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"garnix2gha/cmd/internal/restapi"
	"garnix2gha/cmd/internal/secretsource"
)

// DefaultBaseURL is the API of github.com; an Enterprise Server has https://HOST/api/v3.
const DefaultBaseURL = "https://api.github.com"

// apiVersion is the version of the REST API that this package was written for.
const apiVersion = "2022-11-28"

// Client calls the API. The zero value has no token, and so can change nothing.
type Client struct {
	// BaseURL is the API's address; "" is DefaultBaseURL.
	BaseURL string
	// Token is a personal access token or an app's; the GITHUB_TOKEN of a workflow cannot write variables or secrets.
	Token secretsource.Value
	// HTTP is the client to use; nil is one that gives each attempt 30 seconds.
	HTTP *http.Client
	// Sleep waits between attempts; nil really sleeps.
	Sleep func(context.Context, time.Duration) error
	// Waiting, if set, is told before each wait how long it will be and why.
	Waiting func(wait time.Duration, why string)
}

// place is where variables and secrets live: a repository, or one of its environments.
type place struct {
	owner, repo, environment string
}

// String is "owner/repo", or "environment NAME of owner/repo".
func (p place) String() string {
	if p.environment == "" {
		return p.owner + "/" + p.repo
	}
	return fmt.Sprintf("environment %s of %s/%s", restapi.Clean(p.environment), p.owner, p.repo)
}

// path is the API's path of a place's "variables" or "secrets", followed by more segments. Each is escaped: an
// environment's name may hold slashes.
func (p place) path(collection string, more ...string) string {
	path := p.repository() + "/actions/"
	if p.environment != "" {
		path = p.repository() + "/environments/" + url.PathEscape(p.environment) + "/"
	}
	path += collection
	for _, segment := range more {
		path += "/" + url.PathEscape(segment)
	}
	return path
}

func (p place) repository() string {
	return "/repos/" + url.PathEscape(p.owner) + "/" + url.PathEscape(p.repo)
}

// call sends a request and returns the reply if its status is one of those wanted, else an *Error.
func (c Client) call(ctx context.Context, doing, method, path string, body any, want ...int) (restapi.Reply, error) {
	base := c.BaseURL
	if base == "" {
		base = DefaultBaseURL
	}
	caller := restapi.Caller{
		Party: "GitHub", BaseURL: base, Token: c.Token, HTTP: c.HTTP, Sleep: c.Sleep, Waiting: c.Waiting,
		Patience: patience,
		Header:   http.Header{"Accept": {"application/vnd.github+json"}, "X-Github-Api-Version": {apiVersion}},
	}
	reply, err := caller.Call(ctx, method, path, body)
	if err != nil {
		return restapi.Reply{}, fmt.Errorf("%s: %w", doing, err)
	}
	for _, status := range want {
		if reply.Status == status {
			return reply, nil
		}
	}
	return reply, newError(doing, caller, reply)
}

// secondaryPause is GitHub's advice for a secondary limit that names no time. Source: GitHub's REST API best practices.
const secondaryPause = time.Minute

// patience repeats after 5xx, and after a rate limit if it ends soon enough. GitHub answers 403 or 429 for one.
func patience(reply restapi.Reply, now time.Time) (wait time.Duration, again bool) {
	if !limited(reply) {
		return restapi.Busy(reply, now)
	}
	wait = limitEnds(reply, now)
	return wait, wait <= restapi.MaxRetryAfter
}

// limited reports whether a reply means a rate limit rather than a missing permission.
func limited(reply restapi.Reply) bool {
	switch reply.Status {
	case http.StatusTooManyRequests:
		return true
	case http.StatusForbidden:
		return reply.Header.Get("Retry-After") != "" || reply.Header.Get("X-Ratelimit-Remaining") == "0" ||
			strings.Contains(strings.ToLower(string(reply.Body)), "secondary rate limit")
	}
	return false
}

// limitEnds is the time until a rate limit ends, one second at least.
func limitEnds(reply restapi.Reply, now time.Time) time.Duration {
	if wait, ok := restapi.RetryAfter(reply, now); ok {
		return max(wait, time.Second)
	}
	reset, err := strconv.ParseInt(reply.Header.Get("X-Ratelimit-Reset"), 10, 64)
	if reply.Header.Get("X-Ratelimit-Remaining") == "0" && err == nil {
		return max(time.Unix(reset, 0).Sub(now)+time.Second, time.Second)
	}
	return secondaryPause
}

// decode reads a reply's JSON.
func decode(doing string, reply restapi.Reply, into any) error {
	if err := json.Unmarshal(reply.Body, into); err != nil {
		return fmt.Errorf("%s: GitHub answered %d with something else than expected; is there a proxy in between?", doing, reply.Status)
	}
	return nil
}
