package golden_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestHooksOfPreCommit lets pre-commit install this repository and run its hooks in another one.
func TestHooksOfPreCommit(t *testing.T) {
	t.Parallel()
	needTools(t, "pre-commit", "git", "go")
	source, scratch := checkout(t), t.TempDir()
	rev := commitAll(t, source)
	repo := filepath.Join(scratch, "repository")
	run := func(hook string) (string, int) {
		t.Helper()
		writeFile(t, repo, ".pre-commit-config.yaml", fmt.Sprintf("repos: [{ repo: 'file://%s', rev: %s, hooks: [{ id: %s }] }]\n", source, rev, hook))
		commitAll(t, repo)
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

	writeFile(t, repo, "garnix.yaml", "builds:\n  - include: [packages.x86_64-linux.a]\n")
	out, code := run("garnix2gha-check")
	assert.Equal(t, 1, code, out)
	assert.Contains(t, out, "nix-build-cache.yml: missing")

	out, code = run("garnix2gha-generate")
	assert.Equal(t, 0, code, "only changes of what is committed count: %s", out)
	assert.Contains(t, out, "created")

	writeFile(t, repo, "garnix.yaml", "builds:\n  - include: [packages.x86_64-linux.b]\n")
	out, code = run("garnix2gha-generate")
	assert.Equal(t, 1, code, out)
	assert.Contains(t, out, "files were modified by this hook")

	out, code = run("garnix2gha-check")
	assert.Equal(t, 0, code, out)
}
