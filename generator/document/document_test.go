package document_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/generator/diag"
	"garnix2gha/generator/document"
)

func TestReadGivesTheValueOfTheDocument(t *testing.T) {
	t.Parallel()
	root, diags := document.Read("f", []byte("# first\na: b\nc: [d]\n"))
	require.Empty(t, diags)
	var got []string
	for key, value := range document.Pairs(root) {
		got = append(got, key.Value+"@"+document.At("f", value).String())
	}
	assert.Equal(t, []string{"a@f:2:4", "c@f:3:4"}, got)
}

func TestAllYieldsWhatStandsBelow(t *testing.T) {
	t.Parallel()
	root, diags := document.Read("f", []byte("a: [b, &x c]\nd: *x\n"))
	require.Empty(t, diags)
	for _, most := range []int{7, 3} {
		var got []string
		for n := range document.All(root) {
			if got = append(got, n.Value); len(got) == most {
				break
			}
		}
		assert.Equal(t, []string{"", "a", "", "b", "c", "d", "x"}[:most], got)
	}
	for range document.All(nil) {
		t.Error("nothing stands there")
	}
}

func TestReadGivesNothingForAnEmptyFile(t *testing.T) {
	t.Parallel()
	for _, src := range []string{"", "\ufeff", "\n", "# a comment\n# a: b\n"} {
		root, diags := document.Read("f", []byte(src))
		assert.Nil(t, root, "%q", src)
		assert.Empty(t, diags, "%q", src)
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, src  string
		at         diag.Pos
		code, hint string
	}{
		{name: "a matcher without quotes", src: "a:\n  - *.b\n", at: diag.Pos{File: "f", Line: 2}, code: "yaml-syntax", hint: "quote a matcher or pattern"},
		{name: "an alias of nothing", src: "a: b\nc: *d\n", at: diag.Pos{File: "f", Line: 2}, code: "yaml-syntax", hint: "check the name of the alias"},
		{name: "text with a colon", src: "a: b\nc: d: e\n", at: diag.Pos{File: "f", Line: 2}, code: "yaml-syntax", hint: `quote text that holds ": "`},
		{name: "a tab", src: "a:\n\tb: c\n", at: diag.Pos{File: "f", Line: 2}, code: "yaml-syntax", hint: "spaces, not tabs"},
		{name: "a wrong margin", src: "a:\n    b: c\n  d: e\n", at: diag.Pos{File: "f", Line: 3}, code: "yaml-syntax", hint: "indentation"},
		{name: "a control character", src: "a: b\nc: \x00\n", at: diag.Pos{File: "f", Line: 2}, code: "yaml-syntax", hint: "UTF-8"},
		{name: "several documents", src: "a: b\n--- \nc: d\n", at: diag.Pos{File: "f", Line: 2, Column: 1}, code: "yaml-documents", hint: "keep one"},
		{name: "a huge file", src: strings.Repeat("# c\n", 2<<20), at: diag.Pos{File: "f"}, code: "config-too-large"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			root, diags := document.Read("f", []byte(tc.src))
			assert.Nil(t, root)
			require.Len(t, diags, 1)
			assert.Equal(t, tc.at, diags[0].Pos)
			assert.Equal(t, tc.code, diags[0].Code)
			assert.Contains(t, diags[0].Hint, tc.hint)
		})
	}
}
