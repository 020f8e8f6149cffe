package golden_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/generator"
	"garnix2gha/generator/output"
	"garnix2gha/templates"
)

// TestPrograms runs the tests of what the workflows call, file by file.
func TestPrograms(t *testing.T) {
	t.Parallel()
	python := linterTool(t, "python3")
	files, err := filepath.Glob("ci/test_*.py")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			command := exec.Command(python, "-B", "-m", "unittest", "discover", "-s", "golden/ci", "-t", "golden/ci", "-p", filepath.Base(file))
			command.Dir = ".."
			out, err := command.CombinedOutput()
			require.NoError(t, err, "%s", out)
			assert.Regexp(t, `Ran [1-9]\d* tests?`, string(out))
			if os.Getenv("CI") == "true" {
				assert.NotContains(t, string(out), "skipped=", "in CI nothing may be missing")
			}
		})
	}
}

func TestProgramsAreClean(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"ruff check --no-cache --config .ci/ruff.toml templates/ci golden/ci",
		"ruff format --no-cache --check --config .ci/ruff.toml templates/ci golden/ci",
		"mypy --config-file .ci/mypy.ini --cache-dir /dev/null templates/ci",
	} {
		words := strings.Fields(line)
		command := exec.Command(linterTool(t, words[0]), words[1:]...)
		command.Dir = ".."
		out, err := command.CombinedOutput()
		assert.NoError(t, err, "%s: %s", line, out)
	}
}

// importLine matches what a program imports; what is indented, it imports only when it needs it.
var importLine = regexp.MustCompile(`(?m)^( *)(?:from|import) ([a-z_]+)`)

// A repository gets the programs that its workflows call and what those import, and no other; none is named like a module
// of Python's own, which it would hide.
func TestEveryRepositoryGetsItsPrograms(t *testing.T) {
	t.Parallel()
	listed, err := exec.Command(linterTool(t, "python3"), "-c", "import sys; print(*sys.stdlib_module_names)").Output()
	require.NoError(t, err)
	standard := strings.Fields(string(listed))
	commands := regexp.MustCompile(`ci"? (\w+)`)
	for name, settings := range securityVariants() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			result, err := generator.Generate(generator.Input{
				Config:    generator.Source{Path: "garnix.yaml", Content: []byte(securityConfig)},
				Settings:  generator.Source{Path: "config.yaml", Content: []byte(settings)},
				Templates: templates.FS,
			})
			require.NoError(t, err)
			have, called := map[string]string{}, []string{"__main__", "inner"} // build calls inner by its name
			for _, file := range result.Files {
				if program, ok := strings.CutSuffix(file.Path, ".py"); ok {
					have[filepath.Base(program)] = string(file.Data)
					assert.NotContains(t, standard, filepath.Base(program))
				}
				if strings.HasPrefix(file.Path, output.Dir+"/") {
					for _, m := range commands.FindAllStringSubmatch(string(file.Data), -1) {
						called = append(called, m[1])
					}
				}
			}
			reached := map[string]bool{}
			for len(called) > 0 {
				program := called[0]
				called = called[1:]
				if reached[program] {
					continue
				}
				if !assert.Contains(t, have, program) {
					continue
				}
				reached[program] = true
				for _, m := range importLine.FindAllStringSubmatch(have[program], -1) {
					_, err := fs.Stat(templates.FS, "ci/"+m[2]+".py")
					_, there := have[m[2]]
					// One backend's program is imported lazily among others that another repository has.
					if err == nil && (m[1] == "" || there) {
						called = append(called, m[2])
					}
				}
			}
			for program := range have {
				lazily := regexp.MustCompile(`"` + program + `"`)        // by importlib
				backend := program == result.Plan.Manifest.Cache.Backend // push imports its program by that name
				assert.True(t, reached[program] || backend || lazily.MatchString(have["push"]), "%s is called by nothing", program)
			}
		})
	}
}

// A reviewer reads the workflows and a maintainer the programs; these are the lines that they may have.
func TestBudgets(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		variant, file string
		most          int
	}{
		{"defaults", "nix-build-cache.yml", 140}, {"everything", "nix-build-cache.yml", 180},
		{"defaults", "cache-only.yml", 55}, {"everything", "cache-only.yml", 55},
	} {
		text := securityVariant(t, tc.variant, tc.file).text
		assert.LessOrEqual(t, strings.Count(text, "\n"), tc.most, "%s %s", tc.variant, tc.file)
	}
	actions := securityVariant(t, "executed/strategies", "nix-build-cache.yml")
	assert.Empty(t, actions.manifest.Actions)
	one, err := generator.Generate(generator.Input{
		Config:    generator.Source{Path: "garnix.yaml", Content: []byte("builds: []\nactions: [{on: push, run: deploy}]\n")},
		Templates: templates.FS,
	})
	require.NoError(t, err)
	for _, file := range one.Files {
		if strings.HasPrefix(file.Path, output.Dir+"/") {
			assert.LessOrEqual(t, strings.Count(string(file.Data), "\n"), 60, file.Path)
		}
	}
	securitySteps(t, func(t *testing.T, _ securityFile, _ securityJob, step securityStep, where string) {
		assert.LessOrEqual(t, strings.Count(step.Run, "\n"), 10, where)
	})
	config, err := os.ReadFile("example/garnix.yaml")
	require.NoError(t, err)
	example, err := generator.Generate(generator.Input{Config: generator.Source{Path: "garnix.yaml", Content: config}, Templates: templates.FS})
	require.NoError(t, err)
	for _, file := range example.Files {
		if most := map[string]int{"nix-build-cache.yml": 140, "cache-only.yml": 55, "targets.json": 80}[filepath.Base(file.Path)]; most > 0 {
			assert.LessOrEqual(t, strings.Count(string(file.Data), "\n"), most, file.Path)
		}
	}
	jsonnet, python, cachix := 0, 0, 0
	require.NoError(t, fs.WalkDir(templates.FS, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(templates.FS, name)
		lines := strings.Count(string(content), "\n")
		switch filepath.Ext(name) {
		case ".libsonnet", ".jsonnet":
			jsonnet += lines
		case ".py":
			assert.LessOrEqual(t, lines, 200, name)
			python += lines
			if example.Plan.Wants(filepath.Base(name)) {
				cachix += lines
			}
		}
		return err
	}))
	assert.LessOrEqual(t, jsonnet, 350)
	assert.LessOrEqual(t, python, 2200)
	assert.LessOrEqual(t, cachix, 1700, "of a repository with a Cachix cache")
}

// Whatever formatter a repository runs over the generated files, they count as current.
func TestFormattedFilesAreCurrent(t *testing.T) {
	t.Parallel()
	prettier := filepath.Join(nodeModule(t, "prettier"), ".bin", "prettier")
	black, ruff := linterTool(t, "black"), linterTool(t, "ruff")
	bin := t.TempDir()
	program := filepath.Join(bin, "garnix2gha")
	text, err := exec.Command("go", "build", "-o", program, "garnix2gha/cmd/garnix2gha").CombinedOutput()
	require.NoError(t, err, "%s", text)
	dir := t.TempDir()
	settings := filepath.Join(dir, ".github/garnix2gha/config.yaml")
	require.NoError(t, os.MkdirAll(filepath.Dir(settings), 0o755))
	require.NoError(t, os.WriteFile(settings, []byte("statuses: true\ndisk-space: free\n"), 0o644))
	config := "builds:\n  include: [packages.x86_64-linux.a]\nactions:\n  - { on: push, run: deploy }\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "garnix.yaml"), []byte(config), 0o644))
	const generated = ".github/workflows .github/garnix2gha/ci .github/garnix2gha/targets.json"
	run := func(t *testing.T, name string, args ...string) string {
		t.Helper()
		command := exec.Command(name, args...)
		command.Dir = dir
		out, err := command.CombinedOutput()
		require.NoError(t, err, "%s", out)
		return string(out)
	}
	run(t, program, "generate")
	// Not parallel: each formatter goes over what the one before left.
	for _, formatter := range []struct {
		name string
		line []string
	}{
		{"prettier", []string{prettier, "--write", "--ignore-unknown", "--no-config", "."}},
		{"prettier as others set it", append([]string{prettier, "--write", "--ignore-unknown", "--no-config", "--single-quote", "--tab-width=4", "--print-width=60"}, strings.Fields(generated)...)},
		{"yamlfmt", []string{"go", "run", "github.com/google/yamlfmt/cmd/yamlfmt@v0.21.0", "-no_global_conf", "-conf", ".yamlfmt", ".github/workflows"}},
		{"black", []string{black, "--quiet", "--no-cache", "."}},
		{"ruff's formatter", []string{ruff, "format", "--no-cache", "--isolated", "."}},
		{"ruff's fixes", []string{ruff, "check", "--no-cache", "--isolated", "--select", "ALL", "--fix", "--unsafe-fixes", "--exit-zero", "."}},
	} {
		t.Run(formatter.name, func(t *testing.T) {
			if formatter.name == "yamlfmt" {
				require.NoError(t, os.WriteFile(filepath.Join(dir, ".yamlfmt"), []byte("formatter: {type: basic, include_document_start: true, retain_line_breaks: false}\n"), 0o644))
			}
			run(t, formatter.line[0], formatter.line[1:]...)
			assert.NotRegexp(t, `(?m)^\.github/[^:]*: [^c]`, run(t, program, "check", "--strict"))
		})
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, ".github/garnix2gha/targets.json"), []byte("{}"), 0o644))
	text, err = exec.Command(program, "-C", dir, "check").CombinedOutput()
	require.Error(t, err, "%s", text)
}
