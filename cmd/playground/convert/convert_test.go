package convert

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/generator"
	"garnix2gha/generator/config"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/output"
	"garnix2gha/generator/target"
)

func TestConvert(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		give     Request
		summary  string
		findings []string // severity, place and what it is about
		targets  []Target
		files    []string // those before the programs
	}{
		{
			name: "no file is garnix's default", give: Request{Config: " \n"},
			summary: "Converted: 6 patterns that each run looks up in the flake.",
			targets: []Target{
				{Name: "*.x86_64-linux.*", When: "every branch", Open: true},
				{Name: "defaultPackage.x86_64-linux", When: "every branch", Open: true},
				{Name: "devShell.x86_64-linux", When: "every branch", Open: true},
				{Name: "homeConfigurations.*", When: "every branch", Open: true},
				{Name: "darwinConfigurations.*", When: "every branch", Open: true},
				{Name: "nixosConfigurations.*", When: "every branch", Open: true},
			},
			files: []string{".github/workflows/nix-build-cache.yml", ".github/workflows/cache-only.yml", ".github/garnix2gha/targets.json", "report.md"},
		},
		{
			name: "names, branches, an action, and what is lost",
			give: Request{Config: "builds:\n- {branch: dev, include: [packages.x86_64-linux.a, checks.*.b]}\n" +
				"- include: [nixosConfigurations.web]\nactions: [{on: push, run: go}]\nincrementalizeBuilds: true\nnonsense: 1\n"},
			summary: "Converted: 2 targets, 1 pattern that each run looks up in the flake and 1 action. 1 warning and 3 notes.",
			findings: []string{
				"notice garnix.yaml:4:1 actions (with a difference): each", "notice garnix.yaml:4:22 actions[0].run (left for you): ",
				"notice garnix.yaml:5:1 incrementalizeBuilds (lost): ", "warning garnix.yaml:6:1 garnix did not know",
			},
			targets: []Target{
				{Name: "checks.*.b", When: "only dev", Line: 2, Open: true},
				{Name: "nixosConfigurations.web", When: "every branch", Line: 3},
				{Name: "packages.x86_64-linux.a", System: "x86_64-linux", When: "only dev", Line: 2},
				{Name: "apps.x86_64-linux.go", System: "x86_64-linux", When: "an action"},
			},
			files: []string{
				".github/workflows/nix-build-cache.yml", ".github/workflows/cache-only.yml", ".github/workflows/garnix-actions.yml",
				".github/garnix2gha/targets.json", "report.md",
			},
		},
		{
			name: "a cache and a lock are files too",
			give: Request{
				Config: "builds: {include: ['packages.*.*']}", Cache: " octo ",
				Lock: `{"version": 1, "outputs": {"packages": {"x86_64-linux": ["a\u202eb"]}}}`,
			},
			summary: "Converted: 1 target.",
			targets: []Target{{Name: "packages.x86_64-linux.a\uFFFDb", System: "x86_64-linux", When: "every branch", Line: 1}},
			files: []string{
				".github/workflows/nix-build-cache.yml", ".github/workflows/cache-only.yml",
				".github/garnix2gha/targets.json", ".github/garnix2gha/config.yaml", ".github/garnix2gha/lock.json", "report.md",
			},
		},
		{
			name: "nothing is built", give: Request{Config: "builds: []"},
			summary: "The configuration selects nothing, so no workflow is needed.",
			targets: []Target{}, files: []string{"report.md"},
		},
		{
			name: "everything that is wrong with the file", give: Request{Config: "builds:\n- {include: , branch: 1}\n"},
			summary: "Not converted: 2 errors.", findings: []string{"error garnix.yaml:2:4 builds[0].include", "error garnix.yaml:2:23 builds[0].branch"},
			targets: []Target{},
		},
		{
			name: "a lock that is none", give: Request{Lock: "{"},
			summary: "Not converted: 1 error.", findings: []string{"error .github/garnix2gha/lock.json:1:1 "}, targets: []Target{},
		},
		{
			name: "a name that no cache has", give: Request{Cache: "a: {b\"\n"},
			summary: "Not converted: 1 error.", findings: []string{"error cache name:1:15 cache.name must have"}, targets: []Target{},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := Convert(test.give, "v0.0.0-test")
			require.NoError(t, err)
			assert.Equal(t, test.summary, got.Summary)
			require.Len(t, got.Findings, len(test.findings))
			for i, d := range got.Findings {
				assert.True(t, strings.HasPrefix(string(d.Severity)+" "+d.Pos.String()+" "+d.Message, test.findings[i]), "%s %s", d.Severity, d)
			}
			assert.Equal(t, test.targets, got.Targets)
			var files []string
			for _, file := range got.Files {
				if file.Group != groupPrograms {
					files = append(files, file.Path)
				}
			}
			assert.Equal(t, test.files, files)
			assert.Equal(t, len(files) > 1, len(got.Archive) > 0)
		})
	}
}

func TestSummary(t *testing.T) {
	t.Parallel()
	warnings := diag.List{{Severity: diag.Warning}, {Severity: diag.Warning}}
	for _, test := range []struct {
		files, targets, open, actions int
		found                         diag.List
		want                          string
	}{
		{want: "The configuration selects nothing, so no workflow is needed."},
		{found: warnings, want: "The configuration selects nothing, so no workflow is needed. 2 warnings."},
		{files: 1, want: "Converted: nothing is selected."},
		{files: 1, found: warnings, want: "Converted: nothing is selected. 2 warnings."},
		{files: 1, targets: 1, want: "Converted: 1 target."},
		{files: 1, targets: 2, found: warnings[:1], want: "Converted: 2 targets. 1 warning."},
		{files: 1, open: 2, want: "Converted: 2 patterns that each run looks up in the flake."},
		{files: 1, actions: 1, want: "Converted: 1 action."},
		{files: 1, targets: 1, open: 1, want: "Converted: 1 target and 1 pattern that each run looks up in the flake."},
		{files: 1, targets: 1, actions: 2, want: "Converted: 1 target and 2 actions."},
		{files: 1, open: 1, actions: 1, want: "Converted: 1 pattern that each run looks up in the flake and 1 action."},
		{files: 1, targets: 1, open: 1, actions: 1, want: "Converted: 1 target, 1 pattern that each run looks up in the flake and 1 action."},
	} {
		result := generator.Result{Files: make([]output.File, test.files)}
		result.Selection = target.Selection{
			Targets: make([]target.Target, test.targets), Open: make([]target.Open, test.open), Actions: make([]config.Action, test.actions),
		}
		assert.Equal(t, test.want, summary(result, test.found))
	}
}

// The page's own examples show what their titles say: the last one is refused, and no other.
func TestExamples(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../examples/*.yaml")
	require.NoError(t, err)
	require.Len(t, files, 5)
	for i, file := range files {
		config, err := os.ReadFile(file)
		require.NoError(t, err)
		lock, err := os.ReadFile(strings.TrimSuffix(file, ".yaml") + ".lock.json")
		require.True(t, err == nil || os.IsNotExist(err))
		got, err := Convert(Request{Config: string(config), Lock: string(lock)}, "v0.0.0-test")
		require.NoError(t, err)
		assert.Equal(t, i == 4, got.Findings.HasErrors(), file)
		assert.Equal(t, i == 4, len(got.Files) == 0, file)
		kinds := map[diag.Severity]bool{}
		for _, d := range got.Findings {
			kinds[d.Severity] = true
		}
		assert.Equal(t, i == 1, kinds[diag.Warning], file)
		assert.Equal(t, i == 2, kinds[diag.Notice], file)
	}
}
