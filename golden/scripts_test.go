package golden_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// scriptNames are the scripts that workflows embed.
func scriptNames(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("../templates/scripts/*.sh")
	require.NoError(t, err)
	require.Len(t, files, 11)
	for i, file := range files {
		files[i] = filepath.Base(file)
	}
	return files
}

func TestScriptsFitAStepOfAWorkflow(t *testing.T) {
	t.Parallel()
	trailing := regexp.MustCompile(`(?m)[ \t\r]$`)
	for _, name := range append(scriptNames(t), "../nix/targets.nix") {
		text := scriptFile(t, filepath.Join("scripts", name))
		assert.LessOrEqual(t, len(text), 16000, "%s is too long for one step", name)
		assert.NotContains(t, text, "$"+"{{", "%s holds an expression that GitHub would evaluate", name)
		assert.NotRegexp(t, trailing, text, "%s: a blank at the end of a line spoils the block style", name)
		assert.True(t, strings.HasSuffix(text, "\n") && !strings.HasSuffix(text, "\n\n"), "%s ends in one newline", name)
		for i, b := range []byte(text) {
			if b >= 0x7f || b < ' ' && b != '\n' {
				assert.Failf(t, "not ASCII", "%s: byte %#x at %d", name, b, i)
				break
			}
		}
	}
}

func TestScriptsSayWhatTheyDoAndStopOnErrors(t *testing.T) {
	t.Parallel()
	for _, name := range scriptNames(t) {
		text := scriptFile(t, "scripts/"+name)
		assert.True(t, strings.HasPrefix(text, "#!/usr/bin/env bash\n# "), "%s starts with what it does", name)
		header, _, ok := strings.Cut(text, "\nset -euo pipefail\n")
		require.True(t, ok, "%s sets -euo pipefail", name)
		for line := range strings.Lines(header) {
			assert.True(t, strings.HasPrefix(line, "#"), "%s does something before set -euo pipefail", name)
		}
		assert.Contains(t, header, "# exit ", "%s documents its exit codes", name)
		for _, variable := range regexp.MustCompile(`\$\{([A-Z][A-Z_]+)[:}?=-]`).FindAllStringSubmatch(text, -1) {
			switch variable[1] {
			case "RUNNER_TEMP", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "HOME", "TMPDIR", "LANG", "USER":
				continue
			}
			assert.Contains(t, header, variable[1], "%s does not document that it reads %s", name, variable[1])
		}
	}
}

func TestScriptsPassShellcheck(t *testing.T) {
	t.Parallel()
	scriptTools(t, "shellcheck")
	args := []string{"--shell=bash", "--norc", "../.ci/trixie", "testdata/standins/cachix"}
	for _, name := range scriptNames(t) {
		args = append(args, "../templates/scripts/"+name)
	}
	out, err := exec.Command("shellcheck", args...).CombinedOutput()
	assert.NoError(t, err, string(out))
}

// The bash of macOS is 3.2, its tools are BSD's.
func TestScriptsOfBuildJobsRunOnMacOS(t *testing.T) {
	t.Parallel()
	forbidden := map[string]string{
		`\b(declare|local|typeset) -[a-z]*[An]`:       "associative arrays and name references",
		`\b(mapfile|readarray|coproc)\b`:              "mapfile and coproc",
		`\$\{[A-Za-z_]+(,,?|\^\^?)[^}]*\}`:            "case conversion",
		`\$\{[A-Za-z_]+@[A-Z]\}`:                      "@ expansions",
		`\$\{[A-Za-z_]+\[-`:                           "negative indices",
		`\$\{[A-Za-z_]+:[^-=?+}]*:? -`:                "negative lengths",
		`&>>|\|&|;&|;;&`:                              "&>>, |&, ;&",
		`\bwait -n\b|\bread [^|;]*-N\b|\[\[ -v\b`:     "wait -n, read -N, -v",
		`\{[a-z_]+\}[<>]`:                             "named file descriptors",
		`\bprintf '[^']*%\(`:                          "printf %()T",
		`\b(EPOCHSECONDS|SRANDOM|BASHPID|BASH_ARGV0)`: "new variables",
		`\bsed -(r|i)|\bgrep [^|]*-[a-zA-Z]*P|\breadlink -f|\bdate -d|\bstat -c|\bhead -n -|\bxargs [^|]*-(r|d)\b|\bsort -[a-z]*V|\btac\b|\bmktemp --|\bcp --|\bbase64 -w|\brealpath\b`: "GNU options",
		`\bgrep [^|]*\\[bw<>]`: "GNU regular expressions",
	}
	for _, name := range []string{"evaluate.sh", "lookup.sh", "build.sh", "push.sh", "report.sh", "verify.sh"} {
		for i, line := range strings.Split(scriptFile(t, "scripts/"+name), "\n") {
			if strings.HasPrefix(strings.TrimSpace(line), "#") {
				continue
			}
			for pattern, what := range forbidden {
				assert.NotRegexp(t, pattern, line, "%s:%d: %s", name, i+1, what)
			}
			if strings.Contains(line, "[@]}") {
				// An empty array is an unset variable before bash 4.4.
				assert.Regexp(t, `\[@\]\+|"\$\{(clean|patterns)\[@\]\}"|\$\{#drvs|realise "\$\{drvs\[@\]\}"`, line, "%s:%d: an array that may be empty", name, i+1)
			}
		}
		assert.Contains(t, scriptFile(t, "scripts/"+name), "\nexport LC_ALL=C\n", "%s: BSD tools stop at bytes that are not UTF-8", name)
	}
}

func TestScriptsUseOnlyWhatEveryNixKnows(t *testing.T) {
	t.Parallel()
	for _, name := range scriptNames(t) {
		text := scriptFile(t, "scripts/"+name)
		for _, word := range []string{"^*", "--print-out-paths", "--impure", "--accept-flake-config", "path-info", "eval \"", "nix build", "nix-collect-garbage"} {
			assert.NotContains(t, text, word, name)
		}
		assert.NotRegexp(t, `(?m)^\s*eval `, text, name)
	}
}

func TestScriptsNameAMissingTool(t *testing.T) {
	t.Parallel()
	for name, tool := range map[string]string{
		"evaluate.sh": "nix", "lookup.sh": "curl", "plan.sh": "jq", "build.sh": "nix-store", "push.sh": "nix", "report.sh": "jq", "verify.sh": "jq", "statuses.sh": "curl", "action.sh": "nix",
	} {
		j := newScriptJob(t)
		// Only what every system has, under its own name.
		for _, have := range []string{"bash", "mkdir", "mktemp", "rm", "cat", "tr", "sed", "awk", "od", "env", "head", "printf"} {
			path, err := exec.LookPath(have)
			require.NoError(t, err)
			require.NoError(t, os.Symlink(path, filepath.Join(j.bin, have)))
		}
		j.put("result/e.json", `{"targets":[]}`)
		end := j.run(name, "PATH", j.bin, "ENTRY", "e", "MODE", map[bool]string{true: "build", false: "run"}[name == "action.sh"],
			"REPOSITORY", "o/r", "HEAD_SHA", "abc", "GITHUB_TOKEN", "t")
		assert.Contains(t, end.log, tool+" is not installed on this runner", name)
		if name != "report.sh" {
			assert.Equal(t, 1, end.code, name)
		}
	}
}
