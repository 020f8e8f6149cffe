package diag_test

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/generator/diag"
)

func TestTextShowsTheLine(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 200)
	tests := []struct {
		name, text   string
		line, column int
		want         string
	}{
		{name: "a word", text: "a: b\ninclude: [packages]\n", line: 2, column: 11, want: "  |\n2 | include: [packages]\n  |           ^~~~~~~~\n"},
		{name: "a key", text: "include: [packages]\n", line: 1, column: 1, want: "  |\n1 | include: [packages]\n  | ^~~~~~~\n"},
		{name: "a quoted text", text: `a: 'b, c' # d`, line: 1, column: 4, want: "  |\n1 | a: 'b, c' # d\n  |    ^~~~~~\n"},
		{name: "a quote that is not closed", text: `a: "b c`, line: 1, column: 4, want: "  |\n1 | a: \"b c\n  |    ^~\n"},
		{name: "one character", text: "- [", line: 1, column: 3, want: "  |\n1 | - [\n  |   ^\n"},
		{name: "a blank", text: "a  b", line: 1, column: 2, want: "  |\n1 | a  b\n  |  ^\n"},
		{name: "the end of the line", text: "a:", line: 1, column: 3, want: "  |\n1 | a:\n  |   ^\n"},
		{name: "a number of several digits", text: strings.Repeat("\n", 99) + "a", line: 100, column: 1, want: "    |\n100 | a\n    | ^\n"},
		{name: "wide characters before it", text: "宽🚀: x", line: 1, column: 5, want: "  |\n1 | 宽🚀: x\n  |       ^\n"},
		{name: "wide characters in it", text: "宽宽 x", line: 1, column: 1, want: "  |\n1 | 宽宽 x\n  | ^~~~\n"},
		{name: "an accent of its own", text: "e\u0301: x", line: 1, column: 5, want: "  |\n1 | e\u0301: x\n  |    ^\n"},
		{name: "tabs", text: "\ta: x", line: 1, column: 5, want: "  |\n1 |     a: x\n  |        ^\n"},
		{name: "control characters", text: "\x1b[31m\x00\u202ea\xff\xfe: x\r\n", line: 1, column: 12, want: "  |\n1 | \uFFFD[31m\uFFFD\uFFFDa\uFFFD\uFFFD: x\n  |            ^\n"},
		{name: "a mark of the byte order", text: "\ufeffa: x", line: 1, column: 4, want: "  |\n1 | a: x\n  |    ^\n"},
		{name: "no column", text: "a: b", line: 1, want: "  |\n1 | a: b\n"},
		{name: "a column that is not there", text: "a: b", line: 1, column: 9, want: "  |\n1 | a: b\n"},
		{name: "a long line", text: "ab " + long, line: 1, column: 4, want: "  |\n1 | ab " + long[:156] + "…\n  |    ^" + strings.Repeat("~", 156) + "\n"},
		{name: "what is cut off", text: long + " ab", line: 1, column: 202, want: "  |\n1 | " + long[:159] + "…\n"},
		{name: "no line", text: "a: b", line: 0, column: 1},
		{name: "a line that is not there", text: "a: b", line: 2, column: 1},
		{name: "an empty file", text: "", line: 1, column: 1, want: "  |\n1 | \n  | ^\n"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			l := diag.List{{Pos: diag.Pos{File: "f", Line: tc.line, Column: tc.column}, Severity: diag.Error, Code: "c", Message: "m", Hint: "h"}}
			require.NoError(t, diag.Text(&out, l, diag.Style{Sources: map[string][]byte{"f": []byte(tc.text)}}))
			assert.Equal(t, l[0].Pos.String()+": error: m [c]\n"+tc.want+"hint: h\n", out.String())
		})
	}
	var out strings.Builder
	l := diag.List{{Pos: diag.Pos{File: "other", Line: 1, Column: 1}, Severity: diag.Error, Code: "c", Message: "m"}}
	require.NoError(t, diag.Text(&out, l, diag.Style{Sources: map[string][]byte{"f": []byte("a")}}))
	assert.Equal(t, "other:1:1: error: m [c]\n", out.String(), "a file whose text is not at hand")
}

// TestLinesAreFoundInAnyOrder has findings go forth and back in two files.
func TestLinesAreFoundInAnyOrder(t *testing.T) {
	t.Parallel()
	sources := map[string][]byte{"f": []byte("f1\nf2\nf3\n"), "g": []byte("g1\ng2")}
	var l diag.List
	var want strings.Builder
	for _, at := range []struct {
		file string
		line int
		text string
	}{{"f", 3, "f3"}, {"g", 2, "g2"}, {"f", 2, "f2"}, {"f", 2, "f2"}, {"f", 1, "f1"}, {"g", 9, ""}, {"g", 2, "g2"}, {"h", 1, ""}, {"f", 3, "f3"}} {
		l.Warnf(diag.Pos{File: at.file, Line: at.line}, "c", "", "m")
		fmt.Fprintf(&want, "%s:%d: warning: m [c]\n", at.file, at.line)
		if at.text != "" {
			fmt.Fprintf(&want, "  |\n%d | %s\n", at.line, at.text)
		}
	}
	var out strings.Builder
	require.NoError(t, diag.Text(&out, l, diag.Style{Sources: sources}))
	assert.Equal(t, want.String(), out.String())
}

// TestAFindingInALongLineCostsLittle counts bytes: looking at the whole line for each would take gigabytes.
func TestAFindingInALongLineCostsLittle(t *testing.T) {
	var l diag.List
	for column := range 500 {
		l.Warnf(diag.Pos{File: "f", Line: 2, Column: 1000 * column}, "c", "", "m")
	}
	style := diag.Style{Sources: map[string][]byte{"f": []byte("\n" + strings.Repeat("é ", 500_000))}}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	require.NoError(t, diag.Text(io.Discard, l, style))
	runtime.ReadMemStats(&after)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(50_000_000))
}

func FuzzText(f *testing.F) {
	f.Add("a: b\n", 1, 1)
	f.Add("宽\t\x1b\xff\r\n", 1, 3)
	f.Fuzz(func(t *testing.T, text string, line, column int) {
		var out strings.Builder
		l := diag.List{{Pos: diag.Pos{File: "f", Line: line, Column: column}, Severity: diag.Error, Code: "c", Message: text}}
		require.NoError(t, diag.Text(&out, l, diag.Style{Sources: map[string][]byte{"f": []byte(text)}}))
		for shown := range strings.Lines(out.String()) {
			shown = strings.TrimSuffix(shown, "\n")
			assert.Equal(t, diag.Printable(shown), shown)
		}
	})
}
