package secretsource

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseSource(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, text string
		want       Source
	}{
		{"an environment variable by name", "env:CACHIX_AUTH_TOKEN", Source{Kind: Env, Name: "CACHIX_AUTH_TOKEN"}},
		{"a file by path, colons and all", "file:/run/a:b", Source{Kind: File, Name: "/run/a:b"}},
		{"standard input by its name", "stdin", Source{Kind: Stdin}},
		{"standard input as a dash", "-", Source{Kind: Stdin}},
		{"a command with arguments", "command:sops -d --extract '[\"ci\"]' s.yaml", Source{Kind: Command, Args: []string{"sops", "-d", "--extract", `["ci"]`, "s.yaml"}}},
		{"a # in a plain file's path is part of it", "file:a#b", Source{Kind: File, Name: "a#b"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseSource(tc.text)
			require.NoError(t, err)
			assert.Equal(t, tc.want, got)
			assert.NotContains(t, got.String(), "s.yaml", "an argument may be a secret")
		})
	}
}

func TestParseSourceRefuses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, text, want string }{
		{"a secret where its place should be", "eyJhbGciOi.hunter2.sig", "unknown source"},
		{"a secret that holds a colon", "hunter2:hunter2", "unknown source"},
		{"a token where a variable's name should be", "env:eyJhbGciOi.hunter2.sig", "not its value"},
		{"a variable's name that starts with a digit", "env:2hunter2", "not its value"},
		{"an unknown kind", "vault:hunter2", "unknown source"},
		{"nothing", "", "unknown source"},
		{"a kind without a place", "file:", "nothing after the colon"},
		{"no command", "command: ", "nothing after the colon"},
		{"a pipe", "command:cat hunter2 | head", "no shell runs it"},
		{"a second command", "command:cat hunter2; true", "no shell runs it"},
		{"a quote that is left open", "command:cat 'hunter2", "left open"},
		{"a command within", "command:cat (hunter2)", "quote what holds brackets"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseSource(tc.text)
			require.ErrorContains(t, err, tc.want)
			assert.NotContains(t, err.Error(), "hunter2")
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}
