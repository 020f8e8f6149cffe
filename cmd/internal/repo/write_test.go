package repo_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/cmd/internal/repo"
)

func write(t *testing.T, name, content string, mode os.FileMode) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
	require.NoError(t, os.WriteFile(name, []byte(content), 0o600))
	require.NoError(t, os.Chmod(name, mode))
}

func read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(content)
}

func TestMendChangesFilesAnywhereAndKeepsTheirMode(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	script, longest := filepath.Join(dir, "ci", "setup.sh"), strings.Repeat("n", 255)
	write(t, script, "old", 0o775)
	write(t, filepath.Join(dir, longest), "old", 0o444)
	write(t, filepath.Join(dir, "garnix.yaml"), "old", 0o644)
	require.NoError(t, open(t, dir).Mend([]repo.Mend{
		{Path: "ci/setup.sh", Old: []byte("old"), New: []byte("new")},
		{Path: longest, Old: []byte("old"), New: []byte{}},
		{Path: "garnix.yaml", Old: []byte("old")},
	}))
	assert.Equal(t, "new", read(t, script))
	assert.Empty(t, read(t, filepath.Join(dir, longest)), "an empty file is written, not removed")
	assert.NoFileExists(t, filepath.Join(dir, "garnix.yaml"))
	for name, mode := range map[string]os.FileMode{script: 0o775, filepath.Join(dir, longest): 0o444} {
		info, err := os.Stat(name)
		require.NoError(t, err)
		assert.Equal(t, mode, info.Mode().Perm(), name)
	}
	entries, err := os.ReadDir(filepath.Join(dir, "ci"))
	require.NoError(t, err)
	assert.Len(t, entries, 1, "no draft stays behind")
}

func TestMendRefusesTheWholeLot(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	write(t, filepath.Join(outside, "x"), "old", 0o644)
	for _, tc := range []struct {
		name, path, want string
		prepare          func(dir string) error
	}{
		{name: "a path that climbs", path: "../x", want: "not a path within"},
		{name: "a path that is not clean", path: "a/../x", want: "not a path within"},
		{name: "an absolute path", path: filepath.Join(outside, "x"), want: "not a path within"},
		{name: "git's own files", path: "sub/.GIT/config", want: "belongs to git"},
		{name: "a file that is gone", path: "gone", want: "changed in the meantime"},
		{name: "a folder", path: "folder", want: "not a regular file", prepare: func(dir string) error {
			return os.Mkdir(filepath.Join(dir, "folder"), 0o755)
		}},
		{name: "a file that changed", path: "changed", want: "changed in the meantime", prepare: func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "changed"), []byte("older"), 0o644)
		}},
		{name: "a linked file", path: "link", want: "symbolic link", prepare: func(dir string) error {
			return os.Symlink(filepath.Join(outside, "x"), filepath.Join(dir, "link"))
		}},
		{name: "a folder linked within the repository", path: "linked/x", want: "symbolic link", prepare: func(dir string) error {
			if err := os.MkdirAll(filepath.Join(dir, "real"), 0o755); err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(dir, "real", "x"), []byte("old"), 0o644); err != nil {
				return err
			}
			return os.Symlink("real", filepath.Join(dir, "linked"))
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if tc.prepare != nil {
				require.NoError(t, tc.prepare(dir))
			}
			other := filepath.Join(dir, "other")
			write(t, other, "old", 0o644)
			err := open(t, dir).Mend([]repo.Mend{
				{Path: "other", Old: []byte("old"), New: []byte("new")},
				{Path: tc.path, Old: []byte("old"), New: []byte("new")},
			})
			require.ErrorContains(t, err, "refused")
			require.ErrorContains(t, err, tc.want)
			assert.Equal(t, "old", read(t, other), "nothing is written when anything is refused")
			assert.Equal(t, "old", read(t, filepath.Join(outside, "x")))
		})
	}
}
