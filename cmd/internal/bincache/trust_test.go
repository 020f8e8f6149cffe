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
			other, err := ParsePublicKey(NixOSKey)
			require.NoError(t, err)
			name, got := info.SignedBy([]PublicKey{other, key})
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

// Every path here was computed by Nix.
func TestContentAddressIsCheckedAsNixComputesIt(t *testing.T) {
	t.Parallel()
	const (
		leaf = "qyiban5iw6sd0xl4kihw5xk5vsw2fk5c-leaf"
		dep  = "ncqbgrgywsgbjgqdyhsvxmdqwlv6bxyp-vec-dep"
		self = "sdy4w3yy63yni4r9gq87lzdig2fk7pgn-vec-self"
	)
	for _, tc := range []struct {
		name, path, ca string
		refs           []string
		want           bool
	}{
		{"a text file", "h1ay13nyn0qq9sxsl2y8a883ffmfkfw0-vec-text",
			"text:sha256:00xyyr3fi8l6hb839bv3f7yb86yjv7xi1cgh1xnhipym4asvb4aq", nil, true},
		{"a text file with a reference", "w4irc26l51vq3kp1gpk779mr4wwvqhzl-vec-refs",
			"text:sha256:03ga0y20cazs8n2fv47h1dw2ycjg8qhkmx539zlfn0hvivf4b0iw", []string{leaf}, true},
		{"a source tree", "v8drhjp18i7qxpgnkid7j61rhp4zg9s1-vec-tree",
			"fixed:r:sha256:0addczm9fjxkwraq3rf9z66ndy1w8scg7pi05xdyf4rjpl2h73gj", nil, true},
		{"a flat file", "6fs1jadyayd94vnxwvyd1rl2x06b2g44-vec-flat",
			"fixed:sha256:00xyyr3fi8l6hb839bv3f7yb86yjv7xi1cgh1xnhipym4asvb4aq", nil, true},
		{"a fixed output by md5", "r2qirpi7dkb9l7rk9qiyhs92wf4hldww-vec-md5", "fixed:md5:3y8bwfr609h3lh9ch0izcqq7fl", nil, true},
		{"a tree by sha1", "1r6qbcnkb6p2614g2740hnvjdb0yzl07-vec-sha1", "fixed:r:sha1:143xibwh31h9bvxzalr0sjvbbvpa6ffs", nil, true},
		{"a fixed output by sha512", "rfa5lmlcv5mz2djq3na791gfq9jgbrsd-vec-sha512",
			"fixed:sha512:0zdl9zrg8r3i9c1g90lgg9ip5ijzv3yhz91i0zzn3r8ap9ws784gkp9dk9j3aglhgf1amqb0pj21mh7h1nxcl18akqvvf7ggqsy30yg", nil, true},
		{"a tree that refers to itself", self,
			"fixed:r:sha256:10c4aqzxa6li2xbpsry4khgpljdnrp3anvqx917vgfp1ar461g60", []string{dep, self}, true},
		{"a reference that was left out", self,
			"fixed:r:sha256:10c4aqzxa6li2xbpsry4khgpljdnrp3anvqx917vgfp1ar461g60", []string{self}, false},
		{"a text file that claims to refer to itself", "h1ay13nyn0qq9sxsl2y8a883ffmfkfw0-vec-text",
			"text:sha256:00xyyr3fi8l6hb839bv3f7yb86yjv7xi1cgh1xnhipym4asvb4aq", []string{"h1ay13nyn0qq9sxsl2y8a883ffmfkfw0-vec-text"}, false},
		{"a flat file with a reference", "6fs1jadyayd94vnxwvyd1rl2x06b2g44-vec-flat",
			"fixed:sha256:00xyyr3fi8l6hb839bv3f7yb86yjv7xi1cgh1xnhipym4asvb4aq", []string{leaf}, false},
		{"another name", "6fs1jadyayd94vnxwvyd1rl2x06b2g44-vec-flit",
			"fixed:sha256:00xyyr3fi8l6hb839bv3f7yb86yjv7xi1cgh1xnhipym4asvb4aq", nil, false},
		{"another content", "6fs1jadyayd94vnxwvyd1rl2x06b2g44-vec-flat",
			"fixed:sha256:10xyyr3fi8l6hb839bv3f7yb86yjv7xi1cgh1xnhipym4asvb4aq", nil, false},
		{"another method", "6fs1jadyayd94vnxwvyd1rl2x06b2g44-vec-flat",
			"fixed:git:sha256:00xyyr3fi8l6hb839bv3f7yb86yjv7xi1cgh1xnhipym4asvb4aq", nil, false},
		{"a method nobody knows", "6fs1jadyayd94vnxwvyd1rl2x06b2g44-vec-flat",
			"loose:sha256:00xyyr3fi8l6hb839bv3f7yb86yjv7xi1cgh1xnhipym4asvb4aq", nil, false},
		{"a broken hash", "6fs1jadyayd94vnxwvyd1rl2x06b2g44-vec-flat", "fixed:sha256:00", nil, false},
		{"no content address", "6fs1jadyayd94vnxwvyd1rl2x06b2g44-vec-flat", "", nil, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			path, err := parseBase(tc.path)
			require.NoError(t, err)
			info := NarInfo{StorePath: path, CA: tc.ca}
			for _, base := range tc.refs {
				ref, err := parseBase(base)
				require.NoError(t, err)
				info.References = append(info.References, ref)
			}
			assert.Equal(t, tc.want, info.ContentAddressed())
		})
	}
}
