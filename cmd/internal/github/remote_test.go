package github

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseRemote(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, remote, host, owner, repo string
	}{
		{"https", "https://github.com/octo/flake", "", "octo", "flake"},
		{"https with .git, a slash and a line break", "https://github.com/octo/flake.git/\n", "", "octo", "flake"},
		{"https with credentials and a port", "https://x-access-token:hunter2@github.com:443/octo/flake.git", "", "octo", "flake"},
		{"the short form of ssh", "git@github.com:octo/flake.git", "", "octo", "flake"},
		{"the short form without a user", "github.com:octo/flake", "", "octo", "flake"},
		{"the short form with an enterprise's user", "org-1234@github.com:octo/flake.git", "", "octo", "flake"},
		{"the short form with a leading slash", "git@github.com:/octo/flake.git", "", "octo", "flake"},
		{"ssh", "ssh://git@github.com/octo/flake.git", "", "octo", "flake"},
		{"ssh over the port of https", "ssh://git@ssh.github.com:443/octo/flake.git", "", "octo", "flake"},
		{"git's own protocol", "git://github.com/octo/flake.git", "", "octo", "flake"},
		{"capitals in the host", "https://GitHub.com/Octo/Flake", "", "Octo", "Flake"},
		{"www", "https://www.github.com/octo/flake", "", "octo", "flake"},
		{"a repository with dots", "https://github.com/octo/octo.github.io", "", "octo", "octo.github.io"},
		{"a managed user's underscore", "https://github.com/jane_corp/flake", "", "jane_corp", "flake"},
		{"another host that was asked for", "git@git.corp.example:octo/flake", "git.corp.example", "octo", "flake"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			owner, repo, ok := ParseRemote(tc.remote, tc.host)
			require.True(t, ok)
			assert.Equal(t, tc.owner+"/"+tc.repo, owner+"/"+repo)
		})
	}
	for _, tc := range []struct{ name, remote, host string }{
		{"nothing", "", ""},
		{"another host", "https://gitlab.com/octo/flake", ""},
		{"a host that only ends like GitHub's", "https://evilgithub.com/octo/flake", ""},
		{"a host that only starts like GitHub's", "https://github.com.evil.example/octo/flake", ""},
		{"GitHub in the user's place", "https://github.com@evil.example/octo/flake", ""},
		{"GitHub where another host was asked for", "https://github.com/octo/flake", "git.corp.example"},
		{"an owner alone", "https://github.com/octo", ""},
		{"too many parts", "https://github.com/octo/flake/tree/main", ""},
		{"a repository that is a path", "https://github.com/octo/..", ""},
		{"a repository of dots and git", "git@github.com:octo/...git", ""},
		{"an owner with a space", "git@github.com:oc to/flake", ""},
		{"a shell's substitution", "git@github.com:octo/$(id)", ""},
		{"a file", "/srv/github.com:octo/flake", ""},
		{"a file's address", "file://github.com/octo/flake", ""},
		{"a broken address", "https://github.com:port/octo/flake", ""},
		{"a control character", "https://github.com/octo/fl\x1bake", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			owner, repo, ok := ParseRemote(tc.remote, tc.host)
			assert.False(t, ok)
			assert.Empty(t, owner+repo)
		})
	}
}
