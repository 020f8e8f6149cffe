package cachix

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/cmd/internal/restapi"
	"garnix2gha/cmd/internal/secretsource"
)

func TestGetCacheDecodesLeniently(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, body string
		want       BinaryCache
	}{
		{
			"all fields", `{"name":"acme","uri":"https://acme.cachix.org/","isPublic":false,"publicSigningKeys":["k"],"githubUsername":"octo","permission":"Write","preferredCompressionMethod":"XZ"}`,
			BinaryCache{Name: "acme", URI: "https://acme.cachix.org", Visibility: Private, PublicSigningKeys: []string{"k"}, Permission: Write, GithubUsername: "octo"},
		},
		{
			"only a name", `{"name":"acme"}`,
			BinaryCache{Name: "acme", Visibility: Undisclosed, PublicSigningKeys: []string{}},
		},
		{
			"nulls", `{"name":"acme","uri":null,"isPublic":null,"publicSigningKeys":null,"permission":null}`,
			BinaryCache{Name: "acme", Visibility: Undisclosed, PublicSigningKeys: []string{}},
		},
		{
			"fields of other types", `{"name":"acme","uri":7,"isPublic":"yes","publicSigningKeys":"k","permission":{"a":1}}`,
			BinaryCache{Name: "acme", Visibility: Undisclosed, PublicSigningKeys: []string{}},
		},
		{
			"texts that would draw on the terminal", `{"name":"acme","uri":"https://x\u001b[2J","publicSigningKeys":["a\nb"],"githubUsername":"\u202eevil"}`,
			BinaryCache{Name: "acme", URI: "https://x\uFFFD[2J", Visibility: Undisclosed, PublicSigningKeys: []string{"a b"}, GithubUsername: "\uFFFDevil"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newStandIn(t)
			s.override["GET /cache/acme"] = answer(200, "application/json", tc.body)
			got, err := s.client("").GetCache(t.Context(), "acme")
			require.NoError(t, err)
			assert.Equal(t, tc.want, got)
		})
	}
}

func TestGetCacheExplainsErrors(t *testing.T) {
	t.Parallel()
	token := jwt(`{}`)
	echo := func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte("bad header " + r.Header.Get("Authorization") + "\x1b[31m"))
	}
	for _, tc := range []struct {
		name             string
		handler          http.HandlerFunc
		want             string
		refused, expired bool
	}{
		{"a missing or forbidden cache", answer(401, "text/plain", "Binary cache acme doesn't exist or you're not authorized to access it."), "read cache acme: Cachix refuses the credentials (401): Binary cache acme doesn't exist or you're not authorized to access it.", true, false},
		{"an expired token", answer(401, "text/plain", `Cachix Auth token "ci" has expired.`), `refuses the credentials (401): Cachix Auth token "ci" has expired.`, true, true},
		{"a service that repeats the token", echo, "bad header Bearer [token]\uFFFD[31m", true, false},
		{"a service that repeats the token in JSON", answer(401, "application/json", `{"message":"token `+token+` is bad"}`), "token [token] is bad", true, false},
		{"a refusal without words", answer(403, "", ""), "Cachix forbids it (403)", true, false},
		{"a cache that is missing", answer(404, "text/plain", "404 - Not Found"), "has no such thing (404): 404 - Not Found", false, false},
		{"a bad request", answer(400, "text/plain", "Invalid `name`"), "does not accept the request (400): Invalid `name`", false, false},
		{"a web page instead of an error", answer(404, "text/html", "<html><style>p{}</style><p>Not &amp; here</p>"), "has no such thing (404): Not & here", false, false},
		{"a long web page is cut", answer(500, "text/html", "<p>"+strings.Repeat("x", 5000)), "x…", false, false},
		{"too many requests", answer(429, "text/plain", "slow down"), "Cachix cannot answer now (429): slow down", false, false},
		{"a web page instead of the cache", answer(200, "text/html", "<html>Please sign in"), "a web page (is there a proxy in between?): Please sign in", false, false},
		{"something else than JSON", answer(200, "text/plain", "hello"), "something else than expected: hello", false, false},
		{"JSON without a name", answer(200, "application/json", `{"nom":"acme"}`), "something else than expected", false, false},
		{"a name that is no name", answer(200, "application/json", `{"name":"$(id)"}`), "something else than expected", false, false},
		{"an answer that is cut off", cutOff, "the answer was cut off", false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newStandIn(t)
			s.override["GET /cache/acme"] = tc.handler
			_, err := s.client(token).GetCache(t.Context(), "acme")
			require.ErrorContains(t, err, tc.want)
			var known *restapi.Fault
			require.ErrorAs(t, err, &known)
			assert.Equal(t, tc.refused, known.Refused())
			assert.Equal(t, tc.expired, expired(err))
			assert.Less(t, len(err.Error()), 600)
			requireSilent(t, token, err)
		})
	}
}

func TestGetCacheSendsATokenOnlyIfThereIsOne(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	s.caches["acme"] = &standCache{public: true}
	_, err := s.client("").GetCache(t.Context(), "acme")
	require.NoError(t, err)
	_, err = s.client("opaque").GetCache(t.Context(), "acme")
	require.NoError(t, err)
	assert.Equal(t, []string{"GET /cache/acme", "GET /cache/acme +token"}, s.log)
	_, err = s.client("opaque").GetCache(t.Context(), "opaque")
	require.ErrorContains(t, err, "this is a token")
	assert.Len(t, s.log, 2, "a token does not end up in an address")
}

func TestClientDefaults(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "https://app.cachix.org/api/v1", New(restapi.Caller{}).caller.BaseURL)
	assert.Equal(t, "https://app.cachix.org/cache", New(restapi.Caller{}).Page("/cache"))
	assert.Equal(t, "https://cachix.example:8443/cache", New(restapi.Caller{BaseURL: "https://cachix.example:8443/api/v1/"}).Page("/cache"))
	_, err := New(restapi.Caller{BaseURL: "http://cachix.example/api/v1", Token: secretsource.NewValue("hunter2")}).GetCache(t.Context(), "acme")
	require.ErrorContains(t, err, "plain http")
	requireSilent(t, "hunter2", err)
}
