package bincache

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBulkAsksInChunksAndKeepsTheOrder(t *testing.T) {
	t.Parallel()
	var hashes, want []string
	gone := map[string]bool{}
	for i := range bulkChunk + 10 {
		hash := pathNamed(fmt.Sprint(i)).Hash()
		hashes = append(hashes, hash)
		if i%3 == 0 {
			gone[hash] = true
			want = append(want, hash)
		}
	}
	var chunks, failures atomic.Int64
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "POST /api/v1/cache/my-cache/narinfo", r.Method+" "+r.URL.Path)
		assert.Equal(t, "application/json", r.Header.Get("Content-Type"))
		assert.Equal(t, "Bearer "+token, r.Header.Get("Authorization"))
		var asked []string
		assert.NoError(t, json.NewDecoder(r.Body).Decode(&asked))
		assert.LessOrEqual(t, len(asked), bulkChunk)
		if failures.Add(1) == 1 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		chunks.Add(1)
		missing := slices.DeleteFunc(asked, func(hash string) bool { return !gone[hash] })
		slices.Reverse(missing)
		assert.NoError(t, json.NewEncoder(w).Encode(missing))
	}))
	t.Cleanup(api.Close)
	client := newClient(t, Config{URL: "http://127.0.0.1:1", Credentials: []Credential{Bearer("127.0.0.1", token)}})
	got, err := client.BulkMissing(t.Context(), api.URL+"/api/v1/", "my-cache", hashes)
	require.NoError(t, err)
	assert.Equal(t, want, got)
	assert.EqualValues(t, 2, chunks.Load())
}

func TestBulkFailuresAreErrors(t *testing.T) {
	t.Parallel()
	hash := pathNamed("hello").Hash()
	for _, tc := range []struct {
		name   string
		answer http.HandlerFunc
		fault  Fault
	}{
		{"no such cache", status(401, "doesn't exist"), Refused},
		{"no such endpoint", status(404, ""), Absent},
		{"a server that never recovers", status(500, ""), Unavailable},
		{"a web page", status(200, "<html>"), Garbled},
		{"an object", status(200, `{"missing":[]}`), Garbled},
		{"null", status(200, `null`), Garbled},
		{"hashes that nobody asked for", status(200, `["`+someHash+`"]`), Garbled},
		{"a list cut off", status(200, `["`+hash), Garbled},
		{"a list without end", status(200, `["`+strings.Repeat(hash+`","`, 10000)+`"]`), Garbled},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			api := httptest.NewServer(tc.answer)
			t.Cleanup(api.Close)
			_, err := newClient(t, Config{URL: "http://127.0.0.1:1"}).BulkMissing(t.Context(), api.URL, "c", []string{hash})
			fault, ok := errors.AsType[*Error](err)
			require.True(t, ok, "%v", err)
			assert.Equal(t, tc.fault, fault.Fault)
		})
	}
}

func TestBulkArgumentsAreChecked(t *testing.T) {
	t.Parallel()
	client := newClient(t, Config{URL: "http://127.0.0.1:1"})
	hash := pathNamed("hello").Hash()
	for _, tc := range []struct{ name, api, cache, hash, want string }{
		{"a name that climbs", "http://127.0.0.1:1", "..", hash, "not the name of a cache"},
		{"no name", "http://127.0.0.1:1", "", hash, "not the name of a cache"},
		{"a hash that is none", "http://127.0.0.1:1", "c", "x", "not the hash of a store path"},
		{"a URL that is none", "x", "c", hash, "not an http or https address"},
		{"a URL with a password", "http://a:hunter2@127.0.0.1", "c", hash, "holds a credential"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := client.BulkMissing(t.Context(), tc.api, tc.cache, []string{tc.hash})
			require.ErrorContains(t, err, tc.want)
			assert.NotContains(t, err.Error(), "hunter2")
		})
	}
	got, err := client.BulkMissing(t.Context(), "http://127.0.0.1:1", "c", nil)
	require.NoError(t, err)
	assert.Empty(t, got)
}
