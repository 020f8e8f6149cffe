package bincache

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The digests of the empty string, as Nix's "nix hash" prints them.
func TestNixHashReadsEveryForm(t *testing.T) {
	t.Parallel()
	const empty = "sha256:0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73"
	for _, tc := range []struct{ name, in, want string }{
		{"base 32 stays", empty, empty},
		{"base 16 is converted", "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", empty},
		{"base 64 is converted", "sha256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", empty},
		{"an SRI string is converted", "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", empty},
		{"md5 has 26 digits", "md5:d41d8cd98f00b204e9800998ecf8427e", "md5:3y8bwfr609h3lh9ch0izcqq7fl"},
		{"sha1 has 32 digits", "sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709", "sha1:143xibwh31h9bvxzalr0sjvbbvpa6ffs"},
		{
			"sha512 has 103 digits",
			"sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
			"sha512:0zdl9zrg8r3i9c1g90lgg9ip5ijzv3yhz91i0zzn3r8ap9ws784gkp9dk9j3aglhgf1amqb0pj21mh7h1nxcl18akqvvf7ggqsy30yg",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			hash, err := parseNixHash(tc.in)
			require.NoError(t, err)
			assert.Equal(t, tc.want, hash.String())
		})
	}
}

func TestNixHashRefusesGarbage(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, in string }{
		{"nothing", ""},
		{"no algorithm", "0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73"},
		{"an unknown algorithm", "sha3:0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73"},
		{"a digit short", "sha256:0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c7"},
		{"a letter outside the alphabet", "sha256:emdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73"},
		{"bits beyond the end", "sha256:zmdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73"},
		{"base 16 in an SRI string", "sha256-e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"no digest", "sha256:"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := parseNixHash(tc.in)
			require.Error(t, err)
		})
	}
}

func FuzzNix32RoundTrips(f *testing.F) {
	f.Add([]byte("\x00\xff\x01"))
	f.Add(bytes.Repeat([]byte{0xff}, 32))
	f.Fuzz(func(t *testing.T, b []byte) {
		back, err := decodeNix32(encodeNix32(b), len(b))
		require.NoError(t, err)
		require.True(t, bytes.Equal(b, back))
	})
}
