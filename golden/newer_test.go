package golden_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// enterRoot runs a command in another system: it sees the temporary folder and those that are named under their own names.
// Arguments: the root, the folder to be in, how many folders, the folders, the command.
const enterRoot = `root=$1 dir=$2 count=$3; shift 3
mount --rbind /dev "$root/dev"; mount -t proc proc "$root/proc"
while [ "$count" -gt 0 ]; do mkdir -p "$root$1"; mount --rbind "$1" "$root$1"; count=$((count - 1)); shift; done
exec chroot "$root" env --chdir="$dir" "$@"`

// newerRoot is where a newer nix is installed; CI must have it.
func newerRoot(t *testing.T) string {
	t.Helper()
	root := os.Getenv("GARNIX2GHA_TRIXIE")
	switch {
	case root == "" && os.Getenv("CI") == "true":
		t.Fatal("GARNIX2GHA_TRIXIE names no root made by .ci/trixie")
	case root == "":
		t.Skip("GARNIX2GHA_TRIXIE names no root made by .ci/trixie")
	case os.Geteuid() != 0:
		t.Skip("chroot needs root")
	}
	return root
}

// TestOnNewerNixScenarios executes the scenarios that are about evaluating in a root with a newer nix.
func TestOnNewerNixScenarios(t *testing.T) {
	t.Parallel()
	root, act := newerRoot(t), actTool(t)
	here, err := os.Getwd()
	require.NoError(t, err)
	repository := filepath.Dir(here)
	folders := []string{os.TempDir(), repository, filepath.Dir(act), filepath.Dir(os.Args[0])}
	args := append([]string{"--mount", "--fork", "sh", "-euc", enterRoot, "sh", root, here, "4"}, folders...)
	args = append(args, "env", "-i", "CI=true", "HOME="+t.TempDir(), "TMPDIR="+os.TempDir(), "PATH="+filepath.Dir(act)+":/usr/local/bin:/usr/bin:/bin", os.Args[0],
		"-test.run", "TestExecuted$/^(openclaw-like|wildcards|strategies|imports|odd-outputs|plan-fails|content-addressed|hostile-names|flake-dir|failing-target|other-commits|private-cache)$",
		"-test.v", "-test.parallel", "2")
	out, err := exec.Command("unshare", args...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, 12, strings.Count(string(out), "--- PASS: TestExecuted/"), "%s", out)
}

// TestOnNewerNixPrograms runs the tests of the programs that talk to nix in that root.
func TestOnNewerNixPrograms(t *testing.T) {
	t.Parallel()
	root := newerRoot(t)
	for _, file := range []string{"test_evaluate.py", "test_imports.py", "test_source.py", "test_build.py", "test_action.py"} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			command := exec.Command(linterTool(t, "python3"), "-B", "-m", "unittest", "discover", "-s", "golden/ci", "-t", "golden/ci", "-p", file)
			command.Dir = ".."
			command.Env = append(os.Environ(), "GARNIX2GHA_ROOT="+root)
			out, err := command.CombinedOutput()
			require.NoError(t, err, "%s", out)
			assert.Regexp(t, `Ran [1-9]\d* tests?`, string(out))
		})
	}
}
