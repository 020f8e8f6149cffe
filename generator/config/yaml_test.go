package config_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/generator/config"
	"garnix2gha/generator/diag"
)

func configParse(text string) (*config.Config, diag.List) {
	return config.Parse("garnix.yaml", []byte(text))
}

func TestAnEmptyDocumentIsTheDefault(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "\n", "# only a comment\n# and another", "---\n", "---", "null\n", "~\n", "{}\n", "--- ~\n...\n", "\ufeff", "Null", "''\n..."} {
		c, diags := configParse(text)
		if text == "''\n..." {
			assert.Nil(t, c, "an empty text is no null")
			continue
		}
		require.NotNil(t, c, "%q: %v", text, diags)
		assert.Empty(t, diags)
		assert.True(t, c.Sections[0].IncludeIsDefault)
		assert.Equal(t, "garnix.yaml", c.File)
	}
}

func TestFilesOfManyKindsAreRead(t *testing.T) {
	t.Parallel()
	utf16le := func(text string) string {
		out := []byte{0xff, 0xfe}
		for _, unit := range utf16.Encode([]rune(text)) {
			out = append(out, byte(unit), byte(unit>>8))
		}
		return string(out)
	}
	tests := []struct {
		name, text string
		pos        diag.Pos
	}{
		{name: "CRLF line ends", text: "builds:\r\n  branch: main\r\n", pos: at(2, 3)},
		{name: "a byte order mark", text: "\ufeffbuilds: {branch: main}\n", pos: at(1, 10)},
		{name: "UTF-16", text: utf16le("builds: {branch: main}\n"), pos: at(1, 10)},
		{name: "JSON", text: "{\"builds\":[{\"branch\":\"main\"}]}\n", pos: at(1, 13)},
		{name: "no final line end", text: "builds: {branch: main}", pos: at(1, 10)},
		{name: "an end marker and a comment", text: "---\nbuilds: {branch: main}\n...\n# end\n", pos: at(2, 10)},
		{name: "the directive of YAML 1.2", text: "%YAML 1.2\n---\nbuilds: {branch: main}\n", pos: at(3, 10)},
		{name: "columns count characters", text: "builds: {\"\": é, branch: main}\n", pos: at(1, 17)},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c, _ := parse(t, tc.text)
			require.NotNil(t, c.Sections[0].Branch)
			assert.Equal(t, "main", *c.Sections[0].Branch)
			assert.Equal(t, tc.pos, c.Keys[len(c.Keys)-1].Pos)
		})
	}
}

func TestAQuestionMarkInAFlowListIsText(t *testing.T) {
	t.Parallel()
	c, diags := parse(t, "builds: {include: [packages.x86_64-linux.fo?, a??.b?]}\n")
	assert.Equal(t, []string{"packages.x86_64-linux.fo?", "a??.b?"}, texts(c.Sections[0].Include))
	assert.Equal(t, at(1, 47), c.Sections[0].Include[1].Pos)
	assert.Empty(t, diags)
}

func TestAliasesAndMerges(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		includes   [][]string
		warned     string // a code
	}{
		{name: "an alias repeats a list", text: "builds:\n  - include: &x [a.b]\n  - include: *x\n", includes: [][]string{{"a.b"}, {"a.b"}}},
		{name: "an alias takes the latest anchor", text: "builds:\n  - include: &x [a.b]\n  - include: &x [c.d]\n  - include: *x\n", includes: [][]string{{"a.b"}, {"c.d"}, {"c.d"}}},
		{name: "an anchor is known from its end on", text: "x: &x [a.b]\nbuilds:\n  include: &x [*x, a.c]\n", includes: nil},
		{name: "an alias may be a key", text: "x: &k include\nbuilds:\n  *k : [a.b]\n", includes: [][]string{{"a.b"}}},
		{name: "a merge adds what is missing", text: "x: &x {include: [a.b], exclude: [c.d]}\nbuilds:\n  - <<: *x\n    exclude: []\n  - exclude: []\n    <<: *x\n", includes: [][]string{{"a.b"}, {"a.b"}}},
		{name: "a key replaces a merged one", text: "x: &x {include: [a.b]}\nbuilds:\n  - <<: *x\n    include: [c.d]\n", includes: [][]string{{"c.d"}}},
		{name: "a merge does not replace a key", text: "x: &x {include: [a.b]}\nbuilds:\n  - include: [c.d]\n    <<: *x\n", includes: [][]string{{"c.d"}}},
		{name: "the first of several merges wins", text: "x: &x {include: [a.b]}\ny: &y {include: [c.d]}\nbuilds:\n  <<: [*x, 1, *y]\n", includes: [][]string{{"a.b"}}},
		{name: "a quoted merge key merges, too", text: "builds:\n  \"<<\": {include: [a.b]}\n", includes: [][]string{{"a.b"}}},
		{name: "a merge of a scalar is a key", text: "builds:\n  include: [a.b]\n  <<: ~\n", includes: [][]string{{"a.b"}}, warned: "unknown-key"},
		{name: "an anchor on a key is a value", text: "&k flakeDir: a\nbuilds: {branch: *k, include: [a.b]}\n", includes: [][]string{{"a.b"}}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c, diags := configParse(tc.text)
			if tc.includes == nil {
				assert.Nil(t, c)
				return
			}
			require.NotNil(t, c, "%v", diags)
			var includes [][]string
			for _, s := range c.Sections {
				includes = append(includes, texts(s.Include))
			}
			assert.Equal(t, tc.includes, includes)
			var codes []string
			for _, d := range diags {
				codes = append(codes, d.Code)
				assert.NotEqual(t, "duplicate-key", d.Code)
			}
			if tc.warned != "" {
				assert.Contains(t, codes, tc.warned)
			}
		})
	}
}

func TestBrokenYAMLNamesTheLine(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		line       int
		code, hint string
	}{
		{name: "an unquoted star", text: "builds:\n  include:\n    - *.x86_64-linux.*\n    - a.b\n", line: 3, code: "yaml-syntax", hint: "quote a matcher"},
		{name: "an unquoted star in a flow list", text: "a: b\nbuilds: {include: [*.x86_64-linux.*]}\n", line: 2, code: "yaml-syntax", hint: "quote a matcher"},
		{name: "an unknown alias", text: "a: b\nbuilds:\n  include: *all\nc: d\n", line: 3, code: "yaml-syntax", hint: "check"},
		{name: "a list under a value", text: "builds:\n  include:\n    - a.b\n  exclude: []\n    - a.c\nfoo: bar\nbaz: x\n", line: 5, code: "yaml-syntax", hint: "indentation"},
		{name: "a line less indented", text: "builds:\n   include:\n   - a\n  exclude: []\nx: y\nz:\n  - a\n", line: 4, code: "yaml-syntax", hint: "indentation"},
		{name: "a tab", text: "builds:\n\tinclude: []\n", line: 2, code: "yaml-syntax", hint: "spaces, not tabs"},
		{name: "an open quote", text: "a: b\nc: 'x\nd: e\n", line: 2, code: "yaml-syntax", hint: "quotes"},
		{name: "an open bracket", text: "a: b\nc: [x,\nd: e\nf\n", line: 2, code: "yaml-syntax"},
		{name: "a colon in a plain text", text: "a: b\nc: d: e\n", line: 2, code: "yaml-syntax"},
		{name: "NUL", text: "a: b\nc: \x00\n", line: 2, code: "yaml-syntax", hint: "UTF-8"},
		{name: "invalid UTF-8", text: "a: \xff\n", line: 0, code: "yaml-syntax", hint: "UTF-8"},
		{name: "two documents", text: "a: b\n---\nc: d\n", line: 2, code: "yaml-documents", hint: "keep one"},
		{name: "two empty documents", text: "---\n---\n", line: 2, code: "yaml-documents", hint: "keep one"},
		{name: "an alias in its own anchor", text: "a: b\nc: &x\n  - *x\n", line: 3, code: "yaml-alias"},
		{name: "a list for a key", text: "a: b\n[c]: d\n", line: 2, code: "yaml-key", hint: "as text"},
		{name: "a mapping for a key that garnix ignored", text: "x:\n  {a: b}: d\n", line: 2, code: "yaml-key"},
		{name: "an alias of a number for a key", text: "x: &n 1\ny: {*n : d}\n", line: 2, code: "yaml-key"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c, diags := configParse(tc.text)
			assert.Nil(t, c)
			found := errorsOf(diags)
			require.Len(t, found, 1)
			assert.Equal(t, tc.code, found[0].Code)
			assert.Equal(t, tc.line, found[0].Line)
			assert.Contains(t, found[0].Hint, tc.hint)
		})
	}
}

func TestABrokenLineFarFromWhereItShowsIsStillNamed(t *testing.T) {
	t.Parallel()
	_, diags := configParse("a: b\nc: 'open\n" + strings.Repeat("d: e\n", 200))
	require.Len(t, diags, 1)
	assert.Equal(t, 2, diags[0].Line)
	_, diags = configParse("a: b\nc: [open,\n" + strings.Repeat("  d,\n", 200))
	require.Len(t, diags, 1)
	assert.Equal(t, 2, diags[0].Line)
}

func TestInALargeFileTheBrokenBlockIsNamed(t *testing.T) {
	t.Parallel()
	_, diags := configParse(strings.Repeat("# c\n", 80_000) + "builds:\n   include: []\n  exclude: []\n")
	require.Len(t, diags, 1)
	assert.Equal(t, 80_001, diags[0].Line)
}

func TestHostileFilesCostLittle(t *testing.T) {
	t.Parallel()
	laughs := "l0: &l0 [x, x]\n"
	for i := 1; i < 40; i++ {
		laughs += fmt.Sprintf("l%d: &l%d [*l%d, *l%d, *l%d]\n", i, i, i-1, i-1, i-1)
	}
	keys := make([]string, 5000)
	for i := range keys {
		keys[i] = fmt.Sprintf("k%d: 1", i)
	}
	tests := []struct {
		name, text, code string // no code: garnix accepted it, and so do we
	}{
		{name: "a billion laughs nobody reads", text: laughs},
		{name: "a billion laughs for builds", text: laughs + "builds: *l39\n", code: "config-type"},
		{name: "sections times matchers", text: "x: &x {include: [" + strings.Repeat("packages.x.y,", 10000) + "]}\nbuilds: [" + strings.Repeat("*x,", 10000) + "]\n", code: "config-too-large"},
		{name: "a long matcher repeated", text: "x: &x " + strings.Repeat("p", 1<<20) + "\nbuilds: {include: [" + strings.Repeat("*x,", 50000) + "]}\n", code: "config-too-large"},
		{name: "merges times keys", text: "x: &x {" + strings.Join(keys, ",") + "}\n<<: [" + strings.Repeat("*x,", 20000) + "]\n", code: "config-too-large"},
		{name: "nesting without end", text: strings.Repeat("[", 1<<20), code: "yaml-syntax"},
		{name: "a very large file", text: strings.Repeat("# c\n", 2<<20), code: "config-too-large"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			c, diags := configParse(tc.text)
			assert.Less(t, time.Since(start), 20*time.Second)
			if tc.code == "" {
				assert.NotNil(t, c)
				return
			}
			assert.Nil(t, c)
			found := errorsOf(diags)
			require.NotEmpty(t, found)
			assert.Equal(t, tc.code, found[0].Code)
		})
	}
}

func TestTenThousandMatchersAreNoTrouble(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("builds:\n  include:\n")
	for i := range 10000 {
		fmt.Fprintf(&b, "    - packages.x86_64-linux.package-%d\n", i)
	}
	c, diags := parse(t, b.String())
	assert.Empty(t, diags)
	assert.Len(t, c.Sections[0].Include, 10000)
}
