package golden_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestScriptEvaluateKeepsHostileNamesHarmless(t *testing.T) {
	t.Parallel()
	j := newScriptNixJob(t)
	var outputs strings.Builder
	for i, name := range scriptHostile() {
		value := `ok "x"`
		if i%3 == 1 {
			value = "throw " + scriptNixString(name)
		}
		fmt.Fprintf(&outputs, "packages.x86_64-linux.%s = %s;\nnixosConfigurations.%s = { };\n", scriptNixString(name), value, scriptNixString(name))
	}
	j.flake(map[string]string{"flake.nix": scriptFlake(outputs.String())})
	end := j.run("evaluate.sh", "RULES", scriptRules("*.*", "*.*.*"), "BRANCH", "$(touch pwned)")
	require.Equal(t, 0, end.code, end.log)
	got := scriptGet[scriptTargets](j, "targets.json")
	names := map[string]bool{}
	for _, target := range got.Targets {
		if target.Path[0] == "packages" {
			names[target.Path[2]] = true
		}
	}
	for _, name := range scriptHostile() {
		if !strings.Contains(name, ".") {
			assert.True(t, names[name], "%q is a target like any other", name)
		}
	}
	for _, annotation := range scriptAnnotations(end.log) {
		assert.True(t, strings.HasPrefix(annotation, "notice|not built|"), annotation)
	}
	assert.NotContains(t, end.log, "\x1b")
	matches, err := filepath.Glob(filepath.Join(j.checkout, "*"))
	require.NoError(t, err)
	assert.Len(t, matches, 2, "nothing was executed: %v", matches)
}

func TestScriptEvaluateReadsTheTreeAsNixDoes(t *testing.T) {
	t.Parallel()
	t.Run("a detached head", func(t *testing.T) {
		t.Parallel()
		j := newScriptNixJob(t)
		j.flake(map[string]string{"flake.nix": scriptFlake(`packages.x86_64-linux.a = ok self.rev;`)})
		j.git("checkout", "-q", "--detach")
		got := j.evaluate("TARGETS", "packages.x86_64-linux.a")
		assert.Regexp(t, `-[0-9a-f]{40}\.drv$`, got.get(t, "packages.x86_64-linux.a").Drv, "the revision is the commit's")
	})
	t.Run("a dirty tree, without what is not tracked", func(t *testing.T) {
		t.Parallel()
		j := newScriptNixJob(t)
		j.flake(map[string]string{"flake.nix": scriptFlake(`packages.x86_64-linux.a = ok (builtins.readFile ./name + (if builtins.pathExists ./untracked then "untracked" else "")); `), "name": "clean"})
		require.NoError(t, os.WriteFile(filepath.Join(j.checkout, "name"), []byte("dirty"), 0o644))
		require.NoError(t, os.WriteFile(filepath.Join(j.checkout, "untracked"), nil, 0o644))
		assert.Regexp(t, `-dirty\.drv$`, j.evaluate("TARGETS", "packages.x86_64-linux.a").get(t, "packages.x86_64-linux.a").Drv)
	})
	t.Run("a flake in a folder, clean and dirty", func(t *testing.T) {
		t.Parallel()
		j := newScriptNixJob(t)
		j.flake(map[string]string{"sub dir/flake.nix": scriptFlake(`packages.x86_64-linux.a = ok (builtins.readFile ../name);`), "name": "one"})
		env := []string{"TARGETS", "packages.x86_64-linux.a", "FLAKE_DIR", "sub dir"}
		assert.Regexp(t, `-one\.drv$`, j.evaluate(env...).get(t, "packages.x86_64-linux.a").Drv)
		require.NoError(t, os.WriteFile(filepath.Join(j.checkout, "name"), []byte("two"), 0o644))
		end := j.run("evaluate.sh", env...)
		if end.code != 0 {
			assert.Contains(t, end.log, "differs from the commit", "nix before 2.19 cannot lock such a flake")
			return
		}
		assert.Regexp(t, `-two\.drv$`, scriptGet[scriptTargets](j, "targets.json").get(t, "packages.x86_64-linux.a").Drv)
	})
	t.Run("a lock file that is missing or stale is written", func(t *testing.T) {
		t.Parallel()
		j := newScriptNixJob(t)
		input := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(input, "flake.nix"), []byte(`{ outputs = { self }: { name = "first"; }; }`), 0o644))
		text := strings.Replace(scriptFlake(`packages.x86_64-linux.a = ok other.name;`), "outputs = { self }", fmt.Sprintf("inputs.other.url = \"path:%s\";\n  outputs = { self, other }", input), 1)
		j.flake(map[string]string{"flake.nix": text})
		assert.Regexp(t, `-first\.drv$`, j.evaluate("TARGETS", "packages.x86_64-linux.a").get(t, "packages.x86_64-linux.a").Drv)
		assert.FileExists(t, filepath.Join(j.checkout, "flake.lock"))
		j.git("add", "flake.lock")
		j.git("-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-q", "-m", "lock")
		other := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(other, "flake.nix"), []byte(`{ outputs = { self }: { name = "second"; }; }`), 0o644))
		require.NoError(t, os.WriteFile(filepath.Join(j.checkout, "flake.nix"), []byte(strings.ReplaceAll(text, input, other)), 0o644))
		j.git("add", "-A")
		j.git("-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-q", "-m", "stale lock")
		assert.Regexp(t, `-second\.drv$`, j.evaluate("TARGETS", "packages.x86_64-linux.a").get(t, "packages.x86_64-linux.a").Drv)
	})
}

func TestScriptEvaluateSaysWhyAFlakeCannotBeRead(t *testing.T) {
	t.Parallel()
	t.Run("the folder", func(t *testing.T) {
		t.Parallel()
		j := newScriptNixJob(t)
		j.flake(map[string]string{"flake.nix": scriptFlake(""), "inside/x": ""})
		require.NoError(t, os.Symlink(t.TempDir(), filepath.Join(j.checkout, "out")))
		for dir, message := range map[string]string{
			"..": "outside the checkout", "out": "outside the checkout", "inside/../..": "outside the checkout", "/etc": "must be relative to the checkout", "none": "does not exist", "-": "does not exist",
		} {
			end := j.run("evaluate.sh", "RULES", "[]", "FLAKE_DIR", dir)
			assert.Equal(t, 1, end.code, dir)
			assert.Contains(t, end.log, message, dir)
		}
	})
	t.Run("no flake and a syntax error", func(t *testing.T) {
		t.Parallel()
		j := newScriptNixJob(t)
		j.flake(map[string]string{"README": ""})
		end := j.run("evaluate.sh", "RULES", "[]")
		assert.Equal(t, 1, end.code)
		assert.Contains(t, end.log, "the flake cannot be read")
		j.flake(map[string]string{"flake.nix": "{ outputs = { self }: { a = ; } }"})
		end = j.run("evaluate.sh", "RULES", "[]")
		assert.Equal(t, 1, end.code)
		assert.Contains(t, end.log, "syntax error")
	})
	t.Run("a shallow clone", func(t *testing.T) {
		t.Parallel()
		j := newScriptNixJob(t)
		j.flake(map[string]string{"flake.nix": scriptFlake(`packages.x86_64-linux.a = ok "a";`)})
		j.git("-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-q", "--allow-empty", "-m", "more")
		shallow := j.next()
		require.NoError(t, os.RemoveAll(shallow.checkout))
		require.NoError(t, os.Mkdir(shallow.checkout, 0o755))
		shallow.git("clone", "-q", "--depth", "1", "file://"+j.checkout, ".")
		end := shallow.run("evaluate.sh", "TARGETS", "packages.x86_64-linux.a")
		if end.code != 0 {
			assert.Contains(t, end.log, "fetch-depth: 0")
		}
	})
}
