package diag_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"garnix2gha/generator/diag"
)

func TestPrintable(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text, want string }{
		{name: "ordinary text stays", text: "a b-ä \U0001F680 \u4e2d", want: "a b-ä \U0001F680 \u4e2d"},
		{name: "line breaks of any sort", text: "a\nb\rc\u0085d\u2028e\u2029f", want: "a\uFFFDb\uFFFDc\uFFFDd\uFFFDe\uFFFDf"},
		{name: "control characters", text: "a\x00b\tc\x1b[31md\x7fe\u009bf", want: "a\uFFFDb\uFFFDc\uFFFD[31md\uFFFDe\uFFFDf"},
		{name: "marks that turn text round", text: "a\u202ab\u202ec\u2066d\u2069e\u200ef\u200fg\u061ch", want: "a\uFFFDb\uFFFDc\uFFFDd\uFFFDe\uFFFDf\uFFFDg\uFFFDh"},
		{name: "bytes that are no UTF-8", text: "a\xffb\xed\xa0\x80", want: "a\uFFFDb\uFFFD\uFFFD\uFFFD"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tc.want, diag.Printable(tc.text))
		})
	}
}

func TestOneLine(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		most       int
		want       string
	}{
		{name: "words are one blank apart", text: " a\n\tb\r\n  c ", most: 9, want: "a b c"},
		{name: "colours and titles go", text: "\x1b[1;31merror:\x1b[0m no\x1b]0;title\x07 more", most: 99, want: "error: no more"},
		{name: "what else steers a terminal parts words", text: "a\x1bb\u202ec\xff", most: 9, want: "a b c\uFFFD"},
		{name: "so many characters fit", text: "éé é", most: 4, want: "éé é"},
		{name: "more are cut", text: "éé éé", most: 4, want: "éé é…"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tc.want, diag.OneLine(tc.text, tc.most))
		})
	}
}

func TestExcerpt(t *testing.T) {
	t.Parallel()
	assert.Equal(t, `"a"`, diag.Excerpt("a"))
	assert.Equal(t, `"a\nb\x1b\u202e\""`, diag.Excerpt("a\nb\x1b\u202e\""))
	assert.Equal(t, `"`+strings.Repeat("é", 80)+`…"`, diag.Excerpt(strings.Repeat("é", 100)))
	assert.Equal(t, `"`+strings.Repeat("é", 80)+`"`, diag.Excerpt(strings.Repeat("é", 80)), "80 characters fit")
}

func TestShellWord(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "a/b-c.d_e@f%g+h=i:j,k", diag.ShellWord("a/b-c.d_e@f%g+h=i:j,k"))
	assert.Equal(t, `''`, diag.ShellWord(""))
	assert.Equal(t, `'a b'`, diag.ShellWord("a b"))
	assert.Equal(t, `'$(x);'\''y'`, diag.ShellWord("$(x);'y"))
	assert.Equal(t, `'é'`, diag.ShellWord("é"))
}

func TestEnumerate(t *testing.T) {
	t.Parallel()
	for want, words := range map[string][]string{"": nil, "a": {"a"}, "a or b": {"a", "b"}, "a, b or c": {"a", "b", "c"}} {
		assert.Equal(t, want, diag.Enumerate(words, "or"))
	}
}
