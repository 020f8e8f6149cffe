package golden_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/generator/lint"
)

// TestOwnWorkflowsAreClean asks of this repository's workflows and of its action what is asked of generated ones.
func TestOwnWorkflowsAreClean(t *testing.T) {
	t.Parallel()
	workflows, err := filepath.Glob("../.github/workflows/*.yml")
	require.NoError(t, err)
	require.NotEmpty(t, workflows)
	for _, file := range workflows {
		findings, err := lint.Check(file, mustRead(t, file), nil)
		require.NoError(t, err)
		assert.Empty(t, findings)
	}
	t.Run("zizmor", func(t *testing.T) {
		zizmor := linterTool(t, "zizmor")
		out, err := exec.Command(zizmor, append([]string{"--pedantic", "--offline", "--no-progress", "--quiet", "--no-config", "--no-ignores", "--format=json", "../action.yml"}, workflows...)...).Output()
		require.NoError(t, err, "%s", out)
		assert.JSONEq(t, "[]", string(out))
	})
	t.Run("shellcheck", func(t *testing.T) {
		shellcheck := linterTool(t, "shellcheck")
		scripts, err := filepath.Glob("../.ci/*")
		require.NoError(t, err)
		for _, script := range scripts {
			if info, err := os.Stat(script); err == nil && info.Mode()&0o100 != 0 && info.Mode().IsRegular() {
				out, err := exec.Command(shellcheck, script).CombinedOutput()
				assert.NoError(t, err, "%s", out)
			}
		}
	})
}
