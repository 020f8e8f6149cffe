package nix

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// all is a configuration whose includes could match everything that garnix listed.
const all = `builds: {include: ["*.*.*", "*.*"]}`

func TestLockHoldsWhatGarnixListed(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		outputs string
		yaml    string
		want    string // of the lock, without its version
	}{
		{
			name:    "an empty flake has no outputs",
			outputs: `{ }`, yaml: all, want: `{"outputs": {}}`,
		}, {
			name: "every family, and nothing else",
			outputs: `{
				packages.x86_64-linux.a = drv "x86_64-linux" "a"; packages.riscv64-linux.a = 1; checks.i686-linux.b = 1; devShells.aarch64-darwin.c = 1;
				devShell.x86_64-darwin = 1; defaultPackage.aarch64-linux = 1; apps.x86_64-linux.d = 1; hydraJobs.e = 1;
				nixosConfigurations.f = host "aarch64-linux" "f"; darwinConfigurations.g = host "aarch64-darwin" "g";
				homeConfigurations.h = host "x86_64-linux" "h"; }`,
			yaml: all,
			want: `{"outputs": {
				"packages": {"x86_64-linux": ["a"]}, "checks": {"i686-linux": ["b"]}, "devShells": {"aarch64-darwin": ["c"]},
				"devShell": ["x86_64-darwin"], "defaultPackage": ["aarch64-linux"],
				"nixosConfigurations": ["f"], "darwinConfigurations": ["g"], "homeConfigurations": ["h"]},
				"systems": {"nixosConfigurations.f": "aarch64-linux", "darwinConfigurations.g": "aarch64-darwin", "homeConfigurations.h": "x86_64-linux"}}`,
		}, {
			name:    "without a configuration garnix's default one counts",
			outputs: `{ packages.x86_64-linux.a = 1; packages.aarch64-linux = throw "not looked at"; devShell.aarch64-linux = 1; devShell.x86_64-linux = 1; }`,
			want:    `{"outputs": {"packages": {"x86_64-linux": ["a"]}, "devShell": ["x86_64-linux"]}}`,
		}, {
			name: "a family is listed whole for any include, whatever its section's branch and excludes",
			outputs: `{ packages.x86_64-linux = { a = 1; b = 1; }; packages.aarch64-linux.a = 1;
				checks.x86_64-linux.a = 1; devShell.x86_64-linux = 1; devShell.aarch64-linux = 1; }`,
			yaml: `builds: [{branch: x, include: [packages.x86_64-linux.a, "devShell.*"], exclude: [packages.x86_64-linux.a, devShell.x86_64-linux]}]`,
			want: `{"outputs": {"packages": {"x86_64-linux": ["a", "b"]}, "devShell": ["aarch64-linux"]}}`,
		}, {
			name:    "a throwing system is an error and hides no other",
			outputs: `{ packages = { x86_64-linux.a = 1; aarch64-darwin = throw "no darwin\nfor \"you\""; }; }`,
			yaml:    all,
			want:    `{"outputs": {"packages": {"x86_64-linux": ["a"]}}, "errors": {"packages.aarch64-darwin": "no darwin for \"you\""}}`,
		}, {
			name:    "a system that brings nix down is named",
			outputs: `{ packages = { x86_64-linux.a = 1; aarch64-linux = abort "down"; }; checks.x86_64-linux = { }.missing; }`,
			yaml:    all,
			want: `{"outputs": {"packages": {"x86_64-linux": ["a"]}}, "errors": {
				"packages.aarch64-linux": "evaluation aborted with the following error message: 'down'",
				"checks.x86_64-linux": "attribute 'missing' missing"}}`,
		}, {
			name:    "a throw that talks of the network is the flake's all the same",
			outputs: `{ packages.x86_64-linux = throw "unable to download 'x': Connection refused"; }`,
			want:    `{"outputs": {}, "errors": {"packages.x86_64-linux": "unable to download 'x': Connection refused"}}`,
		}, {
			name:    "packages.x86_64-linux that aborts spoils only itself, although nix searches there for all",
			outputs: `{ packages.x86_64-linux = abort "down"; checks.x86_64-linux.a = 1; nixosConfigurations.web = host "x86_64-linux" "w"; }`,
			yaml:    all,
			want: `{"outputs": {"checks": {"x86_64-linux": ["a"]}, "nixosConfigurations": ["web"]}, "systems": {"nixosConfigurations.web": "x86_64-linux"},
				"errors": {"packages.x86_64-linux": "evaluation aborted with the following error message: 'down'"}}`,
		}, {
			name:    "a family that is no attribute set is an error",
			outputs: `{ nixosConfigurations = [ ]; packages.x86_64-linux = "text"; }`,
			want: `{"outputs": {}, "errors": {
				"nixosConfigurations": "it is a list, not an attribute set", "packages.x86_64-linux": "it is a string, not an attribute set"}}`,
		}, {
			name:    "a throwing leaf is not looked at",
			outputs: `{ packages.x86_64-linux = { a = throw "leaf"; b = abort "leaf"; }; devShell.x86_64-linux = drv "x86_64-linux" "s"; }`,
			want:    `{"outputs": {"packages": {"x86_64-linux": ["a", "b"]}, "devShell": ["x86_64-linux"]}}`,
		}, {
			name:    "dotted and odd names are outputs",
			outputs: `{ packages.x86_64-linux = { "a.b" = 1; "c d" = 1; "\${{ x }}" = 1; "é\n" = 1; "'$(x)\"" = 1; }; }`,
			want:    `{"outputs": {"packages": {"x86_64-linux": ["${{ x }}", "'$(x)\"", "a.b", "c d", "é\n"]}}}`,
		}, {
			name:    "garnix.config counts, and not the file",
			outputs: `{ garnix.config = { builds.include = [ "checks.*.*" ]; }; packages.x86_64-linux.a = 1; checks.aarch64-linux.b = 1; }`,
			yaml:    all,
			want:    `{"outputs": {"checks": {"aarch64-linux": ["b"]}}, "garnixConfig": {"builds": {"include": ["checks.*.*"]}}}`,
		}, {
			name:    "a garnix.config of null counts as well",
			outputs: `{ garnix.config = null; packages.aarch64-linux.a = 1; }`, yaml: all,
			want: `{"outputs": {}, "garnixConfig": null}`,
		}, {
			name:    "a garnix.config that does not decode is kept and does not count",
			outputs: `{ garnix.config = { builds = 3; }; packages.aarch64-linux.a = 1; }`, yaml: all,
			want: `{"outputs": {"packages": {"aarch64-linux": ["a"]}}, "garnixConfig": {"builds": 3}}`,
		}, {
			name:    "a garnix.config that throws does not count",
			outputs: `{ garnix.config = throw "not yet"; packages.aarch64-linux.a = 1; }`, yaml: all,
			want: `{"outputs": {"packages": {"aarch64-linux": ["a"]}}, "errors": {"garnix.config": "not yet"}}`,
		}, {
			name:    "a garnix.config that JSON cannot hold brings down only itself",
			outputs: `{ garnix.config = { builds = x: x; }; packages.aarch64-linux.a = 1; }`, yaml: all,
			want: `{"outputs": {"packages": {"aarch64-linux": ["a"]}}, "errors": {"garnix.config": "cannot convert a function to JSON"}}`,
		}, {
			name: "hosts of two systems, of which broken ones have none or that of their packages",
			outputs: `{ nixosConfigurations = {
				web = host "aarch64-linux" "web"; db = host "x86_64-linux" "db"; thrown = throw "x"; dead = abort "x"; empty = { };
				half = host "aarch64-linux" "half" // { config = abort "half"; }; cross = host "aarch64-linux" "c" // { config.system.build.toplevel = drv "x86_64-linux" "c"; };
			}; }`,
			want: `{"outputs": {"nixosConfigurations": ["cross", "db", "dead", "empty", "half", "thrown", "web"]}, "systems": {
				"nixosConfigurations.cross": "x86_64-linux", "nixosConfigurations.db": "x86_64-linux",
				"nixosConfigurations.half": "aarch64-linux", "nixosConfigurations.web": "aarch64-linux"}}`,
		}, {
			name:    "only selected hosts are evaluated",
			outputs: `{ nixosConfigurations = { web = host "aarch64-linux" "web"; db = host "x86_64-linux" "db"; }; }`,
			yaml:    `builds: {include: ["nixosConfigurations.*"], exclude: [nixosConfigurations.db]}`,
			want:    `{"outputs": {"nixosConfigurations": ["db", "web"]}, "systems": {"nixosConfigurations.web": "aarch64-linux"}}`,
		}, {
			name: "a host whose derivation needs a build is not built",
			outputs: `{ nixosConfigurations.web = host "x86_64-linux" "web" // {
				config.system.build.toplevel = import (drv "x86_64-linux" "needed"); pkgs.system = "i686-linux"; pkgs.stdenv = { }; }; }`,
			want: `{"outputs": {"nixosConfigurations": ["web"]}, "systems": {"nixosConfigurations.web": "i686-linux"}}`,
		}, {
			name: "homeConfigurations below legacyPackages hides the flake's own",
			outputs: `{ legacyPackages.x86_64-linux.homeConfigurations.inner = host "x86_64-linux" "i";
				homeConfigurations.outer = host "aarch64-linux" "o"; }`,
			want: `{"outputs": {"homeConfigurations": ["inner"]}, "systems": {"homeConfigurations.inner": "x86_64-linux"}}`,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			nix := newTool(t)
			want := strings.Replace(tc.want, "{", `{"version": 1, `, 1)
			assert.JSONEq(t, want, nix.lock(nix.folder(tc.outputs), tc.yaml))
		})
	}
}

func TestWhatTheSearchOrderFoundElsewhereIsTold(t *testing.T) {
	t.Parallel()
	nix := newTool(t)
	s, err := nix.snapshot(nix.folder(`{ legacyPackages.x86_64-linux.homeConfigurations.me = host "x86_64-linux" "m"; packages.x86_64-linux.a = 1; }`), "")
	require.NoError(t, err)
	require.Len(t, s.Searched, 1)
	assert.Equal(t, "homeConfigurations", s.Searched[0].Query.String())
	assert.Equal(t, "legacyPackages.x86_64-linux", s.Searched[0].From)
}

func TestProcessesDoNotGrowWithTheFlake(t *testing.T) {
	t.Parallel()
	var names, hosts strings.Builder
	for i := range 300 {
		fmt.Fprintf(&names, "p%03d = throw \"unseen\"; ", i)
	}
	for i := range 8 {
		fmt.Fprintf(&hosts, "h%d = host \"x86_64-linux\" \"h%d\"; ", i, i)
	}
	for _, tc := range []struct {
		name    string
		outputs string
		yaml    string
		want    int
	}{
		{name: "300 names are read and listed", outputs: `{ packages.x86_64-linux = { ` + names.String() + `}; }`, yaml: all, want: 3},
		{name: "hosts take one more", outputs: `{ nixosConfigurations = { ` + hosts.String() + `}; }`, yaml: all, want: 4},
		{name: "a garnix.config takes none", outputs: `{ garnix.config = { builds.include = [ "checks.*.*" ]; }; }`, yaml: all, want: 3},
		{name: "throws take one each for their message, and one for the search order", outputs: `{ packages.aarch64-linux = throw "x"; checks.aarch64-linux = throw "y"; }`, yaml: all, want: 6},
		{name: "what is not listed is not asked for its message", outputs: `{ packages.x86_64-linux = throw "x"; }`, yaml: all, want: 5},
		{
			name: "a hard failure takes one for the search order and one for what stands behind", outputs: `{ packages.aarch64-linux = abort "x"; }`,
			yaml: `builds: {include: [packages.aarch64-linux.a, packages.x86_64-linux.a]}`, want: 5,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			nix := newTool(t)
			_, err := nix.snapshot(nix.folder(tc.outputs), tc.yaml)
			require.NoError(t, err)
			assert.Equal(t, tc.want, nix.processes())
		})
	}
}

func TestFlakeDirIsListedAndTheRootConfigures(t *testing.T) {
	t.Parallel()
	nix := newTool(t)
	yaml := "flakeDir: ./sub/\n" + all
	dir := nix.folder(`{ packages.x86_64-linux.outer = 1; }`)
	nix.write(filepath.Join(dir, "sub"), `{ packages.x86_64-linux.inner = 1; garnix.config = { builds = [ ]; }; }`)
	want := `{"version": 1, "outputs": {"packages": {"x86_64-linux": ["inner"]}}}`
	assert.JSONEq(t, want, nix.lock(dir, yaml), "in a folder")
	nix.git(dir, "init", "--quiet")
	nix.commit(dir)
	assert.JSONEq(t, want, nix.lock(dir, yaml), "committed")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "other"), []byte("x"), 0o600))
	nix.git(dir, "add", "other")
	assert.JSONEq(t, want, nix.lock(dir, yaml), "dirty")

	nix.write(dir, `{ garnix.config = { flakeDir = "sub"; builds.include = [ "checks.*.*" ]; }; }`)
	assert.JSONEq(t, `{"version": 1, "outputs": {}, "garnixConfig": {"builds": {"include": ["checks.*.*"]}, "flakeDir": "sub"}}`, nix.lock(dir, yaml),
		"a flake at the root may name the directory")

	nix.write(dir, `{ garnix = `)
	assert.Contains(t, nix.lock(dir, yaml), `"garnix.config": "syntax error`, "a broken flake at the root has no configuration")

	require.NoError(t, os.Remove(filepath.Join(dir, "flake.nix")))
	assert.JSONEq(t, want, nix.lock(dir, yaml), "no flake at the root")
}

func TestFlakeDirOutsideIsRefused(t *testing.T) {
	t.Parallel()
	nix := newTool(t)
	outer := nix.folder(`{ }`)
	dir := filepath.Join(outer, "inner")
	nix.write(dir, `{ }`)
	require.NoError(t, os.Symlink("..", filepath.Join(dir, "up")))
	require.NoError(t, os.Symlink(".", filepath.Join(dir, "self")))
	for flakeDir, want := range map[string]string{
		"up": "it leads outside", "up/inner/up": "it leads outside", "missing": `"missing" does not exist`, "flake.nix": "it is not a directory",
	} {
		_, err := nix.snapshot(dir, "flakeDir: "+flakeDir)
		assert.ErrorIs(t, err, ErrFlakeDir, flakeDir)
		assert.ErrorContains(t, err, want, flakeDir)
	}
	_, err := nix.runner.OpenConfigured(t.Context(), dir, decideBy("flakeDir: ../..")(nil))
	assert.ErrorIs(t, err, ErrFlakeDir)
	_, err = nix.snapshot(dir, "flakeDir: self")
	assert.NoError(t, err, "a link to the root is the root")
	s, err := nix.snapshot(dir, "flakeDir: ../..")
	require.NoError(t, err, "the configuration's own error tells")
	assert.Empty(t, s.Lock.Paths())
}

func TestNothingIsListedForAnInvalidConfiguration(t *testing.T) {
	t.Parallel()
	nix := newTool(t)
	s, err := nix.snapshot(nix.folder(`{ packages.x86_64-linux.a = 1; }`), "builds: 3")
	require.NoError(t, err)
	assert.Nil(t, s.Config)
	assert.Empty(t, s.Lock.Paths())
}

func TestNamesThatNeedABuildElsewhereAreNoError(t *testing.T) {
	t.Parallel()
	nix := newTool(t)
	dir := nix.folder(`{ packages.aarch64-darwin = import (drv "aarch64-darwin" "names"); }`)
	_, err := nix.snapshot(dir, all)
	require.Error(t, err)
	assert.Regexp(t, `^list flake: packages\.aarch64-darwin: `, err.Error())
	assert.ErrorContains(t, err, "run this on a machine of that system")
	_, err = nix.snapshot(dir, "")
	assert.NoError(t, err, "garnix would not have listed it")
}

func TestNamesThatNeedABuildHereAreListed(t *testing.T) {
	t.Parallel()
	nix := newTool(t)
	dir := nix.folder(`{ packages.x86_64-linux = import (derivation {
		name = "names"; system = builtins.currentSystem or "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo '{ built = 1; }' > $out" ]; }); }`)
	assert.JSONEq(t, `{"version": 1, "outputs": {"packages": {"x86_64-linux": ["built"]}}}`, nix.lock(dir, ""))
}

func TestRepositoryWithoutFlakeCannotBeListed(t *testing.T) {
	t.Parallel()
	nix := newTool(t)
	nixless := filepath.Join(nix.folder(`{ }`), "below")
	require.NoError(t, os.Mkdir(nixless, 0o755))
	_, err := nix.snapshot(nixless, all)
	assert.EqualError(t, err, "read flake: there is no flake.nix in the repository's root")
}
