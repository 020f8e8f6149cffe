package golden_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestHooksOfPreCommit lets pre-commit install this repository and run its hooks in another one.
func TestHooksOfPreCommit(t *testing.T) {
	t.Parallel()
	needTools(t, "pre-commit", "git", "go")
	source, scratch := checkout(t), t.TempDir()
	commitAll(t, source)
	head := exec.Command("git", "rev-parse", "HEAD")
	head.Dir = source
	sha, err := head.Output()
	require.NoError(t, err)

	repo := filepath.Join(scratch, "repository")
	write := func(name, text string) {
		t.Helper()
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(repo, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(repo, name), []byte(text), 0o644))
	}
	configuration := func(hook string) string {
		return fmt.Sprintf("repos:\n  - repo: file://%s\n    rev: %s\n    hooks:\n      - id: %s\n", source, strings.TrimSpace(string(sha)), hook)
	}
	run := func() (string, int) {
		t.Helper()
		command := exec.Command("pre-commit", "run", "--all-files", "--verbose")
		command.Dir = repo
		command.Env = []string{"HOME=" + scratch, "PATH=" + os.Getenv("PATH"), "PRE_COMMIT_HOME=" + filepath.Join(scratch, "hooks"),
			"GOCACHE=" + goEnv(t, "GOCACHE"), "GOMODCACHE=" + goEnv(t, "GOMODCACHE"), "GOPROXY=off"}
		out, err := command.CombinedOutput()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			require.NoError(t, err)
		}
		return string(out), command.ProcessState.ExitCode()
	}

	write("garnix.yaml", "builds:\n  - include: [packages.x86_64-linux.a]\n")
	write(".pre-commit-config.yaml", configuration("garnix2gha-check"))
	commitAll(t, repo)
	out, code := run()
	assert.Equal(t, 1, code, out)
	assert.Contains(t, out, "nix-build-cache.yml: missing")

	write(".pre-commit-config.yaml", configuration("garnix2gha-generate"))
	commitAll(t, repo)
	out, code = run()
	assert.Equal(t, 0, code, "only changes of what is committed count: %s", out)
	assert.Contains(t, out, "created")
	commitAll(t, repo)

	write("garnix.yaml", "builds:\n  - include: [packages.x86_64-linux.b]\n")
	commitAll(t, repo)
	out, code = run()
	assert.Equal(t, 1, code, out)
	assert.Contains(t, out, "files were modified by this hook")

	write(".pre-commit-config.yaml", configuration("garnix2gha-check"))
	commitAll(t, repo)
	out, code = run()
	assert.Equal(t, 0, code, out)
}
