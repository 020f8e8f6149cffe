package cachix

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCreateMakesACache(t *testing.T) {
	t.Parallel()
	token := jwt(`{}`)
	for _, tc := range []struct {
		name   string
		world  func(*standIn)
		owner  float64
		public bool
	}{
		{
			"in the token's own account",
			func(s *standIn) { s.accounts[token] = account }, 42, true,
		},
		{
			"private",
			func(s *standIn) { s.accounts[token] = account }, 42, false,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newStandIn(t)
			tc.world(s)
			result, err := s.client(token).Create(t.Context(), "acme", tc.public)
			require.NoError(t, err)
			assert.Equal(t, "created", result.Outcome)
			assert.Equal(t, map[string]any{"isPublic": tc.public, "generateSigningKey": true, "accountID": tc.owner}, s.created["acme"])
			assert.Equal(t, visibility(tc.public), result.Cache.Visibility)
			assert.Equal(t, []string{key}, result.Cache.PublicSigningKeys)
			assert.Empty(t, result.Warnings)
			assert.Len(t, result.Steps, 4)
			requireSilent(t, token, result)

			again, err := s.client(token).Create(t.Context(), "acme", tc.public)
			require.NoError(t, err, "a second time finds it there")
			assert.Equal(t, "existed", again.Outcome)
			assert.Equal(t, result.Cache, again.Cache)
			assert.Empty(t, again.Warnings)
		})
	}
}

func TestCreateWarns(t *testing.T) {
	t.Parallel()
	token := jwt(`{}`)
	t.Run("of an existing cache with the other visibility", func(t *testing.T) {
		t.Parallel()
		s := newStandIn(t)
		s.accounts[token] = account
		s.caches["acme"] = &standCache{public: true, keys: []string{key}, grants: map[string]Permission{token: Admin}}
		result, err := s.client(token).Create(t.Context(), "acme", false)
		require.NoError(t, err)
		assert.Equal(t, "existed", result.Outcome)
		assert.Equal(t, []string{"the cache is public, asked for was a private one; change it in the cache's settings"}, result.Warnings)
		assert.True(t, s.caches["acme"].public, "nothing is changed")
	})
	t.Run("of a key that does not come", func(t *testing.T) {
		t.Parallel()
		s := newStandIn(t)
		s.accounts[token] = account
		s.override["POST /cache/acme"] = func(http.ResponseWriter, *http.Request) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.caches["acme"] = &standCache{grants: map[string]Permission{token: Admin}}
		}
		var pauses []time.Duration
		client := s.client(token)
		client.caller.Sleep = func(_ context.Context, wait time.Duration) error { pauses = append(pauses, wait); return nil }
		result, err := client.Create(t.Context(), "acme", false)
		require.NoError(t, err)
		assert.Equal(t, "created", result.Outcome)
		assert.Contains(t, strings.Join(result.Warnings, "\n"), "no public signing key")
		assert.Equal(t, []time.Duration{keyPause, keyPause, keyPause}, pauses)
	})
	t.Run("of nothing when the key comes late", func(t *testing.T) {
		t.Parallel()
		s := newStandIn(t)
		s.accounts[token] = account
		s.override["POST /cache/acme"] = func(http.ResponseWriter, *http.Request) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.caches["acme"] = &standCache{grants: map[string]Permission{token: Admin}}
		}
		client := s.client(token)
		client.caller.Sleep = func(context.Context, time.Duration) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.caches["acme"].keys = []string{key}
			return nil
		}
		result, err := client.Create(t.Context(), "acme", false)
		require.NoError(t, err)
		assert.Empty(t, result.Warnings)
		assert.Equal(t, []string{key}, result.Cache.PublicSigningKeys)
	})
}

func TestCreateBelievesTheCacheMoreThanALostAnswer(t *testing.T) {
	t.Parallel()
	token := jwt(`{}`)
	s := newStandIn(t)
	s.accounts[token] = account
	// The first try makes the cache and its answer is lost; the repetition is refused because the name is taken.
	tries := 0
	s.override["POST /cache/acme"] = func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.create(w, r, "acme", token)
		if tries++; tries == 1 {
			panic(http.ErrAbortHandler)
		}
	}
	result, err := s.client(token).Create(t.Context(), "acme", false)
	require.NoError(t, err)
	assert.Equal(t, 2, tries)
	assert.Equal(t, "created", result.Outcome)
}

func TestCreateFails(t *testing.T) {
	t.Parallel()
	token := jwt(`{}`)
	wide := func(s *standIn) { s.accounts[token] = account }
	with := func(entry string, handler http.HandlerFunc) func(*standIn) {
		return func(s *standIn) { wide(s); s.override[entry] = handler }
	}
	for _, tc := range []struct {
		name    string
		request string
		token   string
		world   func(*standIn)
		want    string
		refused bool
	}{
		{"with a name that Cachix would not take", "Acme", token, wide, "want a lower-case letter", false},
		{"with a token where the name should be", token, token, wide, "want a lower-case letter", false},
		{"without a token", "acme", "", wide, "none was given", false},
		{"with a token that cannot be sent", "acme", "hunter2 hunter2", wide, "no token has", false},
		{"with a token for one cache", "acme", token, func(*standIn) {}, "not account-wide", true},
		{"with a token whose time is over", "acme", token, func(s *standIn) { s.expired[token] = "me" }, "has expired", true},
		{"where the account's endpoint is gone", "acme", token, with("GET /user", answer(404, "text/html", "<h1>404</h1><script>evil()</script>")), "Cachix has no such thing (404): 404", false},
		{"where a proxy answers", "acme", token, with("GET /user", answer(200, "text/html", "<html>Sign in")), "is there a proxy in between?): Sign in", false},
		{"where the name is someone else's public cache", "acme", token, func(s *standIn) { wide(s); s.caches["acme"] = &standCache{public: true} }, "choose another name", false},
		{"where the name is someone else's private cache", "acme", token, func(s *standIn) { wide(s); s.caches["acme"] = &standCache{} }, "the name may be taken", false},
		{"where the service answers with another cache", "acme", token, func(s *standIn) {
			wide(s)
			s.bound[token] = "other"
			s.caches["other"] = &standCache{grants: map[string]Permission{token: Write}}
		}, "the service answered with other", false},
		{"where creating is refused", "acme", token, with("POST /cache/acme", answer(403, "text/plain", "no plan for "+token)), "may not have another cache", true},
		{"where creating conflicts", "acme", token, with("POST /cache/acme", answer(409, "application/json", `{"error":"taken"}`)), "the name may be taken", false},
		{"where creating has changed", "acme", token, with("POST /cache/acme", answer(405, "application/json", `{"a":{"b":["dump"]}}`)), "may be taken, the account may not have another cache, or this part of the API has changed", false},
		{"where creating answers with a web page", "acme", token, with("POST /cache/acme", answer(200, "text/html", "<html>Sign in")), "may be taken, the account may not have another cache, or this part of the API has changed", false},
		{"where the service is out of order", "acme", token, with("POST /cache/acme", answer(503, "text/html", "<h1>503 "+token+"</h1>")), "cannot answer now (503)", false},
		{"where reading the cache fails", "acme", token, with("GET /cache/acme", answer(418, "text/plain", "teapot")), "does not accept the request (418)", false},
		{"where answers are cut off", "acme", token, with("GET /user", cutOff), "cut off", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newStandIn(t)
			tc.world(s)
			result, err := s.client(tc.token).Create(t.Context(), tc.request, false)
			require.ErrorContains(t, err, tc.want)
			assert.Equal(t, tc.refused, faultOf(err).Refused())
			assert.NotContains(t, err.Error(), "dump", "no JSON is shown")
			assert.NotContains(t, err.Error(), "evil", "no script is shown")
			assert.Empty(t, s.created)
			requireSilent(t, tc.token, err, result)
		})
	}
}

func TestCreateTellsWhatWasDoneBeforeAFailure(t *testing.T) {
	t.Parallel()
	token := jwt(`{}`)
	s := newStandIn(t)
	s.accounts[token] = account
	s.override["POST /cache/acme"] = func(http.ResponseWriter, *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.override["GET /cache/acme"] = answer(401, "text/plain", "Unauthorized")
	}
	result, err := s.client(token).Create(t.Context(), "acme", false)
	require.ErrorContains(t, err, "the cache was created, but could not be read back")
	assert.Equal(t, []string{"found account acme-inc", "no cache acme to be seen", "created cache acme"}, result.Steps)
}

func TestCreateEndsWithItsContext(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.client(jwt(`{}`)).Create(ctx, "acme", false)
	require.ErrorIs(t, err, context.Canceled)
}

func TestCreateReadsTheRightCacheBack(t *testing.T) {
	t.Parallel()
	token := jwt(`{}`)
	s := newStandIn(t)
	s.accounts[token] = account
	s.override["POST /cache/acme"] = func(http.ResponseWriter, *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.override["GET /cache/acme"] = answer(200, "application/json", `{"name":"other","publicSigningKeys":["k"]}`)
	}
	result, err := s.client(token).Create(t.Context(), "acme", false)
	require.ErrorContains(t, err, "asked for cache acme, the service answered with other")
	assert.Empty(t, result.Cache.PublicSigningKeys, "another cache's key is not taken over")
}

func TestValidateName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a", "acme", "acme-2", "a--b", strings.Repeat("a", 63)} {
		assert.NoError(t, ValidateName(name), name)
	}
	for _, name := range []string{"", "2acme", "-acme", "acme-", "Acme", "ac_me", "ac.me", "ac me", "acme\n", "äcme", "a/b", "$(id)", strings.Repeat("a", 64)} {
		assert.Error(t, ValidateName(name), "%q", name)
	}
}
