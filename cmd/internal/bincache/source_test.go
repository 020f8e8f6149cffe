package bincache

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/cmd/internal/restapi"
)

func TestCheckSaysWhetherItIsACache(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		answer http.HandlerFunc
		kind   string
		text   string
	}{
		{"every field", status(200, goodCacheInfo), "", ""},
		{"what nix copy writes", status(200, "StoreDir: /nix/store\n"), "", ""},
		{"no final newline and an empty line", status(200, "WantMassQuery: 0\n\nStoreDir: /nix/store"), "", ""},
		{"another store", status(200, "StoreDir: /gnu/store\nPriority: 3\n"), "strange", "it is a cache for another store: /gnu/store"},
		{"no store", status(200, "Priority: 3\n"), "strange", "StoreDir is missing"},
		{"an empty body", status(200, ""), "strange", "StoreDir is missing"},
		{"lines that are none", status(200, "StoreDir: /nix/store\nPriority\n"), "strange", "line 2"},
		{"a web page", status(200, "\n<html><body>Sign in"), "strange", "a web page (is there a proxy in between?): Sign in"},
		{"too large", status(200, strings.Repeat("a: b\n", 300000)), "strange", "longer than"},
		{"not there", status(404, ""), "absent", "no binary cache"},
		{"private", status(401, "no"), "refused", "(401): no"},
		{"forbidden", status(403, "no"), "refused", "(403): no"},
		{"down", status(503, "no"), "unavailable", "(503): no"},
		{"control characters in the store", status(200, "StoreDir: /nix\u009b31m\n"), "strange", "/nix\uFFFD31m"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			cache := newCache(t)
			cache.on("nix-cache-info", tc.answer)
			err := newClient(t, Config{URL: cache.URL}).Check(t.Context())
			if tc.kind == "" {
				require.NoError(t, err)
				return
			}
			fault, ok := errors.AsType[*restapi.Fault](err)
			require.True(t, ok, "%v", err)
			assert.Equal(t, tc.kind == "absent", fault.Absent())
			assert.Equal(t, tc.kind == "refused", fault.Refused())
			assert.Equal(t, tc.kind == "unavailable", fault.Unavailable())
			assert.Equal(t, tc.kind == "strange", fault.Strange)
			assert.Contains(t, fault.Error(), tc.text)
			assert.NotEmpty(t, next(fault))
			assert.Equal(t, cache.host(), fault.Party)
		})
	}
}
