package repo_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/cmd/internal/repo"
)

func open(t *testing.T, dir string) *repo.Repo {
	t.Helper()
	r, err := repo.Open(dir)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	return r
}

func TestFindWalksUp(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	deep := filepath.Join(dir, "a", "b")
	require.NoError(t, os.MkdirAll(deep, 0o755))
	_, err := repo.Find(deep)
	require.ErrorIs(t, err, repo.ErrNoRoot)
	for _, name := range []string{repo.SettingsFile, repo.MovedConfigFile, repo.ConfigFile, "flake.nix"} {
		write(t, filepath.Join(dir, filepath.FromSlash(name)), "", 0o644)
		got, err := repo.Find(deep)
		require.NoError(t, err)
		assert.Equal(t, dir, got)
		require.NoError(t, os.Remove(filepath.Join(dir, filepath.FromSlash(name))))
	}
}

// A flake further down has no workflows of its own: GitHub reads those at git's root alone.
func TestFindPrefersTheRootOfGit(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(string) error{
		"a repository":           func(name string) error { return os.Mkdir(name, 0o755) },
		"a work tree of another": func(name string) error { return os.WriteFile(name, []byte("gitdir: x\n"), 0o644) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			require.NoError(t, make(filepath.Join(dir, ".git")))
			deep := filepath.Join(dir, "templates", "rust")
			write(t, filepath.Join(deep, "flake.nix"), "{}", 0o644)
			got, err := repo.Find(deep)
			require.NoError(t, err)
			assert.Equal(t, dir, got)
		})
	}
}

func TestALinkOutOfTheRepositoryIsNamedAsOne(t *testing.T) {
	t.Parallel()
	dir, outside := t.TempDir(), t.TempDir()
	write(t, filepath.Join(outside, "file"), "", 0o644)
	require.NoError(t, os.Symlink(outside, filepath.Join(dir, "out")))
	r := open(t, dir)
	const says = "a symbolic link leads out of the repository"
	_, err := r.Read("out/file")
	assert.EqualError(t, err, "read out/file: "+says)
	_, _, err = r.Workflows("out")
	assert.EqualError(t, err, "list out: "+says)
	_, err = r.Tree("out/below")
	assert.EqualError(t, err, "list out/below: "+says)
}

// What nobody reads as a workflow stops nobody.
func TestWorkflowsSaysWhatItCannotRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "w", "a.yml"), "on: push", 0o644)
	write(t, filepath.Join(dir, "w", "b.yml", "c.yml"), "", 0o644)
	write(t, filepath.Join(dir, "w", "huge.yaml"), "", 0o644)
	require.NoError(t, os.Truncate(filepath.Join(dir, "w", "huge.yaml"), 16<<20+1))
	require.NoError(t, os.Symlink("nowhere", filepath.Join(dir, "w", "link.yml")))
	require.NoError(t, os.Symlink("nowhere", filepath.Join(dir, "w", "link")))
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "w", "pipe.yml"), 0o644))
	files, unread, err := open(t, dir).Workflows("w")
	require.NoError(t, err)
	assert.Equal(t, map[string][]byte{"w/a.yml": []byte("on: push")}, files)
	assert.Equal(t, map[string]string{
		"w/b.yml": "it is a folder", "w/link.yml": "it is a symbolic link", "w/pipe.yml": "it is not a regular file",
		"w/huge.yaml": "read w/huge.yaml: larger than 16777216 bytes",
	}, unread)
}

func TestTreeSeesEverythingBelowAFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := open(t, dir)
	files, err := r.Tree("a")
	require.NoError(t, err)
	assert.Empty(t, files)
	write(t, filepath.Join(dir, "a", "one"), "1", 0o644)
	write(t, filepath.Join(dir, "a", "b", ".two"), "2", 0o644)
	write(t, filepath.Join(dir, "other"), "3", 0o644)
	require.NoError(t, os.Symlink("../other", filepath.Join(dir, "a", "link")))
	files, err = r.Tree("a")
	require.NoError(t, err)
	assert.Equal(t, map[string][]byte{"a/one": []byte("1"), "a/b/.two": []byte("2"), "a/link": {}}, files)
}

func TestReadRefusesWhatIsNoFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "garnix.yaml"), 0o755))
	_, err := open(t, dir).Read("garnix.yaml")
	require.ErrorContains(t, err, "not a regular file")
}
