package repo_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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
	_, err = r.Workflows("out")
	assert.EqualError(t, err, "list out: "+says)
	_, err = r.Tree("out/below")
	assert.EqualError(t, err, "list out/below: "+says)
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

func TestApplyWritesReplacesAndRemoves(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := open(t, dir)
	const name = ".github/workflows/a.yml"
	require.NoError(t, r.Apply([]repo.Edit{{Path: name, Data: []byte("one")}}))
	require.NoError(t, r.Apply([]repo.Edit{{Path: name, Data: []byte("two")}}))
	got, err := r.Read(name)
	require.NoError(t, err)
	assert.Equal(t, "two", string(got))
	files, err := r.Workflows(".github/workflows")
	require.NoError(t, err)
	assert.Len(t, files, 1)
	require.NoError(t, r.Apply([]repo.Edit{{Path: name}, {Path: name}}))
	got, err = r.Read(name)
	require.NoError(t, err)
	assert.Nil(t, got)
}

func TestApplyRefusesWhatIsNotOurs(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	for _, tc := range []struct {
		name, path string
		prepare    func(dir string) error
	}{
		{name: "a path outside .github", path: "README.md"},
		{name: "a path that climbs", path: ".github/../x"},
		{name: "an absolute path", path: "/etc/x"},
		{name: "a linked .github", path: ".github/workflows/a.yml", prepare: func(dir string) error {
			return os.Symlink(outside, filepath.Join(dir, ".github"))
		}},
		{name: "a folder linked within the repository", path: ".github/workflows/a.yml", prepare: func(dir string) error {
			if err := os.MkdirAll(filepath.Join(dir, ".github", "real"), 0o755); err != nil {
				return err
			}
			return os.Symlink("real", filepath.Join(dir, ".github", "workflows"))
		}},
		{name: "a linked file", path: ".github/workflows/a.yml", prepare: func(dir string) error {
			if err := os.MkdirAll(filepath.Join(dir, ".github", "workflows"), 0o755); err != nil {
				return err
			}
			return os.Symlink(filepath.Join(outside, "x"), filepath.Join(dir, ".github", "workflows", "a.yml"))
		}},
		{name: "a folder in the file's place", path: ".github/workflows/a.yml", prepare: func(dir string) error {
			return os.MkdirAll(filepath.Join(dir, ".github", "workflows", "a.yml"), 0o755)
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if tc.prepare != nil {
				require.NoError(t, tc.prepare(dir))
			}
			err := open(t, dir).Apply([]repo.Edit{
				{Path: ".github/other.yml", Data: []byte("x")},
				{Path: tc.path, Data: []byte("x")},
			})
			require.ErrorContains(t, err, "refused")
			_, err = os.Lstat(filepath.Join(dir, ".github", "other.yml"))
			assert.True(t, os.IsNotExist(err), "nothing is written when anything is refused")
			entries, err := os.ReadDir(outside)
			require.NoError(t, err)
			assert.Empty(t, entries)
		})
	}
}

func TestApplySweepsTheDraftOfAKilledRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	workflows := filepath.Join(dir, ".github", "workflows")
	require.NoError(t, os.MkdirAll(workflows, 0o755))
	secret := filepath.Join(dir, "secret")
	require.NoError(t, os.WriteFile(secret, []byte("keep"), 0o644))
	draft := filepath.Join(workflows, ".garnix2gha-1.tmp")
	require.NoError(t, os.WriteFile(draft, []byte("half"), 0o644))
	require.NoError(t, os.Chtimes(draft, time.Unix(0, 0), time.Unix(0, 0)))
	require.NoError(t, open(t, dir).Apply([]repo.Edit{{Path: ".github/workflows/a.yml", Data: []byte("x")}}))
	entries, err := os.ReadDir(workflows)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	assert.False(t, strings.HasPrefix(entries[0].Name(), "."))
	kept, err := os.ReadFile(secret)
	require.NoError(t, err)
	assert.Equal(t, "keep", string(kept))
}

func TestReadRefusesWhatIsNoFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "garnix.yaml"), 0o755))
	_, err := open(t, dir).Read("garnix.yaml")
	require.ErrorContains(t, err, "not a regular file")
}
