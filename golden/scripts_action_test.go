package golden_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// scriptProgram is a derivation with a program that runs text with bash.
func scriptProgram(name, text string) string {
	return `(derivation { name = "` + name + `"; inherit n; system = "x86_64-linux"; builder = "/bin/sh"; PATH = builtins.getEnv "PATH" + "/usr/bin:/bin"; text = ` + scriptNixString("#!/bin/bash\n"+text) +
		`; args = [ "-c" "mkdir $out && printf %s \"$text\" > $out/run && chmod +x $out/run" ]; })`
}

func TestScriptActionRunsAProgramAsGarnixDid(t *testing.T) {
	t.Parallel()
	j := newScriptNixJob(t)
	j.flake(map[string]string{
		"flake.nix": scriptFlake(`apps.x86_64-linux.foo = { type = "app"; program = "${` + scriptProgram("foo", `
echo "cwd has: $(ls -A | sort | tr '\n' ' ')"; echo "key: $(cat "$GARNIX_ACTION_PRIVATE_KEY_FILE") $(stat -c %a "$GARNIX_ACTION_PRIVATE_KEY_FILE")"
env | sort | cut -d= -f1 | tr '\n' ' '; echo "branch $GARNIX_BRANCH commit $GARNIX_COMMIT_SHA ci $GARNIX_CI"; echo "::error::forged"; echo x >file; echo "in $(basename "$PWD")"; exit 7`) + `}/run"; };`),
		"data": "",
	})
	env := []string{
		"ACTION", "foo", "GITHUB_TOKEN", "s3cret", "GITHUB_WORKSPACE", "/x", "CI", "true", "ACTION_KEY", "AGE-SECRET-KEY-1", "GARNIX_BRANCH", "main", "GARNIX_COMMIT_SHA", "abc",
	}
	end := j.run("action.sh", append(env, "MODE", "build", "ACTION_KEY", "")...)
	require.Equal(t, 0, end.code, end.log)
	end = j.run("action.sh", append(env, "MODE", "run", "TARGETS_NIX", "")...)
	assert.Equal(t, 7, end.code, "the exit code is the program's\n"+end.log)
	assert.Contains(t, end.log, "cwd has: \n")
	assert.Contains(t, end.log, "key: AGE-SECRET-KEY-1 600\n")
	assert.Contains(t, end.log, "branch main commit abc ci true\n")
	assert.Contains(t, end.log, "in base\n")
	assert.Equal(t, []string{"error|Action|action ended with exit code 7"}, scriptAnnotations(end.log), "the program's output is no command")
	variables := ""
	for line := range strings.Lines(end.log) {
		if strings.Contains(line, "GARNIX_CI ") {
			variables, _, _ = strings.Cut(line, "branch main")
		}
	}
	assert.Equal(t, "GARNIX_ACTION_PRIVATE_KEY_FILE GARNIX_BRANCH GARNIX_CI GARNIX_COMMIT_SHA HOME LANG PATH PWD SHLVL TMPDIR USER _ ", variables)
	assert.NoFileExists(t, filepath.Join(j.checkout, "file"))

	end = j.run("action.sh", append(env, "MODE", "run", "WITH_REPO", "true", "ACTION_KEY", "", "GARNIX_BRANCH", "")...)
	assert.Contains(t, end.log, "cwd has: .git data flake.nix \n")
	assert.Contains(t, end.log, "key: none 600\n")
	assert.Contains(t, end.log, "branch  commit abc")
	assert.NoFileExists(t, filepath.Join(j.checkout, "file"), "it works in a copy")
	entries, err := os.ReadDir(j.path(""))
	require.NoError(t, err)
	assert.Len(t, entries, 1, "the key and the copy are gone")
}

func TestScriptActionRefusesWhatGarnixRefused(t *testing.T) {
	t.Parallel()
	j := newScriptNixJob(t)
	j.flake(map[string]string{"flake.nix": scriptFlake(`
    apps.x86_64-linux = {
      two = { type = "app"; program = "${ok "a"}${ok "b"}"; };
      none = { type = "app"; program = "/bin/sh"; };
      arguments = { type = "app"; program = "${` + scriptProgram("x", "") + `}/run --flag"; };
      gone = { type = "app"; program = "${ok "a"}/bin/x"; };
      plain = { type = "app"; program = "${ok "plain"}"; };
      outside = { type = "app"; program = "/etc/${ok "a"}"; };
      broken = { type = "app"; program = "${d "broken" "x86_64-linux" "echo '::error::forged'; exit 1"}"; };
      throws = throw "no app";
      empty = { };
      text = "x";
      newline = { type = "app"; program = "${` + scriptProgram("x", "") + `}/run\n::error::forged"; };
    };
    packages.x86_64-linux.foo = ok "foo";`)})
	for action, message := range map[string]string{
		"two": "must come from exactly one derivation; it comes from 2", "none": "must come from exactly one derivation; it comes from 0", "arguments": "does not exist", "gone": "does not exist",
		"plain": "cannot be executed", "outside": "is not in the store", "broken": "could not be built", "throws": "no app", "empty": "has no program", "text": "has no program",
		"foo": "the flake has no apps.x86_64-linux.foo", "newline": "cannot be run", "$(touch pwned)": "the flake has no apps.x86_64-linux.$(touch pwned)",
	} {
		end := j.run("action.sh", "MODE", "build", "ACTION", action)
		assert.Equal(t, 1, end.code, action)
		annotations := scriptAnnotations(end.log)
		require.Len(t, annotations, 1, "%s\n%s", action, end.log)
		assert.True(t, strings.HasPrefix(annotations[0], "error|Action|"), annotations[0])
		assert.Contains(t, annotations[0], message, action)
		assert.NoFileExists(t, j.path("action-program"))
	}
	assert.NoFileExists(t, filepath.Join(j.checkout, "pwned"))
}
