package golden_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
	modules := os.Getenv("GARNIX2GHA_NODE_MODULES")
	if modules == "" {
		modules = "/usr/local/lib/garnix2gha/node_modules"
	}
	if _, err := os.Stat(filepath.Join(modules, "@actions/workflow-parser")); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("@actions/workflow-parser is not in %s", modules)
		}
		t.Skipf("@actions/workflow-parser is not in %s", modules)
	}
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
