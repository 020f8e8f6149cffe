package leftovers

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const garnixKey = "cache.garnix.io:" + bareKey

func fixOne(t *testing.T, name, content string, r Replacement) string {
	t.Helper()
	_, edits, err := Scan(fstest.MapFS{name: {Data: []byte(content)}}, []string{name}, Options{Replacement: r})
	require.NoError(t, err)
	if len(edits) == 0 {
		return content
	}
	require.Len(t, edits, 1)
	require.Equal(t, content, string(edits[0].Old))
	return string(edits[0].New)
}

func TestLiteralsAreSwappedAsFarAsTheyGo(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, in, want string }{
		{"a URL", `x = "https://cache.garnix.io"`, `x = "https://meadow.cachix.org"`},
		{"its slash goes", `x = "https://cache.garnix.io/"`, `x = "https://meadow.cachix.org"`},
		{"its query stays", `x = "https://cache.garnix.io/?priority=3&trusted=1"`, `x = "https://meadow.cachix.org?priority=3&trusted=1"`},
		{"case and scheme are no matter", `x = "HTTP://Cache.Garnix.io"`, `x = "https://meadow.cachix.org"`},
		{"without quotes", "curl https://cache.garnix.io", "curl https://meadow.cachix.org"},
		{"at the end of a sentence", "See https://cache.garnix.io.", "See https://meadow.cachix.org."},
		{"in brackets", "[c](https://cache.garnix.io), <https://cache.garnix.io>", "[c](https://meadow.cachix.org), <https://meadow.cachix.org>"},
		{"before an escape", `"a=https://cache.garnix.io\nb"`, `"a=https://meadow.cachix.org\nb"`},
		{"a key", "k " + garnixKey + " x", "k " + successor.PublicKeys[0] + " x"},
		{"a key without its name", `{ key = "` + bareKey + `"; }`, `{ key = "bWVhZG93bWVhZG93bWVhZG93bWVhZG93bWVhZG93bWU="; }`},
		{"several on a line", "https://cache.garnix.io " + garnixKey, "https://meadow.cachix.org " + successor.PublicKeys[0]},
		{"another host stays", "https://cache.garnix.io.example", ""},
		{"another port stays", "https://cache.garnix.io:8080", ""},
		{"a path below the cache stays", "https://cache.garnix.io/nar/x", ""},
		{"a user at the cache stays", "https://me@cache.garnix.io", ""},
		{"another scheme stays", "git+https://cache.garnix.io", ""},
		{"a URL with an interpolation stays", `"https://cache.garnix.io${x}"`, ""},
		{"a key by another name stays", "mirror:" + bareKey, ""},
		{"a longer key stays", "cache.garnix.io:A" + bareKey, ""},
		{"all of a line or nothing", "https://cache.garnix.io https://cache.garnix.io https://meadow.cachix.org", ""},
		{"a name that is taken stays", "\"https://cache.garnix.io\": 1\n\"https://meadow.cachix.org\": 2", ""},
		{"a name that is free does not", "\"https://cache.garnix.io\": 1\n\"https://x.example\": 2", "\"https://meadow.cachix.org\": 1\n\"https://x.example\": 2"},
		{"a query is no name", "\"https://meadow.cachix.org\": 1\nx = \"https://cache.garnix.io?a=1\"", "\"https://meadow.cachix.org\": 1\nx = \"https://meadow.cachix.org?a=1\""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			want := tc.want
			if want == "" {
				want = tc.in
			}
			assert.Equal(t, want, fixOne(t, "a.txt", tc.in, successor))
		})
	}
}

func TestElementsOnLinesOfTheirOwn(t *testing.T) {
	t.Parallel()
	const url, other, fresh = `"https://cache.garnix.io"`, `"https://b.example"`, `"https://meadow.cachix.org"`
	for _, tc := range []struct{ name, path, in, removed, swapped string }{
		{"go where others stay", "a.nix", "[\n  " + url + "\n  " + other + "\n]", "[\n  " + other + "\n]", "[\n  " + fresh + "\n  " + other + "\n]"},
		{"stay where the list would be empty", "a.nix", "[\n  " + url + "\n]", "", "[\n  " + fresh + "\n]"},
		{"stay where only comments would be left", "a.nix", "[\n  # x\n  " + url + "\n\n]", "", "[\n  # x\n  " + fresh + "\n\n]"},
		{"take a comment on garnix along", "a.nix", "[\n  " + other + "\n  " + url + " # Garnix\n]", "[\n  " + other + "\n]", "[\n  " + other + "\n  " + fresh + "\n]"},
		{"and leave other comments", "a.nix", "[\n  " + other + " # x\n  " + url + " # y\n]", "[\n  " + other + " # x\n]", "[\n  " + other + " # x\n  " + fresh + " # y\n]"},
		{"go where the new cache is already", "a.nix", "[\n  " + url + "\n  " + `"https://meadow.cachix.org/?priority=1"` + "\n]", "[\n  " + `"https://meadow.cachix.org/?priority=1"` + "\n]", "[\n  " + `"https://meadow.cachix.org/?priority=1"` + "\n]"},
		{"are swapped once", "a.nix", "[\n  " + url + "\n  " + `"https://cache.garnix.io?a"` + "\n]", "", "[\n  " + fresh + "\n]"},
		{"are no arguments of a function", "a.nix", "f\n  " + url + "\n  " + other + "\n", "", "f\n  " + fresh + "\n  " + other + "\n"},
		{"are no value of an attribute", "a.nix", "{ x =\n  https://cache.garnix.io\n  ; }", "", "{ x =\n  https://meadow.cachix.org\n  ; }"},
		{"are no default of a selection", "a.nix", "[\n  a.b or\n  " + url + "\n  " + other + "\n]", "", "[\n  a.b or\n  " + fresh + "\n  " + other + "\n]"},
		{"keep what is no comment", "a.nix", "[\n  " + other + "\n  " + url + " // garnix\n]", "", "[\n  " + other + "\n  " + fresh + " // garnix\n]"},
		{"go from JSON with their comma", "a.json", "[\n  " + url + ",\n  " + other + "\n]", "[\n  " + other + "\n]", "[\n  " + fresh + ",\n  " + other + "\n]"},
		{"go from its end with the comma before", "a.json", "[\n  " + other + ",\n  " + url + "\n]", "[\n  " + other + "\n]", "[\n  " + other + ",\n  " + fresh + "\n]"},
		{"go from its end one after the other", "a.json", "[\n  " + other + ",\n  " + url + ",\n  " + url + "\n]", "[\n  " + other + "\n]", "[\n  " + other + ",\n  " + fresh + "\n]"},
		{"stay beside what is more than a text", "a.json", "[\n  {},\n  " + url + "\n]", "", "[\n  {},\n  " + fresh + "\n]"},
		{"go from TOML", "a.toml", "x = [\n  " + other + ", # a\n  'https://cache.garnix.io'\n]\n", "x = [\n  " + other + " # a\n]\n", "x = [\n  " + other + ", # a\n  'https://meadow.cachix.org'\n]\n"},
		{"go from YAML", "a.yaml", "x:\n- https://cache.garnix.io\n# y\n- " + other + "\n", "x:\n# y\n- " + other + "\n", "x:\n- https://meadow.cachix.org\n# y\n- " + other + "\n"},
		{"go from beside larger items", "a.yaml", "- a: b\n  c: d\n- https://cache.garnix.io\n", "- a: b\n  c: d\n", "- a: b\n  c: d\n- https://meadow.cachix.org\n"},
		{"stay alone in YAML", "a.yaml", "x:\n- https://cache.garnix.io\ny:\n- b\n---\n- c\n", "", "x:\n- https://meadow.cachix.org\ny:\n- b\n---\n- c\n"},
		{"stay where an item goes on", "a.yaml", "- b\n- https://cache.garnix.io\n  x\n", "", "- b\n- https://meadow.cachix.org\n  x\n"},
		{"and where a document ends", "a.yaml", "- https://cache.garnix.io\n---\n- c\n", "", "- https://meadow.cachix.org\n---\n- c\n"},
		{"are none behind a minus of Nix", "a.nix", "x\n- https://cache.garnix.io\n- y", "", "x\n- https://meadow.cachix.org\n- y"},
		{"keep Windows line ends", "a.json", "[\r\n  " + other + ",\r\n  " + url + "\r\n]\r\n", "[\r\n  " + other + "\r\n]\r\n", "[\r\n  " + other + ",\r\n  " + fresh + "\r\n]\r\n"},
		{"go as settings of nix.conf", "nix.conf", "a = b\nextra-substituters = https://cache.garnix.io # garnix", "a = b\n", "a = b\nextra-substituters = https://meadow.cachix.org # garnix"},
		{"but not with a comment of another kind", "nix.conf", "extra-substituters = https://cache.garnix.io # y", "", "extra-substituters = https://meadow.cachix.org # y"},
		{"nor with other words", "nix.conf", "extra-substituters = https://cache.garnix.io https://x\nx = https://cache.garnix.io\n", "", "extra-substituters = https://meadow.cachix.org https://x\nx = https://meadow.cachix.org\n"},
		{"stay far from the ends of a list", "a.nix", "[\n  " + url + "\n" + strings.Repeat(other+"\n", 2*listReach) + "]", "", "[\n  " + fresh + "\n" + strings.Repeat(other+"\n", 2*listReach) + "]"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if tc.removed == "" {
				tc.removed = tc.in
			}
			assert.Equal(t, tc.removed, fixOne(t, tc.path, tc.in, Replacement{}))
			assert.Equal(t, tc.swapped, fixOne(t, tc.path, tc.in, successor))
		})
	}
}

func TestSeveralKeysTakeThePlaceOfOne(t *testing.T) {
	t.Parallel()
	r := Replacement{PublicKeys: []string{"a-1:YQ==", "b-1:Yg=="}}
	for _, tc := range []struct{ name, path, in, want string }{
		{"below each other", "a.nix", "[\r\n  \"" + garnixKey + "\"\r\n]", "[\r\n  \"a-1:YQ==\"\r\n  \"b-1:Yg==\"\r\n]"},
		{"with commas", "a.json", "[\n  \"" + garnixKey + "\"\n]", "[\n  \"a-1:YQ==\",\n  \"b-1:Yg==\"\n]"},
		{"with dashes", "a.yml", "- " + garnixKey + "\n", "- a-1:YQ==\n- b-1:Yg==\n"},
		{"without the one that is there", "a.nix", "[\n  \"" + garnixKey + "\"\n  \"a-1:YQ==\"\n]", "[\n  \"b-1:Yg==\"\n  \"a-1:YQ==\"\n]"},
		{"as words", "nix.conf", "trusted-public-keys = " + garnixKey + " c:x # y\n", "trusted-public-keys = a-1:YQ== b-1:Yg== c:x # y\n"},
		{"not where one is wanted", "a.nix", "{ x = \"" + garnixKey + "\"; }", ""},
		{"not where one without a name is wanted", "a.nix", "{ x = \"" + bareKey + "\"; }", ""},
		{"not where no list is", "a.nix", "f\n  \"" + garnixKey + "\"\n  x", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if tc.want == "" {
				tc.want = tc.in
			}
			assert.Equal(t, tc.want, fixOne(t, tc.path, tc.in, r))
		})
	}
}

func TestSuccessorsThatNeedQuotesHaveThem(t *testing.T) {
	t.Parallel()
	r := Replacement{CacheURL: "s3://bucket?region=x&scheme=https", PublicKeys: []string{"my_key:YQ=="}}
	const url = "s3://bucket?region=x&scheme=https"
	for _, tc := range []struct{ name, in, want string }{
		{"within quotes", `x "https://cache.garnix.io" '` + garnixKey + `'`, `x "` + url + `" 'my_key:YQ=='`},
		{"with both queries", `x "https://cache.garnix.io?priority=3"`, `x "` + url + `&priority=3"`},
		{"a URL without quotes stays", "nix build --store https://cache.garnix.io", ""},
		{"a key without quotes stays", "k " + garnixKey, ""},
		{"an element without quotes stays", "https://cache.garnix.io", ""},
		{"a bare key needs none", bareKey, "YQ=="},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if tc.want == "" {
				tc.want = tc.in
			}
			assert.Equal(t, tc.want, fixOne(t, "a.sh", tc.in, r))
		})
	}
}

func TestBadgesOnLinesOfBadges(t *testing.T) {
	t.Parallel()
	const badge, ci = "[![g](https://garnix.io/api/badges/a/b \"t\")](https://garnix.io)", "[![c](https://x.example/c.svg)](https://x.example)"
	for _, tc := range []struct{ name, in, want string }{
		{"a line of its own goes with one of two blank lines", "# T\n\n" + badge + "\n\nx\n", "# T\n\nx\n"},
		{"no blank line is left at the top", badge + "\r\n\r\nx\r\n", "x\r\n"},
		{"nor between what goes", "x\n\n" + badge + "\n" + badge + "\n\ny\n", "x\n\ny\n"},
		{"others on the line stay", ci + " " + badge + "\t" + ci + "\n", ci + " " + ci + "\n"},
		{"at the end of it as well", ci + " " + badge + "\n", ci + "\n"},
		{"a list item goes", "- a\n- " + badge + "\n- b\n", "- a\n- b\n"},
		{"an image without a link goes", "![g](https://img.shields.io/badge/built%20with-garnix-blue)\n", ""},
		{"in a sentence it stays", "a " + badge + " b\n", "a " + badge + " b\n"},
		{"of a repository of that name it stays", "![s](https://img.shields.io/github/stars/a/garnix)\n", "![s](https://img.shields.io/github/stars/a/garnix)\n"},
		{"of a licence it stays", "[![l](https://img.shields.io/badge/license-MIT-blue)](https://github.com/garnix-io/x/blob/main/LICENSE)\n", "[![l](https://img.shields.io/badge/license-MIT-blue)](https://github.com/garnix-io/x/blob/main/LICENSE)\n"},
		{"of the tool it stays", "![s](https://img.shields.io/badge/garnix2gha-ok)\n", "![s](https://img.shields.io/badge/garnix2gha-ok)\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tc.want, fixOne(t, "README.md", tc.in, Replacement{}))
		})
	}
}

func TestAReplacementThatWouldBreakAFileIsRefused(t *testing.T) {
	t.Parallel()
	for _, r := range []Replacement{
		{CacheURL: `https://x.example"; x`}, {CacheURL: "https://x.example/${y}"}, {CacheURL: "https://x.example\n"}, {CacheURL: "x.example"},
		{CacheURL: "https://x.example#y"}, {CacheURL: "https://x.example:"}, {CacheURL: "https://cache.garnix.io"}, {CacheURL: "https://x.example/'"},
		{PublicKeys: []string{"no key"}}, {PublicKeys: []string{"a:b", `a:"`}}, {PublicKeys: []string{""}}, {PublicKeys: []string{"cache.garnix.io:x="}},
		{PublicKeys: []string{"x:" + bareKey}},
	} {
		require.Error(t, r.Check(), r)
		_, _, err := Scan(fstest.MapFS{}, nil, Options{Replacement: r})
		require.Error(t, err, r)
	}
	for _, r := range []Replacement{
		{}, {CacheURL: "https://x.cachix.org"}, {CacheURL: "s3://bucket/a?region=eu-west-1&scheme=https"}, {PublicKeys: []string{"x.cachix.org-1:YWJj+/="}},
	} {
		require.NoError(t, r.Check(), r)
	}
}

// A cache may be called after garnix itself: its name may stay, and nothing runs in circles.
func TestANewCacheMayBeCalledGarnix(t *testing.T) {
	t.Parallel()
	r := Replacement{CacheURL: "https://my-garnix.cachix.org", PublicKeys: []string{"my-garnix.cachix.org-1:YQ=="}}
	once := fixOne(t, "a.txt", "https://cache.garnix.io "+garnixKey+" x\n", r)
	assert.Equal(t, "https://my-garnix.cachix.org my-garnix.cachix.org-1:YQ== x\n", once)
	traces, edits, err := Scan(fstest.MapFS{"a.txt": {Data: []byte(once)}}, []string{"a.txt"}, Options{Replacement: r})
	require.NoError(t, err)
	assert.Empty(t, edits)
	require.Len(t, traces, 1)
	assert.Equal(t, Kept, traces[0].Fix)
}
