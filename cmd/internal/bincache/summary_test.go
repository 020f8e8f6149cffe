package bincache

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestErrorPageBecomesOneShortLine(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, in, want string }{
		{"plain text stays", "404 - Not Found\n", "404 - Not Found"},
		{"nothing stays nothing", "", ""},
		{"the message of S3 comes out of its XML", `<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>`,
			"AccessDenied Access Denied"},
		{"tags, scripts, styles and comments go", `<!DOCTYPE html><html><head><title>502 Bad Gateway</title>` +
			`<STYLE>b{color:red}</STYLE ><script src="x">if (a<b) alert("</p>")</script></head><!-- <b>hidden</b> --><body>try&nbsp;&amp; again</body>`,
			"502 Bad Gateway try & again"},
		{"an open script hides the rest", "<p>a</p><script>evil()", "a"},
		{"an open tag hides the rest", "<p>a</p><b", "a"},
		{"the message of a JSON object", `{"message":"too many requests","error":"x"}`, "too many requests"},
		{"the error of a JSON object", `{"error":"no such cache"}`, "no such cache"},
		{"the detail of a problem document", `{"type":"about:blank","title":"Rate limited","detail":"slow down"}`, "slow down"},
		{"JSON that says nothing stays", `{"a":1}`, `{"a":1}`},
		{"control characters do not reach the terminal", "a\x1b[31mred\x00\u202egnp\u009b", "a\uFFFD[31mred\uFFFD\uFFFDgnp\uFFFD"},
		{"bytes that are no text are replaced", "a\xff", "a\uFFFD"},
		{"white space is joined", "a \r\n\t b", "a b"},
		{"a long text is cut off", strings.Repeat("é", 300), strings.Repeat("é", 200) + "…"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tc.want, oneLine(plainText([]byte(tc.in))))
		})
	}
}

func FuzzSummaryIsShortAndPrintable(f *testing.F) {
	f.Add([]byte("<script>a</script><!--b-->c"))
	f.Add([]byte(`{"message":"\u001b"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		got := oneLine(plainText(body))
		require.LessOrEqual(t, utf8.RuneCountInString(got), maxSummary+1)
		require.False(t, strings.ContainsFunc(got, func(r rune) bool { return r < ' ' || (r >= 0x7f && r < 0xa0) }))
	})
}
