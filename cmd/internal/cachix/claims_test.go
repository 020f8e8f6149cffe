package cachix

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/cmd/internal/secretsource"
)

func TestReadClaims(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, token string
		want        Claims
		ok          bool
	}{
		{"all three claims", jwt(`{"exp":1784937600,"jti":"7d1c","scopes":"tx"}`), Claims{Expires: time.Unix(1784937600, 0).UTC(), ID: "7d1c", Scopes: "tx"}, true},
		{"none", jwt(`{}`), Claims{}, true},
		{"the singular scope", jwt(`{"scope":"cache"}`), Claims{Scopes: "cache"}, true},
		{"a fraction of a second", jwt(`{"exp":1784937600.9}`), Claims{Expires: time.Unix(1784937600, 0).UTC()}, true},
		{"an end that is a text", jwt(`{"exp":"tomorrow"}`), Claims{}, true},
		{"an end beyond all calendars", jwt(`{"exp":1e300}`), Claims{}, true},
		{"an end before the beginning", jwt(`{"exp":-5}`), Claims{}, true},
		{"claims of other types are shown as they are", jwt(`{"jti":7,"scopes":{"a":null}}`), Claims{ID: "7", Scopes: `{"a":null}`}, true},
		{"claims that would draw on the terminal", jwt(`{"scopes":"\u001b[2J"}`), Claims{Scopes: "\uFFFD[2J"}, true},
		{"null claims", jwt(`{"jti":null,"scopes":null}`), Claims{}, true},
		{"padding is forgiven", "e30.e30=.x", Claims{}, true},
		{"no dots", "hunter2", Claims{}, false},
		{"two parts", "a.e30", Claims{}, false},
		{"five parts", "a.e30.c.d.e", Claims{}, false},
		{"a payload that is no base64", "a.!!!.c", Claims{}, false},
		{"a payload that is no object", jwt(`[1]`), Claims{}, false},
		{"a payload that is null", jwt(`null`), Claims{}, false},
		{"nothing", "", Claims{}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, ok := ReadClaims(secretsource.NewValue(tc.token))
			assert.Equal(t, tc.ok, ok)
			assert.Equal(t, tc.want, got)
		})
	}
}

func FuzzReadClaimsNeverFails(f *testing.F) {
	f.Add("a.e30.c")
	f.Add(jwt(`{"exp":1}`))
	f.Fuzz(func(t *testing.T, token string) {
		claims, _ := ReadClaims(secretsource.NewValue(token))
		_, err := json.Marshal(claims)
		require.NoError(t, err)
	})
}
