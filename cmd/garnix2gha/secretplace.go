package main

import (
	"context"
	"errors"
	"net/url"
	"os/exec"
	"strings"

	"garnix2gha/cmd/internal/git"
	"garnix2gha/cmd/internal/github"
	"garnix2gha/cmd/internal/repo"
	"garnix2gha/cmd/internal/secretsource"
)

// host is the GitHub that is talked to, as remotes name it.
func (s *syncer) host() string {
	if server, err := url.Parse(s.getenv("GITHUB_SERVER_URL")); err == nil && server.Hostname() != "" {
		return server.Hostname()
	}
	api, err := url.Parse(s.getenv("GITHUB_API_URL"))
	if err != nil || api.Hostname() == "" {
		return "github.com"
	}
	host := api.Hostname()
	// The API of an Enterprise Server is a path at its own host; others have a host beside it.
	if rest, ok := strings.CutPrefix(host, "api."); ok && (rest == "github.com" || strings.HasSuffix(rest, ".ghe.com")) {
		return rest
	}
	return host
}

// target is the repository named, else that of the remote origin. A remote's address is never printed: it may hold a
// password.
func (s *syncer) target(ctx context.Context, host string) (owner, name string, err error) {
	if s.repository != "" {
		owner, name, ok := strings.Cut(s.repository, "/")
		if !ok || owner == "" || name == "" || strings.Contains(name, "/") {
			return "", "", usagef("--repo: want OWNER/NAME")
		}
		return owner, name, nil
	}
	dir := s.dir
	if dir == "" {
		if dir, err = repo.Find("."); err != nil {
			dir = "."
		}
	}
	tree, err := git.Open(ctx, dir)
	if errors.Is(err, git.ErrNotInstalled) || errors.Is(err, git.ErrNoRepository) {
		return "", "", usagef("which repository is meant cannot be told here; name it with --repo OWNER/NAME")
	}
	if err != nil {
		return "", "", err
	}
	remote, err := tree.Remote(ctx, "origin")
	if err != nil {
		return "", "", err
	}
	owner, name, ok := github.ParseRemote(remote, host)
	if !ok {
		return "", "", usagef("git's remote origin is missing, or is not a repository at %s; name it with --repo OWNER/NAME", host)
	}
	return owner, name, nil
}

// githubToken is the token of the environment, else that of GitHub's own program.
func (s *syncer) githubToken(ctx context.Context, host string) (secretsource.Value, error) {
	for _, name := range []string{"GH_TOKEN", "GITHUB_TOKEN"} {
		if token := strings.TrimSpace(s.getenv(name)); token != "" {
			return secretsource.NewValue(token), nil
		}
	}
	// What it says when it fails is of no use here, and whatever it prints may be a token.
	out, err := exec.CommandContext(ctx, "gh", "auth", "token", "--hostname", host).Output()
	token := strings.TrimSpace(string(out))
	if err != nil || token == "" {
		return secretsource.Value{}, errors.New("there is no GitHub token\n" +
			"hint: log in with \"gh auth login\", or set GH_TOKEN to a token that may write secrets and variables")
	}
	return secretsource.NewValue(token), nil
}
