package bincache

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCheckSaysWhetherItIsACache(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		answer http.HandlerFunc
		fault  Fault
		text   string
	}{
		{"every field", status(200, goodCacheInfo), "", ""},
		{"what nix copy writes", status(200, "StoreDir: /nix/store\n"), "", ""},
		{"no final newline and an empty line", status(200, "WantMassQuery: 0\n\nStoreDir: /nix/store"), "", ""},
		{"another store", status(200, "StoreDir: /gnu/store\nPriority: 3\n"), OtherStore, "another store: /gnu/store"},
		{"no store", status(200, "Priority: 3\n"), Garbled, "StoreDir is missing"},
		{"an empty body", status(200, ""), Garbled, "StoreDir is missing"},
		{"lines that are none", status(200, "StoreDir: /nix/store\nPriority\n"), Garbled, "line 2"},
		{"a web page", status(200, "\n<html><body>Sign in"), Garbled, "a web page: Sign in"},
		{"too large", status(200, strings.Repeat("a: b\n", 300000)), Garbled, "longer than"},
		{"not there", status(404, ""), Absent, "no binary cache"},
		{"private", status(401, "no"), Refused, "(401): no"},
		{"forbidden", status(403, "no"), Forbidden, "(403): no"},
		{"down", status(503, "no"), Unavailable, "(503): no"},
		{"control characters in the store", status(200, "StoreDir: /nix\u009b31m\n"), OtherStore, "/nix\uFFFD31m"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			cache := newCache(t)
			cache.on("nix-cache-info", tc.answer)
			err := newClient(t, Config{URL: cache.URL}).Check(t.Context())
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
