package generator_test

import (
	"maps"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestImportsRunOneWay holds the arrows of the package comment, and those of the commands: a room imports only what stands
// before it, and each heavy library has one importer.
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
		"generator/output":   {"generator/diag", "generator/document"},
		"generator/report": {
			"generator/diag", "generator/flake", "generator/document", "generator/config", "generator/settings", "generator/target", "generator/plan",
		},
		"generator": {
			"generator/diag", "generator/document", "generator/flake", "generator/config", "generator/settings", "generator/target", "generator/plan",
			"generator/workflow", "generator/lint", "generator/output", "generator/report",
		},
		"templates": {},

		"cmd/internal/secretsource": {"generator/diag"},
		"cmd/internal/restapi":      {"generator/diag", "cmd/internal/secretsource"},
		"cmd/internal/bincache":     {"generator/diag", "cmd/internal/secretsource", "cmd/internal/restapi"},
		"cmd/internal/cachix":       {"generator/diag", "cmd/internal/secretsource", "cmd/internal/restapi"},
		"cmd/internal/github":       {"generator/diag", "generator/flake", "cmd/internal/secretsource", "cmd/internal/restapi"},
		"cmd/internal/explain":      {"generator/diag"},
		"cmd/internal/git":          {"generator/diag"},
		"cmd/internal/repo":         {"generator/output"},
		"cmd/internal/leftovers":    {"generator/diag", "generator/flake", "generator/output"},
		"cmd/internal/nix":          {"generator/diag", "generator/flake", "generator/config", "generator/target", "templates"},
		"cmd/garnix2gha": {
			"generator", "generator/diag", "generator/flake", "generator/config", "generator/settings", "generator/target", "generator/plan",
			"generator/lint", "generator/output", "templates",
			"cmd/internal/secretsource", "cmd/internal/restapi", "cmd/internal/bincache", "cmd/internal/cachix", "cmd/internal/github",
			"cmd/internal/git", "cmd/internal/repo", "cmd/internal/leftovers", "cmd/internal/nix", "cmd/internal/explain",
		},
		"cmd/playground": {},
		"cmd/playground/convert": {
			"generator", "generator/diag", "generator/flake", "generator/output", "generator/report", "generator/settings", "templates",
			"cmd/internal/repo",
		},
		"cmd/playground/wasm": {"cmd/playground/convert"},
	}
	only := map[string][]string{
		"github.com/agnivade/levenshtein": {"generator/diag"},
		"github.com/google/go-jsonnet":    {"generator/workflow"},
		"github.com/mattn/go-runewidth":   {"generator/diag"},
		"github.com/rhysd/actionlint":     {"generator/lint"},
		"gopkg.in/yaml.v3":                {"generator/document", "generator/config", "generator/settings", "generator/workflow", "generator/output"},
		"os/exec":                         {"cmd/internal/git", "cmd/internal/github", "cmd/internal/nix", "cmd/internal/secretsource", "cmd/playground"},
		"net/http":                        {"cmd/internal/bincache", "cmd/internal/cachix", "cmd/internal/github", "cmd/internal/restapi", "cmd/playground"},
		"github.com/spf13/cobra":          {"cmd/garnix2gha"},
		"github.com/rogpeppe/go-internal": {"cmd/garnix2gha", "cmd/internal/explain"},
		"golang.org/x/term":               {"cmd/garnix2gha"},
		"golang.org/x/crypto":             {},
		"github.com/mattn/go-shellwords":  {"cmd/internal/secretsource"},
	}
	impure := []string{"os", "os/exec", "net", "net/http", "time", "syscall"}

	all := importsOf(t, "GOOS=js", "GOARCH=wasm") // the browser has a package of its own
	maps.Copy(all, importsOf(t))
	for name, imports := range all {
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
			if strings.HasPrefix(name, "generator") || name == "cmd/playground/convert" {
				assert.NotContains(t, impure, imported, "%s is pure and must not import %s", name, imported)
			}
		}
		if strings.HasPrefix(name, "generator") || strings.HasPrefix(name, "cmd") {
			assert.Contains(t, may, name, "a new room needs its place in this table")
		}
	}
}

// importsOf returns the direct imports of this module's packages on this or another system, without those of their tests.
func importsOf(t *testing.T, system ...string) map[string][]string {
	t.Helper()
	command := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "garnix2gha/...")
	command.Dir = ".."
	command.Env = append(os.Environ(), system...)
	out, err := command.Output()
	require.NoError(t, err)
	all := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		all[fields[0]] = fields[1:]
	}
	return all
}
