package bincache

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/cmd/internal/restapi"
	"garnix2gha/cmd/internal/secretsource"
)

const token = "hunter2-token"

func basic(host, password string) restapi.Credential {
	return restapi.Basic(host, "", secretsource.NewValue(password))
}

func TestCredentialIsSentToItsHost(t *testing.T) {
	t.Parallel()
	path := pathNamed("hello")
	for _, tc := range []struct {
		name string
		cfg  func(*fakeCache) Config
		want string
	}{
		{"a token", func(f *fakeCache) Config {
			return Config{URL: f.URL, Caller: restapi.Caller{Credentials: []restapi.Credential{basic("127.0.0.1", token)}}}
		}, "Basic " + base64.StdEncoding.EncodeToString([]byte(":"+token))},
		{"a netrc entry", func(f *fakeCache) Config {
			return Config{URL: f.URL, Caller: restapi.Caller{Credentials: []restapi.Credential{basic("127.0.0.1", token)}}}
		}, "Basic Omh1bnRlcjItdG9rZW4="},
		{"a host with its port", func(f *fakeCache) Config {
			return Config{URL: f.URL, Caller: restapi.Caller{Credentials: []restapi.Credential{basic(f.host(), token)}}}
		}, "Basic " + base64.StdEncoding.EncodeToString([]byte(":"+token))},
		{"a password in the URL", func(f *fakeCache) Config {
			return Config{URL: strings.Replace(f.URL, "://", "://:"+token+"@", 1) + "/?priority=10#x"}
		}, "Basic Omh1bnRlcjItdG9rZW4="},
		{"the first that fits", func(f *fakeCache) Config {
			return Config{URL: f.URL, Caller: restapi.Caller{Credentials: []restapi.Credential{
				basic("elsewhere.example", "other"), basic("127.0.0.1:1", "other"), basic("127.0.0.1", token), basic("127.0.0.1", "other"),
			}}}
		}, "Basic " + base64.StdEncoding.EncodeToString([]byte(":"+token))},
		{"none for another host", func(f *fakeCache) Config {
			return Config{URL: f.URL, Caller: restapi.Caller{Credentials: []restapi.Credential{basic("elsewhere.example", token), basic("0.0.1", token)}}}
		}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			cache := newCache(t)
			cache.holds(path, nil)
			got := verdict(t, newClient(t, tc.cfg(cache)), path)
			assert.Equal(t, InCache, got.Verdict)
			for _, r := range append(cache.asked(path.Hash()+".narinfo"), cache.asked("nix-cache-info")...) {
				assert.Equal(t, tc.want, r.Header.Get("Authorization"))
				assert.Equal(t, "garnix2gha", r.Header.Get("User-Agent"))
				assert.Empty(t, r.URL.RawQuery)
			}
		})
	}
}

func TestRedirectToAnotherHostLosesTheCredential(t *testing.T) {
	t.Parallel()
	path := pathNamed("hello")
	store, cache := newCache(t), newCache(t)
	store.holds(path, nil)
	cache.on(path.Hash()+".narinfo", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, strings.Replace(store.URL, "127.0.0.1", "localhost", 1)+r.URL.Path, http.StatusTemporaryRedirect)
	})
	got := verdict(t, newClient(t, Config{URL: cache.URL, Caller: restapi.Caller{Credentials: []restapi.Credential{basic("127.0.0.1", token)}}}), path)
	assert.Equal(t, InCache, got.Verdict, got.Cause)
	first, second := cache.asked(path.Hash()+".narinfo"), store.asked(path.Hash()+".narinfo")
	require.Len(t, first, 1)
	require.Len(t, second, 1)
	assert.Equal(t, "Basic "+base64.StdEncoding.EncodeToString([]byte(":"+token)), first[0].Header.Get("Authorization"))
	assert.Empty(t, second[0].Header.Get("Authorization"))
}

func TestRedirectToAnotherPortOverPlainHTTPLosesTheCredential(t *testing.T) {
	t.Parallel()
	path := pathNamed("hello")
	store, cache := newCache(t), newCache(t)
	store.holds(path, nil)
	cache.on(path.Hash()+".narinfo", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, store.URL+r.URL.Path, http.StatusFound)
	})
	verdict(t, newClient(t, Config{URL: cache.URL, Caller: restapi.Caller{Credentials: []restapi.Credential{basic("127.0.0.1", token)}}}), path)
	require.Len(t, store.asked(path.Hash()+".narinfo"), 1)
	assert.Empty(t, store.asked(path.Hash() + ".narinfo")[0].Header.Get("Authorization"))
}

func TestRedirectFromHTTPSToHTTPLosesTheCredential(t *testing.T) {
	t.Parallel()
	path := pathNamed("hello")
	plain := newCache(t)
	plain.holds(path, nil)
	var seen atomic.Value
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen.Store(r.Header.Get("Authorization"))
		http.Redirect(w, r, plain.URL+r.URL.Path, http.StatusFound)
	}))
	t.Cleanup(secure.Close)
	got := verdict(t, newClient(t, Config{URL: secure.URL, Caller: restapi.Caller{HTTP: secure.Client(), Credentials: []restapi.Credential{basic("127.0.0.1", token)}}}), path)
	assert.Equal(t, InCache, got.Verdict, got.Cause)
	assert.Equal(t, "Basic "+base64.StdEncoding.EncodeToString([]byte(":"+token)), seen.Load())
	for _, r := range plain.requests {
		assert.Empty(t, r.Header.Get("Authorization"))
	}
}

func TestUpstreamDoesNotSeeTheCredentialOfTheCache(t *testing.T) {
	t.Parallel()
	path := pathNamed("hello")
	cache, upstream := newCache(t), newCache(t)
	upstream.holds(path, nil)
	address := strings.Replace(upstream.URL, "127.0.0.1", "localhost", 1)
	got := verdict(t, newClient(t, Config{URL: cache.URL, Upstreams: []string{address}, Caller: restapi.Caller{Credentials: []restapi.Credential{basic("127.0.0.1", token)}}}), path)
	assert.Equal(t, Upstream, got.Verdict, got.Cause)
	for _, r := range upstream.requests {
		assert.Empty(t, r.Header.Get("Authorization"))
	}
}

func TestSecretIsNowhereToBeRead(t *testing.T) {
	t.Parallel()
	path := pathNamed("hello")
	encoded := "Omh1bnRlcjItdG9rZW4="
	cache := newCache(t)
	echo := status(http.StatusUnauthorized, strings.Repeat("x", 190)+" "+token+" "+encoded)
	cache.on(path.Hash()+".narinfo", echo)
	client := newClient(t, Config{URL: cache.URL, Caller: restapi.Caller{Credentials: []restapi.Credential{basic("127.0.0.1", token)}}})
	got := verdict(t, client, path)
	assert.Equal(t, Unknown, got.Verdict)
	assert.Contains(t, got.Cause, "refuses the credentials (401)")
	assert.Contains(t, got.Cause, "[token] [token]")
	assert.Contains(t, got.Next, "has not expired")
	credential := client.cache.caller.Credentials[0]
	asJSON, err := json.Marshal(credential)
	require.NoError(t, err)
	cache.on("nix-cache-info", status(http.StatusOK, "<p>"+token))
	checkErr := newClient(t, Config{URL: cache.URL, Caller: restapi.Caller{Credentials: []restapi.Credential{credential}}}).Check(t.Context())
	require.ErrorContains(t, checkErr, "[token]")
	for _, text := range []string{
		fmt.Sprintf("%+v", got),
		fmt.Sprintf("%v %+v %#v", client, client, client),
		fmt.Sprintf("%+v %#v", credential, client.cache.caller),
		string(asJSON), checkErr.Error(),
	} {
		assert.NotContains(t, text, token[:7])
		assert.NotContains(t, text, encoded[:12])
	}
}

func TestConfigurationErrorsNameTheFaultAndNoSecret(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		cfg  Config
		want string
	}{
		{"no URL", Config{}, "want https://host/path"},
		{"another scheme", Config{URL: "s3://hunter2@bucket"}, "want https://host/path"},
		{"no host", Config{URL: "https:///hunter2"}, "want https://host/path"},
		{"a URL that cannot be read", Config{URL: "https://:hunter2 @x.example"}, "not a URL"},
		{"a login without a password", Config{URL: "https://hunter2@x.example"}, "it is empty"},
		{"a bad upstream", Config{URL: "https://x.example", Upstreams: []string{"hunter2"}}, "want https://host/path"},
		{"a bad key", Config{URL: "https://x.example", PublicKeys: []string{"hunter2"}}, "parse public key"},
		{"an empty token", Config{URL: "https://x.example", Caller: restapi.Caller{Credentials: []restapi.Credential{basic("x.example", "")}}}, "it is empty"},
		{"a token of two lines", Config{URL: "https://x.example", Caller: restapi.Caller{Credentials: []restapi.Credential{basic("x.example", "hunter2\nhunter2")}}}, "control character"},
		{"a token for no host", Config{URL: "https://x.example", Caller: restapi.Caller{Credentials: []restapi.Credential{basic("", "hunter2")}}}, "names no host"},
		{"a zero credential", Config{URL: "https://x.example", Caller: restapi.Caller{Credentials: []restapi.Credential{{Host: "x"}}}}, "it is empty"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := New(tc.cfg)
			require.ErrorContains(t, err, tc.want)
			assert.NotContains(t, err.Error(), "hunter2")
		})
	}
}
