package repo_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/generator/output"
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

func TestApplyWritesReplacesAndRemoves(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := open(t, dir)
	const name = ".github/workflows/a.yml"
	require.NoError(t, r.Apply([]output.Change{{Path: name, New: []byte("one")}}))
	require.NoError(t, r.Apply([]output.Change{{Path: name, Old: []byte("one"), New: []byte("two")}}))
	got, err := r.Read(name)
	require.NoError(t, err)
	assert.Equal(t, "two", string(got))
	files, unread, err := r.Workflows(".github/workflows")
	require.NoError(t, err)
	assert.Len(t, files, 1)
	assert.Empty(t, unread)
	require.NoError(t, r.Apply([]output.Change{{Path: name, Old: []byte("two")}, {Path: name, Old: []byte("two")}}))
	got, err = r.Read(name)
	require.NoError(t, err)
	assert.Nil(t, got)
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
	require.NoError(t, open(t, dir).Apply([]output.Change{{Path: ".github/workflows/a.yml", New: []byte("x")}}))
	entries, err := os.ReadDir(workflows)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	assert.False(t, strings.HasPrefix(entries[0].Name(), "."))
	kept, err := os.ReadFile(secret)
	require.NoError(t, err)
	assert.Equal(t, "keep", string(kept))
}

func TestApplyChangesFilesAnywhereAndKeepsTheirMode(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	script, longest := filepath.Join(dir, "ci", "setup.sh"), strings.Repeat("n", 255)
	write(t, script, "old", 0o775)
	write(t, filepath.Join(dir, longest), "old", 0o444)
	write(t, filepath.Join(dir, "garnix.yaml"), "old", 0o644)
	require.NoError(t, open(t, dir).Apply([]output.Change{
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

func TestApplyRefusesTheWholeLot(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	write(t, filepath.Join(outside, "x"), "old", 0o644)
	file := func(name, content string) func(dir string) error {
		return func(dir string) error {
			if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644)
		}
	}
	folder := func(name string) func(dir string) error {
		return func(dir string) error { return os.MkdirAll(filepath.Join(dir, name), 0o755) }
	}
	link := func(target, name string) func(dir string) error {
		return func(dir string) error {
			if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
				return err
			}
			return os.Symlink(target, filepath.Join(dir, name))
		}
	}
	linkedFolder := func(name string) func(dir string) error {
		return func(dir string) error {
			if err := file("real/x", "old")(dir); err != nil {
				return err
			}
			return link(filepath.Join(dir, "real"), name)(dir)
		}
	}
	old := []byte("old")
	for _, tc := range []struct {
		name, path string
		old        []byte
		want       string
		prepare    func(dir string) error
	}{
		{name: "a path that climbs", path: "../x", old: old, want: "not a path within"},
		{name: "a path that climbs out of .github", path: ".github/../x", want: "not a path within"},
		{name: "a path that is not clean", path: "a/../x", old: old, want: "not a path within"},
		{name: "an absolute path", path: filepath.Join(outside, "x"), old: old, want: "not a path within"},
		{name: "git's own files", path: "sub/.GIT/config", old: old, want: "belongs to git", prepare: file("sub/.GIT/config", "old")},
		{name: "a new file outside of .github", path: "README.md", want: "below .github"},
		{name: "a new file that is there by now", path: ".github/a.yml", want: "changed in the meantime", prepare: file(".github/a.yml", "")},
		{name: "a file that is gone", path: "gone", old: old, want: "changed in the meantime"},
		{name: "a file that changed", path: "changed", old: old, want: "changed in the meantime", prepare: file("changed", "older")},
		{name: "a generated file that changed", path: ".github/a.yml", old: old, want: "changed in the meantime", prepare: file(".github/a.yml", "older")},
		{name: "an empty file that is gone", path: ".github/a.yml", old: []byte{}, want: "changed in the meantime"},
		{name: "a folder", path: "folder", old: old, want: "not a regular file", prepare: folder("folder")},
		{name: "a folder in a new file's place", path: ".github/workflows/a.yml", want: "not a regular file", prepare: folder(".github/workflows/a.yml")},
		{name: "a file in a folder's place", path: ".github/workflows/a.yml", want: "not a folder", prepare: file(".github/workflows", "")},
		{name: "a linked file", path: "link", old: old, want: "symbolic link", prepare: link(filepath.Join(outside, "x"), "link")},
		{name: "a link in a new file's place", path: ".github/a.yml", want: "symbolic link", prepare: link(filepath.Join(outside, "y"), ".github/a.yml")},
		{name: "a linked .github", path: ".github/workflows/a.yml", want: "symbolic link", prepare: link(outside, ".github")},
		{name: "a folder linked within the repository", path: "linked/x", old: old, want: "symbolic link", prepare: linkedFolder("linked")},
		{name: "a folder linked within .github", path: ".github/workflows/x", want: "symbolic link", prepare: linkedFolder(".github/workflows")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if tc.prepare != nil {
				require.NoError(t, tc.prepare(dir))
			}
			write(t, filepath.Join(dir, "other"), "old", 0o644)
			for _, fresh := range [][]byte{[]byte("new"), nil} {
				err := open(t, dir).Apply([]output.Change{
					{Path: "other", Old: old, New: []byte("new")},
					{Path: tc.path, Old: tc.old, New: fresh},
				})
				require.ErrorContains(t, err, "refused")
				require.ErrorContains(t, err, tc.want)
				assert.Equal(t, "old", read(t, filepath.Join(dir, "other")), "nothing is written when anything is refused")
			}
			assert.Equal(t, "old", read(t, filepath.Join(outside, "x")))
			entries, err := os.ReadDir(outside)
			require.NoError(t, err)
			assert.Len(t, entries, 1, "nothing is made outside")
		})
	}
}

// A move that is broken off leaves the file twice rather than nowhere, and says what it had done.
func TestApplyRemovesLast(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "garnix.yaml"), "old", 0o644)
	r := open(t, dir)
	r.Changed = func(string) { assert.NoError(t, r.Close()) } // so that what follows fails
	err := r.Apply([]output.Change{
		{Path: "garnix.yaml", Old: []byte("old")}, {Path: output.Targets, New: []byte("new")}, {Path: ".github/workflows/a.yml", New: []byte("new")},
	})
	require.ErrorContains(t, err, `write ".github/garnix2gha/targets.json": `)
	require.ErrorContains(t, err, `; changed before that: [".github/workflows/a.yml"]`)
	assert.Equal(t, "old", read(t, filepath.Join(dir, "garnix.yaml")))
}

// Two runs at once want the same.
func TestApplyTakesWhatAnotherRunWrote(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, old := range [][]byte{nil, []byte("old")} {
		write(t, filepath.Join(dir, ".github", "a.yml"), "new", 0o644)
		require.NoError(t, open(t, dir).Apply([]output.Change{{Path: ".github/a.yml", Old: old, New: []byte("new")}}))
	}
}

// Another run's draft is no file of the repository, whether it is being written or was left behind.
func TestDraftsAreInvisible(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	draft := filepath.Join(dir, ".github", "ci", ".garnix2gha-1.tmp")
	write(t, draft, "# Generated by garnix2gha", 0o644)
	r := open(t, dir)
	files, err := r.Tree(".github/ci")
	require.NoError(t, err)
	assert.Empty(t, files)
	require.NoError(t, r.Apply([]output.Change{{Path: ".github/ci/a", New: []byte("new")}}))
	assert.FileExists(t, draft, "another run may be writing it")
	require.NoError(t, os.Chtimes(draft, time.Unix(0, 0), time.Unix(0, 0)))
	require.NoError(t, r.Apply([]output.Change{{Path: ".github/ci/a", Old: []byte("new")}}))
	assert.NoFileExists(t, draft, "a removal sweeps as well")
}
