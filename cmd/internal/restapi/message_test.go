package restapi

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"garnix2gha/cmd/internal/secretsource"
)

func TestMessage(t *testing.T) {
	t.Parallel()
	jwt := "eyJhbGciOiJIUzI1NiJ9.eyJqdGkiOiIxIn0.c2ln"
	for _, tc := range []struct{ name, kind, body, want string }{
		{"plain text as it is", "text/plain", "Binary cache x doesn't exist", "Binary cache x doesn't exist"},
		{"lines become one", "", " a\r\n\tb\n", "a b"},
		{"the message of a JSON object", "", `{"message":"m","error":"e"}`, "m"},
		{"the error of a JSON object", "", `{"error":"e"}`, "e"},
		{"the detail of a problem", "", `{"title":"t","detail":"d"}`, "d"},
		{"a JSON object without words says nothing", "", `{"code":7,"error":{"n":1}}`, ""},
		{"a web page gives its text", "text/html", "<html><head><title>t</title><style>s{}</style></head><body><h1>502</h1><script>alert(1)</script> Bad&nbsp;gateway &lt;b&gt;</body>", "502 Bad gateway <b>"},
		{"a web page is known by its first letter too", "", "\n<!DOCTYPE html><p>Sign in", "Sign in"},
		{"control characters are made visible", "", "a\x1b[31mb\u202ec\u0085d", "a\uFFFD[31mb\uFFFDc\uFFFDd"},
		{"bytes that are no text as well", "", "a\xffb", "a\uFFFDb"},
		{"the token goes", "", "bad token " + token + "!", "bad token [token]!"},
		{"the token goes from JSON", "", `{"error":"bad \u0068unter2-token"}`, "bad [token]"},
		{"the token goes from a web page", "text/html", "<p>bad &#104;unter2-token", "bad [token]"},
		{"the token goes before the text is cut", "", strings.Repeat("x", maxMessage-3) + token, strings.Repeat("x", maxMessage-3) + "[to…"},
		{"any other token goes too", "", "bad " + jwt + ".", "bad [token]."},
		{"a long text is cut", "", strings.Repeat("ä", 1000), strings.Repeat("ä", maxMessage) + "…"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			reply := Reply{Header: http.Header{"Content-Type": {tc.kind}}, Body: []byte(tc.body)}
			assert.Equal(t, tc.want, Caller{Token: secretsource.NewValue(token)}.Message(reply))
		})
	}
}

func TestHoldsToken(t *testing.T) {
	t.Parallel()
	assert.True(t, HoldsToken("CACHIX=eyJhbGciOiJIUzI1NiJ9.eyJqdGkiOiIxIn0.c2ln"))
	assert.False(t, HoldsToken("acme.cachix.org"))
}
