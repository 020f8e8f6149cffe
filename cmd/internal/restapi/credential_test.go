package restapi

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/cmd/internal/secretsource"
)

func TestCredentialFitsItsHostOnly(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, host, url string
		want            bool
	}{
		{"the host", "x.example", "https://x.example/a", true},
		{"the host in other letters", "X.Example", "https://x.example/a", true},
		{"the host at any port", "x.example", "https://x.example:8443/a", true},
		{"the port that the address has", "x.example:8443", "https://x.example:8443/a", true},
		{"another port", "x.example:8443", "https://x.example/a", false},
		{"a subdomain", "x.example", "https://a.x.example/a", false},
		{"the parent domain", "a.x.example", "https://x.example/a", false},
		{"a host that ends alike", "x.example", "https://evilx.example/a", false},
		{"an IPv6 address", "::1", "http://[::1]:80/a", true},
		{"an IPv6 address with a port", "[::1]:8080", "http://[::1]:8080/a", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			u, err := url.Parse(tc.url)
			require.NoError(t, err)
			assert.Equal(t, tc.want, basic(tc.host, "", "t").fits(u))
		})
	}
}

func TestTokenOfACallerThatRoamsStaysWithItsHost(t *testing.T) {
	t.Parallel()
	var seen []string
	note := func(w http.ResponseWriter, r *http.Request) { seen = append(seen, r.Header.Get("Authorization")) }
	elsewhere, _ := serve(t, note)
	caller, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		note(w, r)
		http.Redirect(w, r, elsewhere.BaseURL, http.StatusTemporaryRedirect)
	})
	caller.Roams = true
	_, err := caller.Do(t.Context(), http.MethodGet, "/", nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"Bearer " + token, ""}, seen)
	assert.True(t, caller.fault(401, false, "").Authorized)
	caller.Token = secretsource.Value{}
	assert.False(t, caller.fault(401, false, "").Authorized)
}
