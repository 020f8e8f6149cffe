package bincache

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSignatureOfNixHoldsUntilAnySignedFieldChanges(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, old, new string
		want           bool
	}{
		{"as Nix wrote it", "", "", true},
		{"the order of references does not matter", "2153q472mw4ds4h3i9xa8kfc0qryvclw-bc-dep 9sji1wahyqzngn4ii8ivp73jhmvaxxm2-bc-src",
			"9sji1wahyqzngn4ii8ivp73jhmvaxxm2-bc-src 2153q472mw4ds4h3i9xa8kfc0qryvclw-bc-dep", true},
		{"the archive's place is not signed", "URL: nar/", "URL: elsewhere/", true},
		{"another name", "bc-top\n", "bc-tap\n", false},
		{"another archive", "NarHash: sha256:040", "NarHash: sha256:041", false},
		{"another size", "NarSize: 216", "NarSize: 217", false},
		{"a reference less", " 9sji1wahyqzngn4ii8ivp73jhmvaxxm2-bc-src", "", false},
		{"another key's name", "Sig: t-1:", "Sig: t-2:", false},
		{"a cut-off signature", "GeJLDA==\n", "GeJL\n", false},
		{"a signature that is not base 64", "GkZU0", "Gk*U0", false},
		{"a signature without a name", "Sig: t-1:", "Sig: ", false},
		{"no signature", "Sig: ", "Zig: ", false},
		{"a good one after a bad one", "Sig: ", "Sig: t-1:AAAA\nSig: ", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			require.Contains(t, nixNarInfo, tc.old)
			info, err := ParseNarInfo([]byte(strings.Replace(nixNarInfo, tc.old, tc.new, 1)))
			require.NoError(t, err)
			key, err := ParsePublicKey(nixKey)
			require.NoError(t, err)
			other, err := ParsePublicKey(nixOSKey)
			require.NoError(t, err)
			name, got := info.signedBy([]PublicKey{other, key})
			assert.Equal(t, tc.want, got)
			if tc.want {
				assert.Equal(t, "t-1", name)
			}
		})
	}
}

func TestPublicKeyErrorsNeverRepeatTheKey(t *testing.T) {
	t.Parallel()
	secret := strings.Repeat("c2Vj", 21) + "cw=="
	for _, tc := range []struct{ name, in, want string }{
		{"no colon", secret, "not of the form"},
		{"no name", ":" + secret, "not of the form"},
		{"a secret key", "cache-1:" + secret, "this is a secret key"},
		{"not base 64", "cache-1:*" + secret, "not base64"},
		{"too short", "cache-1:c2Vj", "3 bytes, not 32"},
		{"a control character in the name", "a\x1b:c2Vj", `"a\x1b"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := ParsePublicKey(tc.in)
			require.ErrorContains(t, err, tc.want)
			assert.NotContains(t, err.Error(), "c2Vj")
		})
	}
}

// The digests of the empty string, as Nix's "nix hash" prints them.
func TestHashOfEveryFormIsMadeNormal(t *testing.T) {
	t.Parallel()
	const empty = "sha256:0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73"
	for _, tc := range []struct{ name, in, want string }{
		{"base 32 stays", empty, empty},
		{"base 16 is converted", "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", empty},
		{"base 64 is converted", "sha256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", empty},
		{"an SRI string is converted", "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", empty},
		{"nothing", "", ""},
		{"no algorithm", empty[7:], ""},
		{"another algorithm", "sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709", ""},
		{"a digit short", empty[:58], ""},
		{"a letter outside the alphabet", "sha256:emdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73", ""},
		{"bits beyond the end", "sha256:zmdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73", ""},
		{"base 16 in an SRI string", "sha256-e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", ""},
		{"no digest", "sha256:", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := normalHash(tc.in)
			assert.Equal(t, tc.want, got)
			assert.Equal(t, tc.want == "", err != nil)
		})
	}
}
