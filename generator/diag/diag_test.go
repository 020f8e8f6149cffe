package diag_test

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/generator/diag"
)

func TestPosLeavesOutWhatIsUnknown(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "f:1:2", diag.Pos{File: "f", Line: 1, Column: 2}.String())
	assert.Equal(t, "f:1", diag.Pos{File: "f", Line: 1}.String())
	assert.Equal(t, "f", diag.Pos{File: "f"}.String())
}

func TestSortedOrdersByPlaceAndDropsDuplicates(t *testing.T) {
	t.Parallel()
	var l diag.List
	l.Warnf(diag.Pos{File: "b", Line: 1}, "x", "", "later file")
	l.Errorf(diag.Pos{File: "a", Line: 2}, "x", "", "second")
	l.Errorf(diag.Pos{File: "a", Line: 1, Column: 2}, "x", "", "first")
	l.Errorf(diag.Pos{File: "a", Line: 2}, "x", "", "second")
	var got []string
	for _, d := range l.Sorted() {
		got = append(got, d.Message)
	}
	assert.Equal(t, []string{"first", "second", "later file"}, got)
	assert.True(t, l.HasErrors())
	assert.False(t, diag.List{{Severity: diag.Warning}}.HasErrors())
}

func TestPrintersKeepHostileTextOnItsLine(t *testing.T) {
	t.Parallel()
	var l diag.List
	l.Errorf(diag.Pos{File: "a\nb:,%\x1b", Line: 3, Column: 4}, "code", "do\x1b[31m", "bad \"x\ny\" \u202e 100%%")
	var text, annotations strings.Builder
	require.NoError(t, diag.Text(&text, l, diag.Style{}))
	assert.Equal(t, "a\uFFFDb:,%\uFFFD:3:4: error: bad \"x\uFFFDy\" \uFFFD 100% [code]\nhint: do\uFFFD[31m\n", text.String())
	require.NoError(t, diag.Annotations(&annotations, l))
	assert.Equal(t, "::error file=a%0Ab%3A%2C%25\uFFFD,line=3,col=4,title=garnix2gha code::bad \"x%0Ay\" \uFFFD 100%25%0Ado\uFFFD[31m\n", annotations.String())
}

func TestTextAsksOnceForThePageOfACode(t *testing.T) {
	t.Parallel()
	count := func(findings int) (asked int) {
		l := make(diag.List, findings)
		page := func(string) string { asked++; return "https://example.org" }
		require.NoError(t, diag.Text(io.Discard, l, diag.Style{Page: page}))
		return asked
	}
	assert.Equal(t, count(1), count(1000))
}

func TestTextLinksACodeThatHasAPage(t *testing.T) {
	t.Parallel()
	page := func(code string) string {
		if code == "known" {
			return "https://example.org/known"
		}
		return ""
	}
	found := diag.List{{Severity: diag.Error, Code: "known", Message: "a"}, {Severity: diag.Error, Code: "other", Message: "b"}}
	var out strings.Builder
	require.NoError(t, diag.Text(&out, found, diag.Style{Page: page}))
	assert.Equal(t, "error: a [\x1b]8;;https://example.org/known\x1b\\known\x1b]8;;\x1b\\]\nerror: b [other]\n", out.String())
}

func TestTextNamesTheSeverityAndPaintsOnlyOnRequest(t *testing.T) {
	t.Parallel()
	var l diag.List
	l.Warnf(diag.Pos{}, "w", "", "careful")
	var plain, painted strings.Builder
	require.NoError(t, diag.Text(&plain, l, diag.Style{}))
	assert.Equal(t, "warning: careful [w]\n", plain.String())
	require.NoError(t, diag.Text(&painted, l, diag.Style{Color: true}))
	assert.Equal(t, "\x1b[33mwarning\x1b[0m: careful [w]\n", painted.String())
}
