package leftovers

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func fixOne(t *testing.T, name, content string, r Replacement) string {
	t.Helper()
	repository := fstest.MapFS{name: {Data: []byte(content)}}
	traces, err := Scan(repository, []string{name}, Options{})
	require.NoError(t, err)
	edits, err := Fix(repository, traces, r)
	require.NoError(t, err)
	if len(edits) == 0 {
		return content
	}
	return string(edits[0].New)
}

func TestNixListsKeepTheirShape(t *testing.T) {
	t.Parallel()
	const u = `"https://cache.garnix.io"`
	for _, tc := range []struct{ name, in, want string }{
		{"the only element leaves an empty list", `[ ` + u + ` ]`, `[ ]`},
		{"also without blanks", `[` + u + `]`, `[ ]`},
		{"and over several lines", "[\n  " + u + "\n]", `[ ]`},
		{"a repeated element goes as well", `[ ` + u + ` ` + u + ` ]`, `[ ]`},
		{"the first element takes the blank behind it", `[` + u + ` "b"]`, `["b"]`},
		{"the last element takes the blank before it", `["a" ` + u + `]`, `["a"]`},
		{"neighbours that would touch are parted", `[a` + u + `b]`, `[a b]`},
		{"indentation stays for what follows", "[\n    " + u + " \"b\"\n]", "[\n    \"b\"\n]"},
		{"blanks at the end of a line go with the line", "[\n  \"a\"\n  " + u + " \t\n]", "[\n  \"a\"\n]"},
		{"a comment of its own keeps the list open", "[\n  # why\n  " + u + "\n]", "[\n  # why\n]"},
		{"a comment without garnix stays", "[\n  \"a\"\n  " + u + " # fast\n]", "[\n  \"a\"\n  # fast\n]"},
		{"a comment with garnix goes", "[\n  \"a\"\n  " + u + " # from Garnix\n]", "[\n  \"a\"\n]"},
		{"a comment behind another element stays", `[ ` + u + ` "b" /* garnix */ ]`, `[ "b" /* garnix */ ]`},
		{"a comment over several lines stays", "[ \"a\" " + u + " /* garnix\n */ ]", "[ \"a\" /* garnix\n */ ]"},
		{"a comment with the tool's name stays", "[\n  " + u + " # by garnix2gha\n]", "[\n  # by garnix2gha\n]"},
		{"an element switched off by a comment goes", "[\n  \"a\"\n  #" + u + "\n]", "[\n  \"a\"\n]"},
		{"a path and an interpolation are no matter", `[ ./x''y'' ` + u + ` "${"}"}" ]`, `[ ./x''y'' "${"}"}" ]`},
		{"an element with an interpolation stays", `[ "https://cache.garnix.io${x}" ]`, `[ "https://cache.garnix.io${x}" ]`},
		{"another host stays", `[ "https://cache.garnix.io.example" ]`, `[ "https://cache.garnix.io.example" ]`},
		{"a path below the cache stays", `[ "https://cache.garnix.io/x" ]`, `[ "https://cache.garnix.io/x" ]`},
		{"case and query are no matter", `[ "HTTPS://Cache.Garnix.io/?priority=1&trusted=1" ]`, `[ ]`},
		{"the default of a selection stays", `[ a.b or ` + u + ` ]`, `[ a.b or ` + u + ` ]`},
		{"a list in a list stays", `[ [ ` + u + ` ] ]`, `[ [ ` + u + ` ] ]`},
		{"a value of a set in between stays", `f { urls = [ ` + u + ` ]; }`, `f { urls = [ ` + u + ` ]; }`},
		{"a variable's value stays", `let x = [ ` + u + ` ]; in x`, `let x = [ ` + u + ` ]; in x`},
		{"a list behind let, with and assert is understood", `let x = 1; in with y; assert z; [ ` + u + ` ]`, `let x = 1; in with y; assert z; [ ]`},
		{"a set in between that closes is no matter", `f { a = 1; inherit (b) c; } [ ` + u + ` ]`, `f { a = 1; inherit (b) c; } [ ]`},
		{"an old let is understood", `let { body = 1; } ++ [ ` + u + ` ]`, `let { body = 1; } ++ [ ]`},
		{"a path from home and an escape are no matter", `[ ~/x''y'' ''a''\''b'' ` + u + ` ]`, `[ ~/x''y'' ''a''\''b'' ]`},
		{"a name put together is no matter", `{ ${"a"}.b = 1; } // f [ ` + u + ` ]`, `{ ${"a"}.b = 1; } // f [ ]`},
		{"text in a string is no list", `"[ ''" + "https://cache.garnix.io"`, `"[ ''" + "https://cache.garnix.io"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			const before, after = "{ substituters = ", "; }\n"
			assert.Equal(t, before+tc.want+after, fixOne(t, "a.nix", before+tc.in+after, Replacement{}))
		})
	}
}

func TestFilesThatAreNotUnderstoodStay(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{
		"an open list":            `{ substituters = [ "https://cache.garnix.io" `,
		"an open set":             `{ substituters = [ "https://cache.garnix.io" ];`,
		"a bracket too many":      `{ substituters = [ "https://cache.garnix.io" ]; } ]`,
		"brackets that cross":     `{ substituters = ([ "https://cache.garnix.io" )]; }`,
		"an open string":          `{ substituters = [ "https://cache.garnix.io" ]; x = "a; }`,
		"an open comment":         `{ substituters = [ "https://cache.garnix.io" ]; } /* x`,
		"a definition in a list":  `{ substituters = [ a = "https://cache.garnix.io" ]; }`,
		"a missing semicolon":     `{ substituters = [ "https://cache.garnix.io" ] }`,
		"an in without its let":   `{ substituters = [ "https://cache.garnix.io" ]; } in x`,
		"a stray semicolon":       `[ "https://cache.garnix.io" ]; substituters`,
		"an open interpolation":   `{ substituters = [ "https://cache.garnix.io" ]; a = "${{ }"; }`,
		"an open comment in code": `{ substituters = [ "https://cache.garnix.io" ]; a = "${/* }"; }`,
		"a with without its end":  `{ substituters = [ "https://cache.garnix.io" ]; a = (with x) 1; }`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, in, fixOne(t, "a.nix", in, Replacement{}))
		})
	}
}

func TestEverySettingIsKnown(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"substituters", "trusted-substituters", "binary-caches", "trusted-binary-caches", "trusted-public-keys", "binary-cache-public-keys"} {
		for _, full := range []string{name, "extra-" + name, `"` + name + `"`, "nix.settings.extra-" + name} {
			in := "{ " + full + ` = [ "cache.garnix.io:abc=" ]; }`
			assert.Equal(t, "{ "+full+" = [ ]; }", fixOne(t, "a.nix", in, Replacement{}))
		}
		assert.Empty(t, fixOne(t, "nix.conf", name+" = cache.garnix.io:abc=\n", Replacement{}))
	}
	for _, name := range []string{"substituter", "my-substituters", "trusted-users", "extra-extra-substituters"} {
		in := "{ " + name + ` = [ "https://cache.garnix.io" ]; }`
		assert.Equal(t, in, fixOne(t, "a.nix", in, Replacement{}))
	}
}

func TestSeveralKeysTakeThePlaceOfOne(t *testing.T) {
	t.Parallel()
	r := Replacement{PublicKeys: []string{"a-1:YQ==", "b-1:Yg=="}}
	for _, tc := range []struct{ name, path, in, want string }{
		{
			"below each other where the key stood on its own line", "a.nix",
			"{\r\n  trusted-public-keys = [\r\n    \"cache.garnix.io:x=\"\r\n  ];\r\n}\r\n",
			"{\r\n  trusted-public-keys = [\r\n    \"a-1:YQ==\"\r\n    \"b-1:Yg==\"\r\n  ];\r\n}\r\n",
		},
		{
			"side by side where it did not", "a.nix",
			`{ trusted-public-keys = [ "cache.garnix.io:x=" ]; }`,
			`{ trusted-public-keys = [ "a-1:YQ==" "b-1:Yg==" ]; }`,
		},
		{
			"without the one that is there", "a.nix",
			`{ trusted-public-keys = [ "cache.garnix.io:x=" "a-1:YQ==" ]; }`,
			`{ trusted-public-keys = [ "b-1:Yg==" "a-1:YQ==" ]; }`,
		},
		{"as words", "nix.conf", "trusted-public-keys = cache.garnix.io:x= c:x # y\n", "trusted-public-keys = a-1:YQ== b-1:Yg== c:x # y\n"},
		{"and the URL goes without a successor", "nix.conf", "substituters = https://cache.garnix.io https://x.example\n", "substituters = https://x.example\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tc.want, fixOne(t, tc.path, tc.in, r))
		})
	}
}

func TestBadgesGoWithWhatServedThem(t *testing.T) {
	t.Parallel()
	const badge = "[![g](https://garnix.io/api/badges/a/b)](https://garnix.io)"
	for _, tc := range []struct{ name, in, want string }{
		{"a line of its own goes with one of two blank lines", "# T\n\n" + badge + "\n\nx\n", "# T\n\nx\n"},
		{"no blank line is left at the top", badge + "\n\nx\n", "x\n"},
		{"two on a line go together", "a\n" + badge + " " + badge + "\nb\n", "a\nb\n"},
		{"a list item goes", "- a\n1. " + badge + "\n- b\n", "- a\n- b\n"},
		{"a forced break goes", "a\n" + badge + "\\\nb\n", "a\nb\n"},
		{"in a sentence only the badge goes", "a " + badge + " b\n", "a b\n"},
		{"an image alone goes", "a ![g](<https://garnix.io/api/badges/a/b> 'title')\n", "a\n"},
		{"code is left", "    x\n~~~\n" + badge + "\n~~~\n", "    x\n~~~\n" + badge + "\n~~~\n"},
		{"an open fence runs to the end", "````\n```\n" + badge + "\n", "````\n```\n" + badge + "\n"},
		{"a definition that prose uses stays", "![garnix][b] [b]\n\n[b]: https://garnix.io/api/badges/a/b\n", "[b]\n\n[b]: https://garnix.io/api/badges/a/b\n"},
		{"a label left out is the image's text", "x ![b][]\n\n[B]: https://garnix.io/api/badges/a/b\n", "x\n\n"},
		{"a badge that names garnix only in its definition goes with it", "![b][c] x\n\n[c]: https://garnix.io/api/badges/a/b\n", "x\n\n"},
		{"a label without a definition is no badge", "![b][c] garnix\n", "![b][c] garnix\n"},
		{"a badge of a repository of that name stays", "![s](https://img.shields.io/github/stars/a/garnix)\n", "![s](https://img.shields.io/github/stars/a/garnix)\n"},
		{"a badge in a badge goes with it", "x ![<img src='https://garnix.io/api/badges/a'>](https://garnix.io/api/badges/b)\n", "x\n"},
		{"a picture that does not end is left", "<picture>\n<img src='https://garnix.io/api/badges/a'>\n", "<picture>\n<img src='https://garnix.io/api/badges/a'>\n"},
		{"a badge of the tool stays", "![s](https://img.shields.io/badge/garnix2gha-ok)\n", "![s](https://img.shields.io/badge/garnix2gha-ok)\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tc.want, fixOne(t, "README.md", tc.in, Replacement{}))
		})
	}
}

func TestConfigurationBlocksInYAML(t *testing.T) {
	t.Parallel()
	const line = "    substituters = a https://cache.garnix.io\n"
	for _, tc := range []struct{ name, in, want string }{
		{"a literal block is nix.conf", "x:\n  extra_nix_config: |-\n" + line, "x:\n  extra_nix_config: |-\n    substituters = a\n"},
		{"in a list item too", "- extra-conf: |\n" + line, "- extra-conf: |\n    substituters = a\n"},
		{"a folded block is not", "x:\n  extra-conf: >\n" + line, "x:\n  extra-conf: >\n" + line},
		{"another key's block is not", "x:\n  run: |\n" + line, "x:\n  run: |\n" + line},
		{"a block ends with its indentation", "extra-conf: |\n  a = b\nx: |\n" + line, "extra-conf: |\n  a = b\nx: |\n" + line},
		{"a block may be the last line", "# garnix\nextra-conf: |", "# garnix\nextra-conf: |"},
		{"a setting that becomes empty goes", "extra-conf: |\n  substituters = https://cache.garnix.io\n  a = b\n", "extra-conf: |\n  a = b\n"},
		{"a comment with garnix goes with the word", "extra-conf: |\n  substituters = a https://cache.garnix.io  # garnix\n", "extra-conf: |\n  substituters = a\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tc.want, fixOne(t, ".github/workflows/a.yml", tc.in, Replacement{}))
		})
	}
}

func TestCredentialsAreMarkedSecret(t *testing.T) {
	t.Parallel()
	repository := fstest.MapFS{
		".netrc":   {Data: []byte("machine cache.garnix.io login a password b")},
		"nix.conf": {Data: []byte("substituters = https://cache.garnix.io x")},
	}
	traces, err := Scan(repository, tracked(repository), Options{})
	require.NoError(t, err)
	edits, err := Fix(repository, traces, Replacement{})
	require.NoError(t, err)
	require.Len(t, edits, 2)
	assert.Equal(t, ".netrc", edits[0].Path)
	assert.True(t, edits[0].Secret)
	assert.Empty(t, edits[0].New)
	assert.False(t, edits[1].Secret)
}

func TestOnlyTheTracesGivenAreMended(t *testing.T) {
	t.Parallel()
	const src = "{\n  substituters = [\n    \"https://cache.garnix.io\"\n  ];\n  trusted-public-keys = [\n    \"cache.garnix.io:x=\"\n    \"a:b\"\n  ];\n}\n"
	repository := fstest.MapFS{"a.nix": {Data: []byte(src)}}
	traces, err := Scan(repository, tracked(repository), Options{})
	require.NoError(t, err)
	require.Len(t, traces, 2)

	edits, err := Fix(repository, traces[1:], Replacement{})
	require.NoError(t, err)
	require.Len(t, edits, 1)
	assert.Equal(t, src[:len(src)-len("    \"cache.garnix.io:x=\"\n    \"a:b\"\n  ];\n}\n")]+"    \"a:b\"\n  ];\n}\n", string(edits[0].New))

	traces[0].Fix = Manual
	traces[1].Fix = Kept
	edits, err = Fix(repository, traces, Replacement{})
	require.NoError(t, err)
	assert.Empty(t, edits)
}

func TestAFileThatCannotBeMendedAnyMoreIsAnError(t *testing.T) {
	t.Parallel()
	traces := scanOne(t, "nix.conf", "substituters = https://cache.garnix.io\n")
	for name, repository := range map[string]fstest.MapFS{
		"removed": {},
		"binary":  {"nix.conf": {Data: []byte("\x00")}},
	} {
		_, err := Fix(repository, traces, Replacement{})
		require.ErrorIs(t, err, errChanged, name)
	}
}

func TestAReplacementThatWouldBreakAFileIsRefused(t *testing.T) {
	t.Parallel()
	for _, r := range []Replacement{
		{CacheURL: `https://x.example"; x`}, {CacheURL: "https://x.example/${y}"}, {CacheURL: "https://x.example\n"}, {CacheURL: "x.example"},
		{CacheURL: "https://x.example#y"}, {CacheURL: "https://cache.garnix.io"}, {CacheURL: "https://x.example/'"},
		{PublicKeys: []string{"no key"}}, {PublicKeys: []string{"a:b", `a:"`}}, {PublicKeys: []string{""}}, {PublicKeys: []string{"cache.garnix.io:x="}},
	} {
		_, err := Fix(fstest.MapFS{}, nil, r)
		require.Error(t, err, r)
	}
	for _, r := range []Replacement{
		{}, {CacheURL: "https://x.cachix.org"}, {CacheURL: "s3://bucket/a?region=eu-west-1&scheme=https"}, {PublicKeys: []string{"x.cachix.org-1:YWJj+/="}},
	} {
		_, err := Fix(fstest.MapFS{}, nil, r)
		require.NoError(t, err, r)
	}
}

// A cache may be called after garnix itself: then a mention stays, and Fix does not run in circles.
func TestANewCacheMayBeCalledGarnix(t *testing.T) {
	t.Parallel()
	r := Replacement{CacheURL: "https://my-garnix.cachix.org"}
	once := fixOne(t, "nix.conf", "substituters = https://cache.garnix.io\n", r)
	assert.Equal(t, "substituters = https://my-garnix.cachix.org\n", once)
	assert.Equal(t, once, fixOne(t, "nix.conf", once, r))
}
