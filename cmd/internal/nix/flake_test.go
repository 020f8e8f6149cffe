package nix

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// names lists packages.x86_64-linux of a flake that is opened anew.
func (n *tool) names(dir string) []string {
	n.t.Helper()
	answers, err := n.open(dir).List(n.t.Context(), []Query{{Family: "packages", System: "x86_64-linux"}})
	require.NoError(n.t, err)
	require.Nil(n.t, answers[0].Failure)
	return answers[0].Names
}

func TestFlakeIsReadAtItsRevisionOrAsItLies(t *testing.T) {
	t.Parallel()
	nix := newTool(t)
	dir := nix.repo(`{ packages.x86_64-linux.committed = 1; }`)
	f := nix.open(dir)
	assert.Contains(t, f.ref, "rev=", "clean: locked by its revision")
	assert.False(t, f.WroteLock)
	assert.Equal(t, []string{"committed"}, nix.names(dir))

	nix.write(dir, `{ packages.x86_64-linux.changed = 1; }`)
	f = nix.open(dir)
	assert.Regexp(t, `^path:/nix/store/[^?]*\?narHash=sha256-[^&]*%3D&lastModified=[0-9]+$`, f.ref, "dirty: locked by its hash")
	assert.Equal(t, []string{"changed"}, nix.names(dir))

	assert.Equal(t, []string{"plain"}, nix.names(nix.folder(`{ packages.x86_64-linux.plain = 1; }`)), "no repository")
}

func TestMissingLockIsWrittenAndInputsAreSeen(t *testing.T) {
	t.Parallel()
	nix := newTool(t)
	input := nix.folder(`{ name = "fromInput"; }`)
	for name, make := range map[string]func(string) string{"in a folder": nix.folder, "in a repository": nix.repo} {
		dir := make(`{ packages.x86_64-linux.${inputs.other.name} = 1; }`)
		text, err := os.ReadFile(filepath.Join(dir, "flake.nix"))
		require.NoError(t, err)
		text = append([]byte(`{ inputs.other.url = "path:`+input+`"; `), text[1:]...)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "flake.nix"), text, 0o600))

		s, err := nix.snapshot(dir, "")
		require.NoError(t, err, name)
		assert.True(t, s.WroteLock, name)
		assert.Equal(t, []string{"fromInput"}, s.Lock.Outputs["packages"]["x86_64-linux"], name)
		assert.FileExists(t, filepath.Join(dir, "flake.lock"), name)

		s, err = nix.snapshot(dir, "")
		require.NoError(t, err, name)
		assert.False(t, s.WroteLock, name)
	}
}

func TestFlakeThatCannotBeReadSaysWhy(t *testing.T) {
	t.Parallel()
	nix := newTool(t)

	broken := nix.folder(`{ `)
	_, err := nix.runner.Open(t.Context(), broken)
	assert.ErrorContains(t, err, " at flake.nix:")
	assert.NotContains(t, err.Error(), "/nix/store")

	dir := nix.folder(`{ }`)
	nix.git(dir, "init", "--quiet")
	_, err = nix.runner.Open(t.Context(), dir)
	assert.ErrorContains(t, err, `run "git add flake.nix"`)

	_, err = nix.snapshot(nix.folder(`throw "wholly broken"`), all)
	assert.EqualError(t, err, "list flake: nothing of it evaluates: wholly broken")
}

func TestShallowCloneNeedsItsHistoryOrIsRead(t *testing.T) {
	t.Parallel()
	nix := newTool(t)
	dir := nix.repo(`{ packages.x86_64-linux.a = 1; }`)
	nix.write(dir, `{ packages.x86_64-linux.b = 1; }`)
	nix.commit(dir)
	clone := filepath.Join(nix.folder(`{ }`), "clone")
	nix.git(dir, "clone", "--quiet", "--depth=1", "file://"+dir, clone)
	f, err := nix.runner.Open(t.Context(), clone)
	if err == nil {
		assert.Contains(t, f.ref, "rev=", "a newer nix reads it")
		return
	}
	assert.ErrorContains(t, err, "fetch --unshallow")
}

func TestConfigurationOfTheFlakeHasNoSay(t *testing.T) {
	t.Parallel()
	nix := newTool(t)
	dir := nix.folder(`{ packages.x86_64-linux.a = 1; }`)
	text, err := os.ReadFile(filepath.Join(dir, "flake.nix"))
	require.NoError(t, err)
	text = append([]byte(`{ nixConfig.allow-import-from-derivation = false; nixConfig.store = "/nonexistent"; `), text[1:]...)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "flake.nix"), text, 0o600))
	assert.Equal(t, []string{"a"}, nix.names(dir))
}

func TestReferenceOfEveryShapeOfMetadata(t *testing.T) {
	t.Parallel()
	var clean, dirty, inner, bare metadata
	clean.URL, clean.Path, clean.Locked.Rev = "git+file:///r?rev=abc", "/nix/store/x-source", "abc"
	dirty.URL, dirty.Path, dirty.Locked.NarHash, dirty.LastModified = "git+file:///r", "/nix/store/x-source", "sha256-a+/b=", 7
	inner = dirty
	inner.Locked.Dir = "a b/c"
	bare.URL = "git+file:///r"
	assert.Equal(t, "git+file:///r?rev=abc", clean.reference())
	assert.Equal(t, "path:/nix/store/x-source?narHash=sha256-a%2B%2Fb%3D&lastModified=7", dirty.reference())
	assert.Equal(t, "path:/nix/store/x-source?narHash=sha256-a%2B%2Fb%3D&lastModified=7&dir=a%20b%2Fc", inner.reference())
	assert.Equal(t, "git+file:///r", bare.reference())
}
