package target_test

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// readVerdicts returns, by file, whether garnix accepted it, as far as the corpus's index says.
func readVerdicts(t *testing.T, corpus string) map[string]bool {
	t.Helper()
	file, err := os.Open(filepath.Join(corpus, "INDEX.tsv"))
	require.NoError(t, err)
	defer file.Close()
	reader := csv.NewReader(file)
	reader.Comma, reader.LazyQuotes, reader.FieldsPerRecord = '\t', true, -1
	rows, err := reader.ReadAll()
	require.NoError(t, err)
	verdicts := map[string]bool{}
	for _, row := range rows[1:] {
		verdicts[row[0]] = row[5] == "ok"
		require.True(t, row[5] == "ok" || strings.HasPrefix(row[5], "invalid"), row[5])
	}
	return verdicts
}
