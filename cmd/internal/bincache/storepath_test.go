package bincache

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const someHash = "ydsshqnqb0c3qgc2j1j0q074699dyaqm"

func TestStorePathHoldsToNixRules(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, in string
		want     string // part of the error; "" for a valid path
	}{
		{"a plain path is valid", "/nix/store/" + someHash + "-hello-2.12", ""},
		{"every character Nix allows is valid", "/nix/store/" + someHash + "-A+z-0._?=", ""},
		{"a hidden name is valid", "/nix/store/" + someHash + "-.envrc", ""},
		{"the longest name is valid", "/nix/store/" + someHash + "-" + strings.Repeat("n", 211), ""},
		{"a longer name is refused", "/nix/store/" + someHash + "-" + strings.Repeat("n", 212), "longer than 211"},
		{"an empty string is none", "", `"" is not below`},
		{"a placeholder names content addressing", "/" + strings.Repeat("1", 52), "placeholder"},
		{"another store is refused", "/gnu/store/" + someHash + "-hello", "not below /nix/store"},
		{"a relative path is refused", someHash + "-hello", "not below /nix/store"},
		{"a file inside a path is refused", "/nix/store/" + someHash + "-hello/bin/hello", `holds '/'`},
		{"a trailing slash is refused", "/nix/store/" + someHash + "-hello/", `holds '/'`},
		{"a hash with an e is refused", "/nix/store/e" + someHash[1:] + "-hello", "does not start with a hash"},
		{"a short hash is refused", "/nix/store/" + someHash[1:] + "-hello", "does not start with a hash"},
		{"an empty name is refused", "/nix/store/" + someHash + "-", "does not start with a hash"},
		{"a missing dash is refused", "/nix/store/" + someHash + "_hello", "does not start with a hash"},
		{"a name of dots is refused", "/nix/store/" + someHash + "-..", `starts with ".."`},
		{"a first component of a dot is refused", "/nix/store/" + someHash + "-.-x", `starts with "."`},
		{"a control character is refused and not repeated raw", "/nix/store/" + someHash + "-a\x1b[31m", `\x1b`},
		{"a percent sign is refused", "/nix/store/" + someHash + "-a%2f", `holds '%'`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			path, err := ParseStorePath(tc.in)
			if tc.want == "" {
				require.NoError(t, err)
				assert.Equal(t, tc.in, path.String())
				assert.Equal(t, someHash, path.Hash())
				return
			}
			require.ErrorContains(t, err, tc.want)
			assert.NotContains(t, err.Error(), "\x1b")
		})
	}
}

func FuzzStorePathRoundTrips(f *testing.F) {
	f.Add("/nix/store/" + someHash + "-hello")
	f.Add("/" + strings.Repeat("0", 52))
	f.Fuzz(func(t *testing.T, s string) {
		if path, err := ParseStorePath(s); err == nil {
			require.Equal(t, s, path.String())
		}
	})
}
