package cachix

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestInspectDescribesTheCache(t *testing.T) {
	t.Parallel()
	plane := func(code int, body string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { w.WriteHeader(code); _, _ = io.WriteString(w, body) }
	}
	for _, tc := range []struct {
		name  string
		plane func(http.ResponseWriter)
		want  Serving
	}{
		{"a substituter that answers", nil, Serves},
		{"a private substituter", plane(401, "Unauthorized"), WantsLogin},
		{"a substituter that is missing", plane(404, "404 - Not Found"), ServesNot},
		{"a substituter of another store", plane(200, "StoreDir: /gnu/store\n"), ServesNot},
		{"a substituter out of order", plane(502, ""), ServesNot},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newStandIn(t)
			s.caches["acme"] = &standCache{public: true, keys: []string{key}}
			if tc.plane != nil {
				s.plane = tc.plane
			}
			in, err := s.client(jwt(`{}`)).Inspect(t.Context(), "acme")
			require.NoError(t, err)
			assert.Equal(t, tc.want, in.Serving)
			require.NotNil(t, in.Cache)
			assert.Equal(t, s.server.URL+"/plane/acme", in.Cache.URI, "without its slash")
			assert.Equal(t, Public, in.Cache.Visibility)
			assert.Equal(t, []string{key}, in.Cache.PublicSigningKeys)
		})
	}
	t.Run("a cache without a key is warned about", func(t *testing.T) {
		t.Parallel()
		s := newStandIn(t)
		s.caches["acme"] = &standCache{public: true}
		in, err := s.client("").Inspect(t.Context(), "acme")
		require.NoError(t, err)
		assert.Contains(t, strings.Join(in.Warnings, "\n"), "no public signing key")
	})
	t.Run("a substituter at an address that is none is not called", func(t *testing.T) {
		t.Parallel()
		s := newStandIn(t)
		s.override["GET /cache/acme"] = answer(200, "", `{"name":"acme","uri":"file:///etc/passwd","permission":"Read"}`)
		in, err := s.client("").Inspect(t.Context(), "acme")
		require.NoError(t, err)
		assert.Equal(t, ServesNot, in.Serving)
	})
}

func TestInspectWarnsOfATokenThatEndsSoon(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, payload, want string
	}{
		{"ten days ahead", `{"exp":1784937600}`, "expires on 2026-07-25, in 10 days"},
		{"a year ahead", `{"exp":1815609600}`, ""},
		{"long ago", `{"exp":1600000000}`, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			token := jwt(tc.payload)
			s := newStandIn(t)
			s.caches["acme"] = &standCache{keys: []string{key}, grants: map[string]Permission{token: Write}}
			in, err := s.client(token).Inspect(t.Context(), "acme")
			require.NoError(t, err)
			if tc.want == "" {
				assert.Empty(t, in.Warnings)
				return
			}
			assert.Contains(t, strings.Join(in.Warnings, "\n"), tc.want)
		})
	}
}

func TestInspectAsksNoMoreThanNeeded(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	s.caches["acme"] = &standCache{public: true, keys: []string{key}}
	token := jwt(`{}`)
	_, err := s.client(token).Inspect(t.Context(), "acme")
	require.NoError(t, err)
	assert.Equal(t, []string{"GET /cache/acme", "GET /user +token", "GET /cache/acme +token", "GET /plane/acme/nix-cache-info"}, s.log)

	dead := newStandIn(t)
	client := dead.client(token)
	dead.server.Close()
	tries := 0
	client.Sleep = func(context.Context, time.Duration) error { tries++; return nil }
	in, err := client.Inspect(t.Context(), "acme")
	require.NoError(t, err)
	assert.Equal(t, Unreachable, in.State)
	assert.False(t, in.Settled())
	assert.Less(t, tries, 10, "a dead service is asked once, not three times")
	requireSilent(t, token, in)
}

func TestInspectEndsWithErrors(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	for _, name := range []string{"", "a/b", "..", "-x", "a b", strings.Repeat("a", 64), jwt(`{}`), "\x1b[31m"} {
		_, err := s.client("").Inspect(t.Context(), name)
		require.Error(t, err, "%q", name)
		requireSilent(t, "", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.client("").Inspect(ctx, "acme")
	require.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, s.log)
}

func TestInspectionAsJSON(t *testing.T) {
	t.Parallel()
	token := jwt(`{"jti":"7d1c","scopes":["tx","cache"]}`)
	s := newStandIn(t)
	s.caches["acme"] = &standCache{public: true, keys: []string{key}, grants: map[string]Permission{token: Write}}
	in, err := s.client(token).Inspect(t.Context(), "acme")
	require.NoError(t, err)
	encoded, err := json.Marshal(in)
	require.NoError(t, err)
	var decoded map[string]any
	require.NoError(t, json.Unmarshal(encoded, &decoded))
	assert.Equal(t, "data-plane", decoded["verdict"])
	assert.Equal(t, "readable", decoded["state"])
	assert.Equal(t, map[string]any{"id": "7d1c", "scopes": `["tx","cache"]`}, decoded["claims"])
	assert.Equal(t, []any{}, decoded["warnings"])
}
