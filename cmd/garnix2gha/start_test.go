package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// files is a shell's line that shows what is in a folder, git's own apart.
const files = `find . -path ./.git -prune -o -type f -exec cksum {} + | sort`

// TestWithoutACommandOneIsToldWhereOneStands goes the way of a repository. Nothing is ever written.
func TestWithoutACommandOneIsToldWhereOneStands(t *testing.T) {
	t.Parallel()
	requireTool(t, "git")
	dir := t.TempDir()
	stands := func(want ...string) {
		t.Helper()
		before := shell(t, dir, files)
		got := invocation{}.run(t, "-C", dir)
		assert.Zero(t, got.code, got.stderr)
		assert.Equal(t, strings.Join(append(want, "garnix2gha help lists the commands"), "\n")+"\n", got.stdout)
		assert.LessOrEqual(t, strings.Count(got.stdout, "\n"), 6)
		assert.Equal(t, before, shell(t, dir, files))
	}
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	garnix2gha := func(args ...string) { require.Zero(t, invocation{}.run(t, append(args, "-C", dir)...).code) }

	stands("there is no git repository, flake.nix or garnix.yaml here or in any folder above", "next: change into a repository, or name one with -C")
	shell(t, dir, `git init --quiet --initial-branch=main`)
	stands("this repository has no garnix.yaml and no flake.nix, so there is nothing to build", "next: change into another one, or name it with -C")
	assert.Contains(t, invocation{}.run(t, "generate", "--dry-run", "-C", dir).stderr, "there is no flake.nix and no garnix.yaml, so there is nothing to build [flake-missing]")
	write("flake.nix", "{ outputs = _: { }; }\n")
	stands("this repository has no garnix.yaml, so garnix's defaults hold, and no generated workflows yet", "next: garnix2gha report, which tells what they will do")
	write("garnix.yaml", "builds: {include: [packages.x86_64-linux.a], exclude: [packages.x86_64-linux.b]}\n")
	stands("this repository has garnix.yaml, and no generated workflows yet", "next: garnix2gha report, which tells what they will do", "1 warning: garnix2gha check")
	garnix2gha("init", "--cache", "acme")
	stands("this repository has garnix.yaml, and no generated workflows yet", "next: garnix2gha generate, which writes them", "1 warning: garnix2gha check")
	garnix2gha("generate")
	write("garnix.yaml", "builds: {include: [packages.x86_64-linux.c]}\n")
	stands("this repository has garnix.yaml, and generated workflows that are not current", "next: garnix2gha check, which tells why, and garnix2gha generate")
	garnix2gha("generate")
	const current = "this repository has garnix.yaml, and generated workflows that are current"
	stands(current, `next: commit the files on a branch (git switch -c github-actions) and open a pull request, with "garnix2gha report" as its text`, "the whole list: garnix2gha report")
	shell(t, dir, `git add --all`)
	shell(t, dir, `git -c user.name=t -c user.email=t@example.org commit --quiet --message 'Build with GitHub Actions'`)
	stands(current, "next: push the commit", "the whole list: garnix2gha report")
	shell(t, dir, `git update-ref refs/remotes/origin/main HEAD`)
	shell(t, dir, `git symbolic-ref refs/remotes/origin/HEAD refs/remotes/origin/main`)
	stands(current, "what may be left to do, such as proving the cache: garnix2gha report")
	shell(t, dir, `sed -i 's/360/120/' .github/workflows/nix-build-cache.yml`)
	stands("this repository has garnix.yaml, and generated files that somebody edited", "next: garnix2gha check --diff, which shows the change")
	garnix2gha("generate", "--force")
	require.NoError(t, os.Remove(filepath.Join(dir, "garnix.yaml")))
	stands("this repository has no garnix.yaml, so garnix's defaults hold", "next: git checkout HEAD -- garnix.yaml, for what it said is not built any more", "1 warning: garnix2gha check")
	shell(t, dir, `git checkout --quiet HEAD -- garnix.yaml`)
	garnix2gha("eject")
	stands("this repository has garnix.yaml; workflows of the names that would be written are its own", "next: nothing, if they were ejected; else garnix2gha check, which says what is in the way")

	elsewhere := filepath.Join(t.TempDir(), "\x1b.yaml")
	require.NoError(t, os.WriteFile(elsewhere, []byte("builds: []\n"), 0o600))
	assert.Contains(t, invocation{}.run(t, "-C", dir, "--config", elsewhere).stdout, "the configuration is read from "+filepath.Dir(elsewhere)+"/\uFFFD.yaml, and ")

	write("garnix.yaml", "builds: 1\n")
	got := invocation{}.run(t, "-C", dir)
	assert.Equal(t, exitProblems, got.code)
	assert.Contains(t, got.stderr, "garnix.yaml:1:9: ")
}

func TestAFolderWithoutARepositoryIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, command := range []string{"generate", "init", "report", "check"} {
		got := invocation{}.run(t, command, "-C", dir)
		assert.Equal(t, exitFailure, got.code)
		assert.Contains(t, got.stderr, dir+": no git repository, flake.nix or garnix.yaml here or in any folder above")
		assert.Empty(t, shell(t, dir, files))
	}
}
