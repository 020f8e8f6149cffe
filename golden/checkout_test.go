package golden_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// needTools skips the test where a tool is missing, and fails it in CI.
func needTools(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		linterTool(t, tool)
	}
}

// checkout copies the files of this repository, those that are not committed yet among them, into a folder of their own.
func checkout(t *testing.T) string {
	t.Helper()
	needTools(t, "git")
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	list := exec.Command("git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	names, err := list.Output()
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "garnix2gha")
	for _, name := range strings.Split(strings.TrimSuffix(string(names), "\x00"), "\x00") {
		info, err := os.Stat(filepath.Join(root, name))
		if os.IsNotExist(err) {
			continue // removed and not committed
		}
		require.NoError(t, err)
		writeFile(t, dir, name, string(mustRead(t, filepath.Join(root, name))))
		require.NoError(t, os.Chmod(filepath.Join(dir, name), info.Mode().Perm()))
	}
	return dir
}

// writeFile writes a file below dir and the folders that it is in.
func writeFile(t *testing.T, dir, name, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
}

// commitAll commits all files of a folder, which becomes a repository if it is none, and returns the commit.
func commitAll(t *testing.T, dir string) string {
	t.Helper()
	var out []byte
	for _, args := range [][]string{{"init", "--quiet", "--initial-branch=main"}, {"add", "--all"}, {"commit", "--quiet", "--allow-empty", "--message=all"}, {"rev-parse", "HEAD"}} {
		command := exec.Command("git", append([]string{"-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"}, args...)...)
		command.Dir = dir
		var err error
		out, err = command.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	return strings.TrimSpace(string(out))
}

func mustRead(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(name)
	require.NoError(t, err)
	return content
}
