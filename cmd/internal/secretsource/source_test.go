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
		{"an age file", "age:secrets/token.age", Source{Kind: Age, Name: "secrets/token.age"}},
		{"a whole sops file", "sops:token.bin", Source{Kind: Sops, Name: "token.bin"}},
		{"a key of a sops file", "sops:s.yaml#token", Source{Kind: Sops, Name: "s.yaml", Keys: []string{"token"}}},
		{"a nested key of a sops file", "sops:s.yaml#ci/cachix token", Source{Kind: Sops, Name: "s.yaml", Keys: []string{"ci", "cachix token"}}},
		{"the last # of a sops path starts the key", "sops:a#b.yaml#k", Source{Kind: Sops, Name: "a#b.yaml", Keys: []string{"k"}}},
		{"a # in a plain file's path is part of it", "file:a#b", Source{Kind: File, Name: "a#b"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseSource(tc.text)
			require.NoError(t, err)
			assert.Equal(t, tc.want, got)
			again, err := ParseSource(got.String())
			require.NoError(t, err)
			assert.Equal(t, got, again)
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
		{"a key without a file", "sops:#hunter2", "nothing after the colon"},
		{"an empty key", "sops:f#", "empty key"},
		{"an empty key in the middle", "sops:f#a//b", "empty key"},
		{"a key that would end sops' own quoting", `sops:f#a"]["b`, "brackets or quotes"},
		{"a key with a line break", "sops:f#a\nb", "control characters"},
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
