package bincache

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestNarinfoCases holds that this package and the programs in the workflows take an answer for the same.
func TestNarinfoCases(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile(filepath.FromSlash("../../../golden/testdata/cases/narinfo.json"))
	require.NoError(t, err)
	var table struct {
		Path  string
		Cases []struct {
			Name    string
			Status  int
			Body    string
			Verdict Verdict
		}
	}
	require.NoError(t, json.Unmarshal(content, &table))
	require.NotEmpty(t, table.Cases)
	path, err := ParseStorePath(table.Path)
	require.NoError(t, err)
	for _, tc := range table.Cases {
		t.Run(tc.Name, func(t *testing.T) {
			t.Parallel()
			cache := newCache(t)
			cache.on(path.Hash()+".narinfo", status(tc.Status, tc.Body))
			c := newClient(t, Config{URL: cache.URL})
			assert.Equal(t, tc.Verdict, verdict(t, c, path).Verdict)
		})
	}
}
