package settings

import (
	"bytes"
	"strings"
	"testing"

	"garnix2gha/generator/document"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

func TestInlineKeepsTheTextAndItsPlace(t *testing.T) {
	t.Parallel()
	s := parseFixture(t, "inline.yaml")
	assert.Equal(t, Static, s.Strategy)
	assert.Equal(t, "\n"+
		"       \n"+
		"  builds:\n"+
		"    include: [\"packages.*.*\"] # all of them\n"+
		"    exclude:\n"+
		"    - packages.aarch64-darwin.slow\n"+
		"  fodChecks: yes\n"+
		"\n", string(s.Inline))
}

func TestInlineIsNilWhenAbsent(t *testing.T) {
	t.Parallel()
	s, diags := Parse(file, []byte("strategy: auto\n"))
	require.Empty(t, diags)
	assert.Nil(t, s.Inline)
}

func TestInlineReadsAsItDidInItsFile(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, src string }{
		{"in braces behind the key", "garnix: {builds: {include: [\"*.*\"]}}\nstrategy: auto\n"},
		{"in braces over several lines", "statuses: true\n\"garnix\" : {builds: {\n  include: [\"*.*\"]}} # here\nstrategy: auto\n"},
		{"as a list below the key", "garnix:\n- a\n- b\nstrategy: auto\n"},
		{"indented with the whole file", "  strategy: auto\n  garnix:\n    builds:\n      branch: on\n"},
		{"with a comment behind the key", "garnix: # from garnix.yaml\n builds: []\n# next\nstrategy: auto\n"},
		{"with anchors, repeated and unknown keys", "garnix:\n  builds:\n    include: &i [\"*.*\"]\n    exclude: *i\n  x: 1\n  x: 2\nstrategy: auto\n"},
		{"with expressions and odd types", "garnix:\n  flakeDir: ${{ x }}\n  builds:\n"},
		{"without a final newline", "garnix:\n  builds: []"},
		{"with Windows line ends", "strategy: auto\r\ngarnix:\r\n  builds:\r\n    include: []\r\nstatuses: true\r\n"},
		{"behind a byte order mark", "\ufeffgarnix:\n  builds: []\n"},
		{"before the end of the document", "garnix:\n  builds: []\n...\n"},
		{"with letters of several bytes", "garnix: {ä: ö, ü: [\"é\"]}\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s, diags := Parse(file, []byte(tc.src))
			require.Empty(t, diags)
			requireInline(t, []byte(tc.src), s.Inline)
		})
	}
}

func TestInlineIsNoAlias(t *testing.T) {
	t.Parallel()
	_, diags := Parse(file, []byte("pins: &a {}\ngarnix: *a\n"))
	require.Len(t, diags, 2)
	assert.Equal(t, "aliases are not supported here", diags[1].Message)
}

// requireInline requires that the cut text is the value of the inline key, each node in its place.
func requireInline(t *testing.T, src, inline []byte) {
	t.Helper()
	var whole, cut yaml.Node
	require.NoError(t, yaml.Unmarshal(bytes.TrimPrefix(src, []byte("\ufeff")), &whole))
	require.NoError(t, yaml.Unmarshal(inline, &cut), "%s", inline)
	for key, node := range document.Pairs(whole.Content[0]) {
		if key.Value == inlineKey {
			require.Equal(t, shape(node), shape(cut.Content[0]), "%s", inline)
			return
		}
	}
	require.Fail(t, "no inline key")
}

// shape renders what a node means and where it stands.
func shape(n *yaml.Node) string {
	var b strings.Builder
	var render func(*yaml.Node)
	render = func(n *yaml.Node) {
		b.WriteString(strings.Join([]string{n.ShortTag(), n.Value, n.Anchor, fmtPos(n)}, " ") + "(")
		for _, child := range n.Content {
			render(child)
		}
		b.WriteString(")")
	}
	render(n)
	return b.String()
}
