package restapi

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/cmd/internal/secretsource"
)

func TestMessage(t *testing.T) {
	t.Parallel()
	caller := Caller{BaseURL: "https://x.example", Token: secretsource.NewValue(token), Credentials: []Credential{basic("y.example", "", "s3cret")}}
	jwt := "eyJhbGciOiJIUzI1NiJ9.eyJqdGkiOiIxIn0.c2ln"
	for _, tc := range []struct{ name, body, want string }{
		{"plain text as it is", "Binary cache x doesn't exist", "Binary cache x doesn't exist"},
		{"lines become one", " a\r\n\tb\n", "a b"},
		{"the message of a JSON object", `{"message":"m","error":"e"}`, "m"},
		{"the error of a JSON object", `{"error":"e"}`, "e"},
		{"the detail of a problem", `{"title":"t","detail":"d"}`, "d"},
		{"a JSON object without words says nothing", `{"code":7,"error":{"n":1}}`, ""},
		{"a web page gives its text", "<html><head><title>t</title><style>s{}</style></head><body><h1>502</h1><script>alert(1)</script> Bad&nbsp;gateway &lt;b&gt;</body>", "t 502 Bad gateway <b>"},
		{"the message of S3 comes out of its XML", `<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>`, "AccessDenied Access Denied"},
		{"tags, scripts, styles and comments go", `<!DOCTYPE html><title>502 Bad Gateway</title><STYLE>b{color:red}</STYLE ><script src="x">if (a<b) alert("</p>")</script><!-- <b>hidden</b> --><body>try&nbsp;&amp; again</body>`, "502 Bad Gateway try & again"},
		{"an open script hides the rest", "<p>a</p><script>evil()", "a"},
		{"an open comment hides the rest", "<p>a</p><!-- <b>evil", "a"},
		{"an open tag hides the rest", "<p>a</p><b", "a"},
		{"a web page is known by its first letter too", "\n<!DOCTYPE html><p>Sign in", "Sign in"},
		{"control characters are made visible", "a\x1b[31mb\u202ec\u0085d", "a\uFFFD[31mb\uFFFDc d"},
		{"bytes that are no text as well", "a\xffb", "a\uFFFDb"},
		{"a credential goes, encoded or not", "bad s3cret OnMzY3JldA==!", "bad [token] [token]!"},
		{"the token goes", "bad token " + token + "!", "bad token [token]!"},
		{"the token goes from JSON", `{"error":"bad \u0068unter2-token"}`, "bad [token]"},
		{"the token goes from a web page", "<p>bad &#104;unter2-token", "bad [token]"},
		{"the token goes before the text is cut", strings.Repeat("x", maxMessage-3) + token, strings.Repeat("x", maxMessage-3) + "[to…"},
		{"any other token goes too", "bad " + jwt + ".", "bad [token]."},
		{"a long text is cut", strings.Repeat("ä", 1000), strings.Repeat("ä", maxMessage) + "…"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tc.want, caller.Message([]byte(tc.body)))
		})
	}
}

func TestHoldsToken(t *testing.T) {
	t.Parallel()
	assert.True(t, HoldsToken("CACHIX=eyJhbGciOiJIUzI1NiJ9.eyJqdGkiOiIxIn0.c2ln"))
	assert.False(t, HoldsToken("acme.cachix.org"))
}

func FuzzMessageIsShortAndPrintable(f *testing.F) {
	f.Add([]byte("<script>a</script><!--b-->c"))
	f.Add([]byte(`{"message":"\u001b"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		got := Caller{}.Message(body)
		require.LessOrEqual(t, utf8.RuneCountInString(got), maxMessage+1)
		require.False(t, strings.ContainsFunc(got, func(r rune) bool { return r < ' ' || (r >= 0x7f && r < 0xa0) }))
	})
}
