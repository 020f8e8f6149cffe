package bincache

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestInfoSaysWhatTheCacheIs(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		answer http.HandlerFunc
		want   Info
		fault  Fault
		text   string
	}{
		{"every field", status(200, goodCacheInfo), Info{StoreDir: "/nix/store", WantMassQuery: true, Priority: 41}, "", ""},
		{"what nix copy writes", status(200, "StoreDir: /nix/store\n"), Info{StoreDir: "/nix/store"}, "", ""},
		{"no final newline and an empty line", status(200, "WantMassQuery: 0\n\nStoreDir: /nix/store"), Info{StoreDir: "/nix/store"}, "", ""},
		{"another store", status(200, "StoreDir: /gnu/store\nPriority: 3\n"), Info{StoreDir: "/gnu/store", Priority: 3}, OtherStore, "another store: /gnu/store"},
		{"no store", status(200, "Priority: 3\n"), Info{}, Garbled, "StoreDir is missing"},
		{"an empty body", status(200, ""), Info{}, Garbled, "StoreDir is missing"},
		{"a priority that is no number", status(200, "StoreDir: /nix/store\nPriority: high\n"), Info{}, Garbled, "Priority"},
		{"a web page", status(200, "\n<html><body>Sign in"), Info{}, Garbled, "a web page: Sign in"},
		{"too large", status(200, strings.Repeat("a: b\n", 20000)), Info{}, Garbled, "too large"},
		{"not there", status(404, ""), Info{}, Absent, "no binary cache"},
		{"private", status(401, "no"), Info{}, Refused, "(401): no"},
		{"forbidden", status(403, "no"), Info{}, Forbidden, "(403): no"},
		{"down", status(503, "no"), Info{}, Unavailable, "(503): no"},
		{"control characters in the store", status(200, "StoreDir: /nix\u009b31m\n"), Info{StoreDir: "/nix\u009b31m"}, OtherStore, "/nix\uFFFD31m"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			cache := newCache(t)
			cache.on("nix-cache-info", tc.answer)
			got, err := newClient(t, Config{URL: cache.URL}).Info(t.Context())
			assert.Equal(t, tc.want, got)
			if tc.fault == "" {
				require.NoError(t, err)
				return
			}
			fault, ok := errors.AsType[*Error](err)
			require.True(t, ok, "%v", err)
			assert.Equal(t, tc.fault, fault.Fault)
			assert.Contains(t, fault.Error(), tc.text)
			assert.NotEmpty(t, fault.Next())
			assert.Equal(t, cache.host(), fault.Host)
		})
	}
}
