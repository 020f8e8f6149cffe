package golden_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/generator/workflow"
)

// linterTool finds a program that checks workflows.
func linterTool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is not installed", name)
	}
	t.Skipf("%s is not installed", name)
	return ""
}

// linterFiles writes every generated workflow as a repository has it, and returns the paths.
func linterFiles(t *testing.T) (root string, paths []string) {
	t.Helper()
	root = t.TempDir()
	dir := filepath.Join(root, ".github/workflows")
	require.NoError(t, os.MkdirAll(dir, 0o755))
	files, err := securityFiles()
	require.NoError(t, err)
	for i, file := range files {
		path := filepath.Join(dir, fmt.Sprintf("%03d.yml", i))
		require.NoError(t, os.WriteFile(path, []byte("# "+file.name+"\n"+file.text), 0o644))
		paths = append(paths, path)
	}
	return root, paths
}

// nodeModule finds a package that .ci/setup installs.
func nodeModule(t *testing.T, name string) (modules string) {
	t.Helper()
	modules = os.Getenv("GARNIX2GHA_NODE_MODULES")
	if modules == "" {
		modules = "/usr/local/lib/garnix2gha/node_modules"
	}
	if _, err := os.Stat(filepath.Join(modules, name)); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not in %s", name, modules)
		}
		t.Skipf("%s is not in %s", name, modules)
	}
	return modules
}

// Every generated file is as prettier prints it, and so is whatever the emitter writes.
func TestPrettierChangesNothing(t *testing.T) {
	t.Parallel()
	prettier := filepath.Join(nodeModule(t, "prettier"), ".bin", "prettier")
	root, _ := linterFiles(t)
	files, err := securityFiles()
	require.NoError(t, err)
	for i, file := range files {
		require.NoError(t, os.WriteFile(filepath.Join(root, fmt.Sprintf("%03d.json", i)), []byte(file.targets), 0o644))
	}
	odd := map[string]any{}
	for i, text := range []string{
		"", " ", "\n", "a\n", "a\n\n", " a\n b", "a \nb", "on", "No", "~", "0x1f", "1e5", "- x", "a: b", "x #y", "'", `"`, `'"`, `\`, `a\"b`, "${{ x }}", "\r\n", "\t",
		"\u2028", "\ufeff", "é", "|", ">", "%", "@a", "`", "*a", "&a", "!t", "{}", "[]", "? x", "---", "...", "a, b", "2001-01-01", ".inf", "12:30", "a:", "#", "x{y}",
		strings.Repeat("long ", 30), "one\n\n  two\nthree",
	} {
		key := fmt.Sprintf("k%02d", i)
		odd[key], odd["//"+key] = text, "some words"
		odd[key+"list"], odd["//"+key+"list"] = []any{text, "x"}, "A sentence."
		odd[key+"items"] = []any{map[string]any{"//a": "Above the item.", "a": text, "b": []any{strings.Repeat("x", 40), strings.Repeat("y", 40)}}}
	}
	body, err := workflow.Emit(odd)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(root, "odd.yml"), body, 0o644))
	out, err := exec.Command(prettier, "--check", "--no-config", "--ignore-path", os.DevNull, root).CombinedOutput()
	assert.NoError(t, err, "%s", out)

	require.NoError(t, os.WriteFile(filepath.Join(root, "odd.yml"), []byte("a: 'b'\n"), 0o644))
	out, err = exec.Command(prettier, "--check", "--no-config", "--ignore-path", os.DevNull, root).CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, string(out), "odd.yml")
}

func TestPrettierChangesNothingInThePage(t *testing.T) {
	t.Parallel()
	prettier := filepath.Join(nodeModule(t, "prettier"), ".bin", "prettier")
	out, err := exec.Command(prettier, "--check", "--no-config", "--print-width=120", "../cmd/playground/page").CombinedOutput()
	assert.NoError(t, err, "%s", out)
}

func TestZizmorIsSilent(t *testing.T) {
	t.Parallel()
	zizmor := linterTool(t, "zizmor")
	root, _ := linterFiles(t)
	run := func(root string) (string, error) {
		out, err := exec.Command(zizmor, "--pedantic", "--offline", "--no-progress", "--quiet", "--no-config", "--no-ignores", "--format=json", root).Output()
		return string(out), err
	}
	out, err := run(root)
	require.NoError(t, err, "%s", out)
	assert.JSONEq(t, "[]", out)

	dir := filepath.Join(t.TempDir(), ".github/workflows")
	require.NoError(t, os.MkdirAll(dir, 0o755))
	unsound := "on: pull_request_target\njobs: { a: { runs-on: x, steps: [{ run: 'echo ${{ github.head_ref }}' }] } }\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.yml"), []byte(unsound), 0o644))
	out, err = run(filepath.Dir(filepath.Dir(dir)))
	require.Error(t, err)
	assert.Contains(t, out, "template-injection")
}

func TestWorkflowParserAcceptsEveryWorkflow(t *testing.T) {
	t.Parallel()
	node := linterTool(t, "node")
	modules := nodeModule(t, "@actions/workflow-parser")
	_, paths := linterFiles(t)
	parse := func(paths ...string) ([]byte, error) {
		return exec.Command(node, append([]string{"testdata/parse-workflows.mjs", modules}, paths...)...).CombinedOutput()
	}
	out, err := parse(paths...)
	require.NoError(t, err, "%s", out)

	broken := filepath.Join(t.TempDir(), "broken.yml")
	require.NoError(t, os.WriteFile(broken, []byte("on: push\njobs: { a: { runs-on: x, steps: [{ run: echo, nonsense: 1 }] } }\n"), 0o644))
	out, err = parse(broken)
	require.Error(t, err, "%s", out)
	assert.Contains(t, string(out), "nonsense")
}
