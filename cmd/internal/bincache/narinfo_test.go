package bincache

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Written and signed by Nix itself, for a derivation of our own.
const (
	nixNarInfo = `StorePath: /nix/store/ydsshqnqb0c3qgc2j1j0q074699dyaqm-bc-top
URL: nar/1c99gd27p1d129bixg2w4rb82iwa13dw0mx7c8iffsra44qffqqh.nar.xz
Compression: xz
FileHash: sha256:1c99gd27p1d129bixg2w4rb82iwa13dw0mx7c8iffsra44qffqqh
FileSize: 208
NarHash: sha256:040hxpbkmzarsd508ln61v0fnp24mgl56rfhcj00c55r9hs7aknv
NarSize: 216
References: 2153q472mw4ds4h3i9xa8kfc0qryvclw-bc-dep 9sji1wahyqzngn4ii8ivp73jhmvaxxm2-bc-src
Deriver: 2d4ihwlsryy6vfwywavpzc1mbj1zpilm-bc-top.drv
Sig: t-1:GkZU0thI+GA5RJgWYFPWu/S7tbdXviBaBeTa5jslIXftNqbn1ka6hKEqo4l4U3+ClUByO/CLGSbqcIpOGeJLDA==
`
	nixKey = "t-1:KEplH+HrxQwMp9Z92mblQj6mcyvPx9kPxYyByvwysWw="
)

func TestNarInfoOfNixIsReadWhole(t *testing.T) {
	t.Parallel()
	info, err := ParseNarInfo([]byte(nixNarInfo))
	require.NoError(t, err)
	assert.Equal(t, "/nix/store/ydsshqnqb0c3qgc2j1j0q074699dyaqm-bc-top", info.StorePath.String())
	assert.Equal(t, "sha256:040hxpbkmzarsd508ln61v0fnp24mgl56rfhcj00c55r9hs7aknv", info.NarHash)
	assert.EqualValues(t, 216, info.NarSize)
	assert.Len(t, info.Sigs, 1)
	assert.Empty(t, info.CA)
	assert.Equal(t, "1;/nix/store/ydsshqnqb0c3qgc2j1j0q074699dyaqm-bc-top;"+
		"sha256:040hxpbkmzarsd508ln61v0fnp24mgl56rfhcj00c55r9hs7aknv;216;"+
		"/nix/store/2153q472mw4ds4h3i9xa8kfc0qryvclw-bc-dep,/nix/store/9sji1wahyqzngn4ii8ivp73jhmvaxxm2-bc-src", info.fingerprint())
}

func TestNarInfoIsReadAsNixReadsIt(t *testing.T) {
	t.Parallel()
	refs := "References: 2153q472mw4ds4h3i9xa8kfc0qryvclw-bc-dep 9sji1wahyqzngn4ii8ivp73jhmvaxxm2-bc-src"
	for _, tc := range []struct {
		name, old, new string
		want           func(*testing.T, NarInfo)
	}{
		{"references are sorted and told once", refs, "References: 9sji1wahyqzngn4ii8ivp73jhmvaxxm2-bc-src" +
			"  2153q472mw4ds4h3i9xa8kfc0qryvclw-bc-dep 9sji1wahyqzngn4ii8ivp73jhmvaxxm2-bc-src", func(t *testing.T, n NarInfo) {
			require.Len(t, n.References, 2)
			assert.Equal(t, "2153q472mw4ds4h3i9xa8kfc0qryvclw-bc-dep", n.References[0].base)
		}},
		{"no references at all", refs, "References: ", func(t *testing.T, n NarInfo) { assert.Empty(t, n.References) }},
		{"a trimmed empty value", refs, "References:", func(t *testing.T, n NarInfo) { assert.Empty(t, n.References) }},
		{"a hash in base 16 is made base 32", "sha256:040hxpbkmzarsd508ln61v0fnp24mgl56rfhcj00c55r9hs7aknv",
			"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", func(t *testing.T, n NarInfo) {
				assert.Equal(t, "sha256:0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73", n.NarHash)
			}},
		{"signatures may repeat", "Sig: ", "Sig: other:AAAA\nSig: ", func(t *testing.T, n NarInfo) { assert.Len(t, n.Sigs, 2) }},
		{"keys of the future are skipped", "Sig: ", "Provenance: {\"a\": 1}\nProvenance: 2\nSig: ", func(t *testing.T, n NarInfo) {
			assert.Len(t, n.Sigs, 1)
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			require.Contains(t, nixNarInfo, tc.old)
			info, err := ParseNarInfo([]byte(strings.Replace(nixNarInfo, tc.old, tc.new, 1)))
			require.NoError(t, err)
			tc.want(t, info)
		})
	}
}

func TestNarInfoGarbageIsAnError(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, old, new, want string }{
		{"nothing", nixNarInfo, "", "cut off"},
		{"a cut-off last line", "OGeJLDA==\n", "OGe", "cut off"},
		{"an empty line", "NarSize: 216\n", "\nNarSize: 216\n", "line 7: not of the form"},
		{"a web page", nixNarInfo, "<!DOCTYPE html>\n<title>Sign in</title>\n", "line 1: not of the form"},
		{"a web page with a colon", nixNarInfo, "<p>Note: sign in</p>\n", "line 1: not of the form"},
		{"a carriage return", "NarSize: 216\n", "NarSize: 216\r\n", "line 7: control character"},
		{"a null byte", "bc-top\n", "bc-top\x00\n", "line 1: control character"},
		{"bytes that are no text", "xz\n", "\xff\n", "not text"},
		{"too much of it", nixNarInfo, nixNarInfo + "X: " + strings.Repeat("x", maxNarInfo) + "\n", "larger than"},
		{"no path", "StorePath", "StorPath", "StorePath is missing"},
		{"no URL", "URL: ", "Url: ", "URL is missing"},
		{"no archive hash", "NarHash", "Narhash", "NarHash is missing"},
		{"no archive size", "NarSize", "Narsize", "NarSize is missing"},
		{"an empty URL", "nar/1c99gd27p1d129bixg2w4rb82iwa13dw0mx7c8iffsra44qffqqh.nar.xz", "", "URL: empty"},
		{"a path in another store", "/nix/store/yds", "/nix/stor/yds", "StorePath: "},
		{"two paths", "URL: ", "StorePath: /nix/store/" + someHash + "-x\nURL: ", "line 2: StorePath: given twice"},
		{"two lists of references", "Deriver: ", "References: \nDeriver: ", "References: given twice"},
		{"a size of zero", "NarSize: 216", "NarSize: 0", "NarSize: zero"},
		{"a size that is no number", "NarSize: 216", "NarSize: 2i6", "NarSize: "},
		{"a negative size", "NarSize: 216", "NarSize: -1", "NarSize: "},
		{"an archive hash of another kind", "NarHash: sha256:040hxpbkmzarsd508ln61v0fnp24mgl56rfhcj00c55r9hs7aknv",
			"NarHash: md5:3y8bwfr609h3lh9ch0izcqq7fl", "NarHash: not a sha256 hash"},
		{"a reference that is no path", "2153q472mw4ds4h3i9xa8kfc0qryvclw-bc-dep", "/etc/passwd", "References: "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			require.Contains(t, nixNarInfo, tc.old)
			_, err := ParseNarInfo([]byte(strings.Replace(nixNarInfo, tc.old, tc.new, 1)))
			require.ErrorContains(t, err, tc.want)
			assert.True(t, strings.HasPrefix(err.Error(), "parse narinfo: "), err)
		})
	}
}

func FuzzNarInfoNeverPanics(f *testing.F) {
	f.Add([]byte(nixNarInfo))
	f.Add([]byte(strings.Replace(nixNarInfo, "Sig:", "CA: fixed:r:sha256:0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73\nSig:", 1)))
	f.Add([]byte("<html>"))
	key, err := ParsePublicKey(nixKey)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, body []byte) {
		info, err := ParseNarInfo(body)
		if err != nil {
			return
		}
		_, signed := info.signedBy([]PublicKey{key})
		// Whoever finds another fingerprint for the signature above has broken Ed25519.
		genuine := info.StorePath.base == "ydsshqnqb0c3qgc2j1j0q074699dyaqm-bc-top" && info.NarSize == 216
		require.True(t, !signed || genuine)
	})
}
