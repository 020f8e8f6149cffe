package git_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/cmd/internal/git"
)

// repository makes a repository with the given files committed.
func repository(t *testing.T, files ...string) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("git is not installed, and CI needs it")
		}
		t.Skip("git is not installed")
	}
	dir := t.TempDir()
	do(t, dir, "init", "--quiet")
	for _, name := range files {
		write(t, dir, name, "committed\n")
	}
	if len(files) > 0 {
		do(t, dir, "add", "--all")
		do(t, dir, "commit", "--quiet", "--message", "first")
	}
	return dir
}

func do(t *testing.T, dir string, args ...string) string {
	t.Helper()
	command := exec.Command("git", append([]string{"-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"}, args...)...)
	command.Dir = dir
	out, err := command.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return strings.TrimSpace(string(out))
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	at := filepath.Join(dir, filepath.FromSlash(name))
	require.NoError(t, os.MkdirAll(filepath.Dir(at), 0o755))
	require.NoError(t, os.WriteFile(at, []byte(content), 0o644))
}

func TestTrackedListsPathsAsTheyAreBelowTheFolder(t *testing.T) {
	t.Parallel()
	dir := repository(t, "a", "sub/with space", "sub/new\nline", "sub/ümlaut \"quoted\"")
	write(t, dir, "sub/untracked", "")
	got, err := git.WorkTree(dir).Tracked(t.Context())
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{"a", "sub/with space", "sub/new\nline", "sub/ümlaut \"quoted\""}, got)
	got, err = git.WorkTree(filepath.Join(dir, "sub")).Tracked(t.Context())
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{"with space", "new\nline", "ümlaut \"quoted\""}, got)
}

func TestUnmergedPathIsListedOnce(t *testing.T) {
	t.Parallel()
	dir := repository(t, "a")
	do(t, dir, "checkout", "--quiet", "-b", "other")
	write(t, dir, "a", "theirs\n")
	do(t, dir, "commit", "--quiet", "--all", "--message", "theirs")
	do(t, dir, "checkout", "--quiet", "-")
	write(t, dir, "a", "ours\n")
	do(t, dir, "commit", "--quiet", "--all", "--message", "ours")
	require.Error(t, exec.Command("git", "-C", dir, "-c", "user.name=t", "-c", "user.email=t@example.org", "merge", "--quiet", "other").Run())
	got, err := git.WorkTree(dir).Tracked(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"a"}, got)
	got, err = git.WorkTree(dir).Changed(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"a"}, got)
}

func TestUntrackedKnowsWhatIsIgnoredToo(t *testing.T) {
	t.Parallel()
	dir := repository(t, "tracked", "gone")
	write(t, dir, ".gitignore", "sub/\n")
	require.NoError(t, os.Remove(filepath.Join(dir, "gone")))
	for _, name := range []string{"new", "other", "sub/ignored", "*", ":(top)x"} {
		write(t, dir, name, "x")
	}
	got, err := git.WorkTree(dir).Untracked(t.Context(), []string{"tracked", "gone", "nowhere", "new", "sub/ignored", "*", ":(top)x"})
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{"new", "sub/ignored", "*", ":(top)x"}, got, "names are no patterns")
}

func TestChangedSeesIndexAndWorkTree(t *testing.T) {
	t.Parallel()
	dir := repository(t, "same", "edited", "staged", "gone", "sub/edited", "rewritten")
	w := git.WorkTree(dir)
	none, err := w.Changed(t.Context())
	require.NoError(t, err)
	assert.Empty(t, none)

	write(t, dir, "edited", "x")
	write(t, dir, "sub/edited", "x")
	write(t, dir, "staged", "x")
	write(t, dir, "rewritten", "committed\n") // the same content with another time is no change
	write(t, dir, "untracked", "x")
	do(t, dir, "add", "staged")
	require.NoError(t, os.Remove(filepath.Join(dir, "gone")))
	got, err := w.Changed(t.Context())
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{"edited", "staged", "gone", "sub/edited"}, got)
	got, err = git.WorkTree(filepath.Join(dir, "sub")).Changed(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"edited"}, got)
}

func TestHeadIsTheCommitOrSaysThatThereIsNone(t *testing.T) {
	t.Parallel()
	dir := repository(t, "a")
	head, err := git.WorkTree(dir).Head(t.Context())
	require.NoError(t, err)
	assert.Equal(t, do(t, dir, "rev-parse", "HEAD"), head)

	empty := repository(t)
	_, err = git.WorkTree(empty).Head(t.Context())
	require.ErrorIs(t, err, git.ErrNoCommit)
	_, err = git.WorkTree(empty).Changed(t.Context())
	require.ErrorIs(t, err, git.ErrNoCommit)
}

func TestWhatIsNoWorkTreeIsRefused(t *testing.T) {
	t.Parallel()
	dir := repository(t, "a")
	bare := t.TempDir()
	do(t, bare, "init", "--quiet", "--bare")
	for _, no := range []string{t.TempDir(), bare, filepath.Join(dir, ".git")} {
		_, err := git.WorkTree(no).Tracked(t.Context())
		require.ErrorIs(t, err, git.ErrNoRepository)
	}
	_, err := git.WorkTree(t.TempDir()).Head(t.Context())
	require.ErrorIs(t, err, git.ErrNoRepository)
	_, err = git.WorkTree(filepath.Join(dir, "missing")).Tracked(t.Context())
	require.Error(t, err)
}

func TestFailureIsOnOneLineAndFitToPrint(t *testing.T) {
	t.Parallel()
	dir := repository(t, "a")
	write(t, dir, ".git/config", "[core]\n\trepositoryformatversion = 0\n[\x1b[31mbroken\n")
	_, err := git.WorkTree(dir).Head(t.Context())
	require.ErrorContains(t, err, "git rev-parse: ")
	assert.NotContains(t, err.Error(), "\x1b")
	assert.NotContains(t, err.Error(), "\n")
}

func TestCancelledContextEndsGit(t *testing.T) {
	t.Parallel()
	w := git.WorkTree(repository(t, "a"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := w.Tracked(ctx)
	require.ErrorIs(t, err, context.Canceled)
}

func TestMissingGitIsNamed(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := git.WorkTree(t.TempDir()).Head(context.Background())
	require.ErrorIs(t, err, git.ErrNotInstalled)
}

// A file goes the way to GitHub step by step, as far as a clone can tell.
func TestStandingFollowsAFileToTheDefaultBranch(t *testing.T) {
	t.Parallel()
	dir := repository(t, "other")
	w := git.WorkTree(dir)
	stands := func(want git.Standing, files ...string) {
		t.Helper()
		got, err := w.Standing(t.Context(), files, "file")
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	committed := git.Standing{Committed: true}
	pushed := git.Standing{Committed: true, Pushed: true}
	merged := git.Standing{Committed: true, Pushed: true, Merged: true}

	stands(committed, "missing")
	write(t, dir, "file", "1")
	do(t, dir, "branch", "--quiet", "--move", "main")
	stands(git.Standing{Trunk: true}, "file")
	do(t, dir, "branch", "--quiet", "--move", "topic")
	stands(git.Standing{}, "file")
	stands(committed, "other")
	write(t, dir, ".gitignore", "file\n")
	stands(git.Standing{}, "file", "ignored as well")
	do(t, dir, "rm", "--quiet", "--cached", "--ignore-unmatch", ".gitignore")
	require.NoError(t, os.Remove(filepath.Join(dir, ".gitignore")))
	do(t, dir, "add", "file")
	stands(git.Standing{}, "file")
	do(t, dir, "commit", "--quiet", "--message", "file")
	stands(committed, "file", "other")
	do(t, dir, "remote", "add", "origin", "https://github.com/octo/flake.git")
	stands(git.Standing{Committed: true, HTTPS: true}, "file")
	do(t, dir, "remote", "set-url", "origin", "git@github.com:octo/flake.git")
	stands(committed, "file")

	do(t, dir, "update-ref", "refs/remotes/origin/topic", "HEAD")
	stands(merged, "file") // which branch is the default one this clone does not know
	do(t, dir, "update-ref", "refs/remotes/origin/main", "HEAD~")
	do(t, dir, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
	stands(pushed, "file")
	stands(merged, "other")
	do(t, dir, "update-ref", "refs/remotes/origin/main", "HEAD")
	stands(merged, "file")
	write(t, dir, "other", "unpushed work elsewhere")
	do(t, dir, "commit", "--quiet", "--all", "--message", "other")
	stands(merged, "file")
	write(t, dir, "file", "2")
	stands(git.Standing{Converted: true}, "file")
	do(t, dir, "branch", "--quiet", "--move", "next")
	do(t, dir, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/next")
	stands(git.Standing{Trunk: true, Converted: true}, "file") // as the remote calls it
	do(t, dir, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
	stands(merged, ":(top)*") // a name, not a pattern
}
