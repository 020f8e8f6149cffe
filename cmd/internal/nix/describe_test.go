package nix

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/generator/flake"
)

func pkg(system, name string) flake.AttrPath {
	return flake.AttrPath{First: "packages", Second: system, Third: name}
}

func TestTargetsAreDescribedInOrderWhateverTheirState(t *testing.T) {
	t.Parallel()
	nix := newTool(t)
	f := nix.open(nix.repo(`{
		packages.x86_64-linux = {
			good = drv "x86_64-linux" "good"; odd = drv "riscv64-linux" "odd";
			several = derivation { name = "several"; system = "x86_64-linux"; builder = "/bin/sh"; outputs = [ "out" "dev" ]; };
			thrown = throw "no\n` + "\x1b" + `[31mluck"; dead = abort "dead"; text = "text"; nested.inner = 1; "a.b" = drv "x86_64-linux" "dotted";
		};
		packages.aarch64-darwin.mac = drv "aarch64-darwin" "mac";
		devShell.aarch64-linux = drv "aarch64-linux" "shell";
		nixosConfigurations.web = host "aarch64-linux" "web";
		nixosConfigurations.none = { };
		darwinConfigurations.mac = host "aarch64-darwin" "macos";
		homeConfigurations.me = host "x86_64-linux" "home";
	}`))
	paths := []flake.AttrPath{
		pkg("x86_64-linux", "thrown"), pkg("aarch64-darwin", "mac"), pkg("x86_64-linux", "good"), pkg("x86_64-linux", "dead"),
		pkg("x86_64-linux", "several"), pkg("x86_64-linux", "text"), pkg("x86_64-linux", "nested"), pkg("x86_64-linux", "gone"),
		pkg("x86_64-linux", "odd"), pkg("x86_64-linux", "a.b"),
		{First: "devShell", Second: "aarch64-linux"}, {First: "nixosConfigurations", Second: "web"}, {First: "nixosConfigurations", Second: "none"},
		{First: "nixosConfigurations", Second: "gone"}, {First: "darwinConfigurations", Second: "mac"}, {First: "homeConfigurations", Second: "me"},
	}
	all, err := f.Describe(t.Context(), paths)
	require.NoError(t, err)
	var got []string
	for i, d := range all {
		require.Equal(t, paths[i], d.Attr)
		switch {
		case d.Failure != nil:
			got = append(got, "failed: "+d.Failure.Message)
		case d.Missing:
			got = append(got, "missing")
		default:
			assert.Regexp(t, `^/nix/store/[0-9a-z]{32}-[a-z]+\.drv$`, d.Drv)
			name := strings.TrimSuffix(d.Drv[44:], ".drv")
			for output, path := range d.Outputs {
				assert.Regexp(t, `^/nix/store/[0-9a-z]{32}-`+name, path, output)
			}
			got = append(got, fmt.Sprintf("%s %s %d", name, d.System, len(d.Outputs)))
		}
	}
	assert.Equal(t, []string{
		"failed: no luck", "mac aarch64-darwin 1", "good x86_64-linux 1", "failed: evaluation aborted with the following error message: 'dead'",
		"several x86_64-linux 2", "failed: not a derivation", "failed: not a derivation", "missing", "odd riscv64-linux 1", "dotted x86_64-linux 1",
		"shell aarch64-linux 1", "web aarch64-linux 1", "failed: has no config.system.build.toplevel", "missing", "macos aarch64-darwin 1", "home x86_64-linux 1",
	}, got)
}

func TestContentAddressedOutputHasNoPathYet(t *testing.T) {
	t.Parallel()
	nix := newTool(t)
	for i, entry := range nix.env {
		if strings.HasPrefix(entry, "NIX_CONFIG=") {
			nix.env[i] = entry + "\nextra-experimental-features = ca-derivations"
		}
	}
	f := nix.open(nix.repo(`{ packages.x86_64-linux.ca = derivation {
		name = "ca"; system = "x86_64-linux"; builder = "/bin/sh"; __contentAddressed = true; outputHashMode = "recursive"; outputHashAlgo = "sha256"; }; }`))
	all, err := f.Describe(t.Context(), []flake.AttrPath{pkg("x86_64-linux", "ca")})
	require.NoError(t, err)
	require.Nil(t, all[0].Failure)
	assert.Equal(t, map[string]string{"out": ""}, all[0].Outputs)
}

func TestNothingIsDescribedWithoutTargets(t *testing.T) {
	t.Parallel()
	f := &Flake{runner: running("garnix2gha-has-no-such-program")}
	all, err := f.Describe(t.Context(), nil)
	assert.NoError(t, err)
	assert.Empty(t, all)
}

func TestProcessesDoNotGrowWithTheTargets(t *testing.T) {
	t.Parallel()
	const dead = 7
	var names strings.Builder
	var paths []flake.AttrPath
	for i := range 300 {
		name := fmt.Sprintf("p%03d", i)
		if i != dead {
			fmt.Fprintf(&names, "%s = drv \"x86_64-linux\" \"%s\"; ", name, name)
		}
		paths = append(paths, pkg("x86_64-linux", name))
	}
	nix := newTool(t)
	f := nix.open(nix.repo(`{ packages.x86_64-linux = { ` + names.String() + ` p007 = abort "x"; }; packages.aarch64-linux.a = drv "aarch64-linux" "a"; }`))
	all, err := f.Describe(t.Context(), slices.Delete(slices.Clone(paths), dead, dead+1))
	require.NoError(t, err)
	for _, d := range all {
		assert.Nil(t, d.Failure, d.Attr)
	}
	assert.Equal(t, 2, nix.processes(), "metadata and one system")

	before := nix.processes()
	all, err = f.Describe(t.Context(), append(paths, pkg("aarch64-linux", "a")))
	require.NoError(t, err)
	for _, d := range all {
		assert.Equal(t, d.Attr.Third == "p007", d.Failure != nil, d.Attr)
	}
	assert.Equal(t, 4, nix.processes()-before, "two systems, the search order, and what stands behind the one that ends nix")
}

func TestSystemThatNeedsABuildFailsAsAWhole(t *testing.T) {
	t.Parallel()
	nix := newTool(t)
	f := nix.open(nix.repo(`let needed = name: import (drv "aarch64-darwin" name); in {
		packages.aarch64-darwin = { a = needed "a"; b = needed "b"; c = needed "c"; }; packages.x86_64-linux.d = drv "x86_64-linux" "d"; }`))
	all, err := f.Describe(t.Context(), []flake.AttrPath{
		pkg("aarch64-darwin", "a"), pkg("aarch64-darwin", "b"), pkg("aarch64-darwin", "c"), pkg("x86_64-linux", "d"),
	})
	require.NoError(t, err)
	for _, d := range all[:3] {
		require.NotNil(t, d.Failure)
		assert.Equal(t, NeedsBuild, d.Failure.Cause)
	}
	assert.Nil(t, all[3].Failure)
	assert.Equal(t, 4, nix.processes(), "metadata, two systems, and whether the search order is to blame")
}

func TestChunksKeepRequestsSmallAndSystemsApart(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("n", 1000)
	var paths []flake.AttrPath
	for i := range 200 {
		paths = append(paths, pkg([]string{"x86_64-linux", "aarch64-linux"}[i%2], long), flake.AttrPath{First: "nixosConfigurations", Second: fmt.Sprint(i)})
	}
	seen := map[int]bool{}
	for _, chunk := range chunks(paths) {
		for _, at := range chunk {
			assert.Equal(t, paths[chunk[0]].System(), paths[at].System())
			seen[at] = true
		}
		if paths[chunk[0]].System() == "" {
			assert.LessOrEqual(t, len(chunk), mostHosts)
		}
		assert.LessOrEqual(t, len(chunk)*1000*min(1, len(paths[chunk[0]].System())), maxRequest)
	}
	assert.Len(t, seen, len(paths))
	assert.Empty(t, chunks(nil))
}

func TestHopelessFlakeIsGivenUp(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, answers, last string
		processes           int
	}{
		{name: "it cannot be read", last: "no", processes: 1},
		{
			name: "nothing in it can be had", last: "evaluation failed, with others: no", processes: maxDeaths + 1, // and the search order
			answers: `tag=$(echo "$*" | sed -n 's/.*"tag":"\([A-Z0-9]*\)".*/\1/p'); echo "trace: $tag null" >&2; `,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			log := filepath.Join(t.TempDir(), "log")
			program := script(t, `echo >>"`+log+`"; case $* in *'"op":"list"'*) exit 0; esac; `+tc.answers+`echo "error: no" >&2; exit 1`)
			f := &Flake{dir: t.TempDir(), runner: running(program)}
			paths := make([]flake.AttrPath, 1000)
			for i := range paths {
				paths[i] = pkg("x86_64-linux", fmt.Sprint(i))
			}
			all, err := f.Describe(t.Context(), paths)
			require.NoError(t, err)
			for _, d := range all {
				require.NotNil(t, d.Failure)
			}
			assert.Equal(t, "no", all[0].Failure.Message)
			assert.Equal(t, tc.last, all[999].Failure.Message)
			content, err := os.ReadFile(log)
			require.NoError(t, err)
			assert.Len(t, content, tc.processes)
		})
	}
}

func TestThrowsAreAskedForTheirMessageOnlySoOften(t *testing.T) {
	t.Parallel()
	nix := newTool(t)
	f := nix.open(nix.folder(`{ packages.x86_64-linux = builtins.listToAttrs (builtins.genList (i: { name = toString i; value = throw "told"; }) 25); }`))
	var paths []flake.AttrPath
	for i := range 55 {
		paths = append(paths, pkg("x86_64-linux", fmt.Sprint(i-30)))
	}
	all, err := f.Describe(t.Context(), paths)
	require.NoError(t, err)
	told := 0
	for _, d := range all {
		require.Equal(t, d.Missing, d.Failure == nil)
		if d.Failure != nil && d.Failure.Message == "told" {
			told++
		}
	}
	assert.Equal(t, maxThrows, told)
}
