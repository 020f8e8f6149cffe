package main

import (
	"os/exec"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/cmd/internal/bincache"
	"garnix2gha/generator/diag"
)

// committed makes a repository with everything committed.
func committed(t *testing.T, files map[string]string) string {
	t.Helper()
	requireTool(t, "git")
	dir := folder(t, files)
	shell(t, dir, `git init -q && git add --all && git -c user.name=t -c user.email=t@example.org commit -q -m first`)
	return dir
}

// shell runs a line of a shell in a folder and returns what it printed.
func shell(t *testing.T, dir, line string) string {
	t.Helper()
	command := exec.Command("sh", "-euc", line)
	command.Dir = dir
	out, err := command.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

// A configuration without targets needs no nix to be proven.
func TestWayBackFromRetireRemovesWhatItCreated(t *testing.T) {
	t.Parallel()
	service := newCachix(t, newSubstituter(t, "").URL)
	env := service.env("")
	env[nameVariable] = "acme"
	type result struct {
		Files []struct {
			Path, Action string
		}
		WayBack []string
	}
	for _, name := range []string{"README.md", "it's a file.md", "\"quoted\" $(x).md", ":(exclude)x.md", "new\nline.md", "-f"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const trace = "extra-substituters = https://cache.garnix.io\n"
			dir := committed(t, map[string]string{"garnix.yaml": "builds: [] # nothing\n", name + "/nix.conf": trace, "other/nix.conf": trace})
			got := invocation{env: env}.run(t, "-C", dir, "retire", "--move-config", "--format", "json")
			require.Equal(t, exitFine, got.code, got.stderr)
			done := decoded[result](t, got)
			actions := map[string]string{}
			for _, file := range done.Files {
				actions[file.Path] = file.Action
			}
			assert.Equal(t, map[string]string{
				".github/garnix2gha/garnix.yaml": "created", "garnix.yaml": "removed", name + "/nix.conf": "updated", "other/nix.conf": "updated",
			}, actions)
			assert.Equal(t, "builds: [] # nothing\n", shell(t, dir, "cat .github/garnix2gha/garnix.yaml"))
			assert.Equal(t, exitFine, invocation{env: env}.run(t, "-C", dir, "check").code)
			assert.Equal(t, exitFine, invocation{env: env}.run(t, "-C", dir, "leftovers").code, "nothing is left to do")
			for _, command := range done.WayBack {
				shell(t, t.TempDir(), command)
			}
			assert.Empty(t, shell(t, dir, "git status --porcelain"))
		})
	}
}

func TestFindingsNameEachOutputAndStopSomewhere(t *testing.T) {
	t.Parallel()
	findings := func(results ...verified) diag.List { return (&verification{Results: results}).findings() }
	found := func(verdict bincache.Verdict) verified { return verified{Result: bincache.Result{Verdict: verdict}} }
	assert.Empty(t, findings(found(bincache.InCache), found(bincache.Upstream)))
	two := findings(
		verified{Attr: "packages.x86_64-linux.a", Output: "out", Result: bincache.Result{Verdict: bincache.Missing, Path: "/nix/store/x-a", Cause: "404", Next: "push it"}},
		verified{Attr: "packages.x86_64-linux.b", Result: bincache.Result{Verdict: bincache.Unknown, Cause: "no\x1b answer"}},
	)
	require.Len(t, two, 2)
	assert.Equal(t, "packages.x86_64-linux.a out /nix/store/x-a is missing: 404 [cache-missing]", two[0].String())
	assert.Equal(t, "packages.x86_64-linux.b is unknown: no\uFFFD answer [cache-unknown]", two[1].String())
	many := findings(slices.Repeat([]verified{found(bincache.Missing)}, 1000)...)
	require.Len(t, many, 51)
	assert.Equal(t, "more outputs are missing or unknown [cache-incomplete]", many[50].String())
	assert.Contains(t, many[50].Hint, "cache verify")
}

func TestRetireChangesNothingWhileTheCacheIsUnknown(t *testing.T) {
	t.Parallel()
	service := newCachix(t, refused)
	env := service.env("")
	env[nameVariable] = "nobody"
	dir := committed(t, map[string]string{"garnix.yaml": "builds: []\n", "nix.conf": "extra-substituters = https://cache.garnix.io\n"})
	got := invocation{env: env}.run(t, "-C", dir, "retire")
	assert.Equal(t, exitFailure, got.code)
	assert.Contains(t, got.stderr, "hint: ")
	assert.Empty(t, shell(t, dir, "git status --porcelain"))
}
