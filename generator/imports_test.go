package generator_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestImportsRunOneWay holds the arrows of the package comment: a room imports only what stands before it, and each
// heavy library has one importer.
func TestImportsRunOneWay(t *testing.T) {
	t.Parallel()
	const module = "garnix2gha/"
	may := map[string][]string{
		"generator/diag":     {},
		"generator/flake":    {"generator/diag"},
		"generator/document": {"generator/diag"},
		"generator/config":   {"generator/diag", "generator/flake", "generator/document"},
		"generator/settings": {"generator/diag", "generator/flake", "generator/document"},
		"generator/target":   {"generator/diag", "generator/flake", "generator/config"},
		"generator/plan":     {"generator/diag", "generator/flake", "generator/config", "generator/settings", "generator/target"},
		"generator/workflow": {"generator/diag"},
		"generator/lint":     {"generator/diag"},
		"generator/output":   {"generator/diag"},
		"generator/report": {
			"generator/diag", "generator/flake", "generator/config", "generator/settings", "generator/target", "generator/plan",
		},
		"generator": {
			"generator/diag", "generator/flake", "generator/config", "generator/settings", "generator/target", "generator/plan",
			"generator/workflow", "generator/lint", "generator/output", "generator/report",
		},
		"templates": {},
	}
	only := map[string][]string{
		"github.com/agnivade/levenshtein":          {"generator/diag"},
		"github.com/google/go-jsonnet":             {"generator/workflow"},
		"github.com/rhysd/actionlint":              {"generator/lint"},
		"gopkg.in/yaml.v3":                         {"generator/document", "generator/config", "generator/settings", "generator/workflow", "generator/output"},
		"github.com/spf13/cobra":                   {"cmd/garnix2gha"},
		"filippo.io/age":                           {"cmd/internal/secretsource"},
		"golang.org/x/crypto/nacl/box":             {"cmd/internal/github"},
		"golang.org/x/crypto/blake2b":              {},
		"github.com/santhosh-tekuri/jsonschema/v6": {"generator/settings"},
	}
	impure := []string{"os", "os/exec", "net", "net/http", "time", "syscall"}

	for name, imports := range importsOf(t, "garnix2gha/...") {
		name = strings.TrimPrefix(name, module)
		for _, imported := range imports {
			if own, ok := strings.CutPrefix(imported, module); ok && may[name] != nil {
				assert.Contains(t, may[name], own, "%s must not import %s", name, own)
			}
			for library, owners := range only {
				if imported == library || strings.HasPrefix(imported, library+"/") {
					assert.Contains(t, owners, name, "%s must not import %s", name, imported)
				}
			}
			if strings.HasPrefix(name, "generator") {
				assert.NotContains(t, impure, imported, "%s is pure and must not import %s", name, imported)
			}
		}
		if strings.HasPrefix(name, "generator") {
			assert.Contains(t, may, name, "a new room needs its place in this table")
		}
	}
}

// importsOf returns the direct imports of packages, without those of their tests.
func importsOf(t *testing.T, pattern string) map[string][]string {
	t.Helper()
	command := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, pattern)
	command.Dir = ".."
	out, err := command.Output()
	require.NoError(t, err)
	all := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		all[fields[0]] = fields[1:]
	}
	return all
}
