package golden_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// newScriptNewerRun is a run on the nix of the root that .ci/trixie made.
func newScriptNewerRun(t *testing.T, root, outputs, rules string) *scriptRun {
	t.Helper()
	r := newScriptRun(t, outputs, rules)
	r.plan.root = root
	return r
}

// TestScriptsOnNewerNix runs the scripts where the words and formats of nix are others than on the machine itself.
func TestScriptsOnNewerNix(t *testing.T) {
	t.Parallel()
	root := os.Getenv("GARNIX2GHA_TRIXIE")
	if root == "" {
		t.Skip("GARNIX2GHA_TRIXIE names no root made by .ci/trixie")
	}
	if os.Getuid() != 0 {
		t.Skip("chroot needs root")
	}
	scriptTools(t, "unshare", "chroot")
	t.Run("everything is built, pushed and proven", func(t *testing.T) {
		t.Parallel()
		r := newScriptNewerRun(t, root, `
    packages.x86_64-linux = { a = ok "a"; alias = ok "a"; "with space" = ok "b";
      multi = derivation { name = "multi"; inherit n; system = "x86_64-linux"; outputs = [ "out" "dev" ]; builder = "/bin/sh"; args = [ "-c" "echo > $out; echo > $dev" ]; }; };
    legacyPackages.x86_64-linux.homeConfigurations.me.activationPackage = ok "me";
    homeConfigurations.other.activationPackage = ok "other";
    nixosConfigurations.web.config.system.build.toplevel = ok "web";`, scriptRules("*.*", "*.x86_64-linux.*"))
		end := r.start()
		require.Equal(t, 0, end.code, end.log+r.verify.log)
		assert.Equal(t, []string{
			"homeConfigurations.me built", "nixosConfigurations.web built", "packages.x86_64-linux.a built", "packages.x86_64-linux.alias built",
			"packages.x86_64-linux.multi built", "packages.x86_64-linux.with space built",
		}, r.states())
		again := &scriptRun{t: t, plan: r.plan.next(), cache: r.cache, env: r.env}
		assert.Equal(t, 0, again.start().code)
		assert.Equal(t, "[]", again.planned.outputs["matrix"])
	})
	t.Run("what fails is told in the same words", func(t *testing.T) {
		t.Parallel()
		r := newScriptNewerRun(t, root, `
    packages.x86_64-linux = rec { good = ok "good"; bad = d "bad" "x86_64-linux" "echo '::error::forged'; exit 3"; root = d "root" "x86_64-linux" "exit 4";
      leaf = derivation { name = "leaf"; inherit n; needs = root; system = "x86_64-linux"; builder = "/bin/sh"; };
      elsewhere = derivation { name = "elsewhere"; inherit n; needs = d "mac" "aarch64-darwin" ""; system = "x86_64-linux"; builder = "/bin/sh"; };
      wrong = derivation { name = "wrong-${n}"; inherit n; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo > $out" ]; outputHash = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="; outputHashMode = "flat"; };
      throws = throw "first\nsecond"; aborts = abort "enough"; missing = { }.attribute; loops = let x = x; in x; text = "text"; };`, scriptRules("*.*.*"))
		assert.Equal(t, 1, r.start().code)
		plan := scriptGet[scriptPlan](r.plan, "plan/plan.json")
		for attr, message := range map[string]string{
			"throws": "first\nsecond", "aborts": "evaluation aborted with the following error message: 'enough'", "missing": "attribute 'attribute' missing", "loops": "infinite recursion encountered", "text": "not a derivation",
		} {
			assert.Equal(t, message, *scriptTargets{Targets: plan.Targets}.get(t, "packages.x86_64-linux."+attr).Error)
		}
		require.Len(t, r.results, 1)
		for attr, want := range map[string]string{
			"good": "built|", "bad": "failed|its builder failed with exit code 3", "leaf": "failed|dependency root: its builder failed with exit code 4",
			"elsewhere": "failed|dependency mac: this runner cannot build it", "wrong": "failed|hash mismatch",
		} {
			target := r.results[0].get(t, "packages.x86_64-linux."+attr)
			assert.Equal(t, want, target.State+"|"+target.Cause, attr)
		}
		assert.Equal(t, 0, r.verify.code, r.verify.log)
	})
	t.Run("a system that must build to evaluate", func(t *testing.T) {
		t.Parallel()
		r := newScriptNewerRun(t, root, `
    packages.x86_64-linux = import (d "ifd" "x86_64-linux" "echo '{ made = builtins.derivation { name = \"made\"; system = \"x86_64-linux\"; builder = \"/bin/sh\"; args = [ \"-c\" \"echo > $out\" ]; n = \"'$n'\"; }; }' > $out");
    packages.aarch64-darwin.x = import (d "mac" "aarch64-darwin" "");`, scriptRules("packages.*.*"))
		r.env = append(r.env, "RUNNERS", `{"x86_64-linux":"ubuntu-24.04"}`)
		assert.Equal(t, 1, r.start().code, "no runner for the other one")
		assert.Contains(t, r.planned.outputs["matrix"], "x86_64-linux (evaluated there)")
		assert.Equal(t, []string{"packages.x86_64-linux.made built"}, r.states())

		r.plan.env["ALLOW_IFD"] = "true"
		end := r.plan.run("evaluate.sh", "RULES", scriptRules("packages.*.*"))
		require.Equal(t, 0, end.code, end.log)
		got := scriptGet[scriptTargets](r.plan, "targets.json")
		require.Len(t, got.Unplanned, 1, "this machine may build, but not for a Mac")
		assert.Equal(t, "aarch64-darwin", got.Unplanned[0].System)
	})
	t.Run("a changed flake in a folder", func(t *testing.T) {
		t.Parallel()
		j := newScriptNixJob(t)
		j.root = root
		j.flake(map[string]string{"sub dir/flake.nix": scriptFlake(`packages.x86_64-linux.a = ok (builtins.readFile ../name);`), "name": "one"})
		require.NoError(t, os.WriteFile(filepath.Join(j.checkout, "name"), []byte("two"), 0o644))
		assert.Regexp(t, `-two\.drv$`, j.evaluate("TARGETS", "packages.x86_64-linux.a", "FLAKE_DIR", "sub dir").get(t, "packages.x86_64-linux.a").Drv)
	})
	t.Run("a lock file that is missing is written", func(t *testing.T) {
		t.Parallel()
		j := newScriptNixJob(t)
		j.root = root
		input := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(input, "flake.nix"), []byte(`{ outputs = { self }: { name = "input"; }; }`), 0o644))
		j.flake(map[string]string{"flake.nix": strings.Replace(scriptFlake(`packages.x86_64-linux.a = ok other.name;`), "outputs = { self }", `inputs.other.url = "path:`+input+`"; outputs = { self, other }`, 1)})
		assert.Regexp(t, `-input\.drv$`, j.evaluate("TARGETS", "packages.x86_64-linux.a").get(t, "packages.x86_64-linux.a").Drv)
	})
	t.Run("content-addressed outputs", func(t *testing.T) {
		t.Parallel()
		j := newScriptNixJob(t)
		j.root = root
		j.env["NIX_CONFIG"] = strings.Replace(scriptNix, "flakes", "flakes ca-derivations", 1)
		j.flake(map[string]string{"flake.nix": scriptFlake(`packages.x86_64-linux.a = derivation { name = "a"; inherit n; outputs = [ "out" "dev" ]; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo $n > $out; echo $n dev > $dev" ]; __contentAddressed = true; outputHashMode = "recursive"; outputHashAlgo = "sha256"; };`)})
		assert.Nil(t, j.evaluate("TARGETS", "packages.x86_64-linux.a").Targets[0].Outputs["out"])
		end := j.run("build.sh", "ENTRY", "e")
		require.Equal(t, 0, end.code, end.log)
		assert.Regexp(t, "-a$", *scriptGet[scriptResult](j, "result/e.json").Targets[0].Outputs["out"])
	})
	t.Run("an action", func(t *testing.T) {
		t.Parallel()
		j := newScriptNixJob(t)
		j.root = root
		j.flake(map[string]string{"flake.nix": scriptFlake(`apps.x86_64-linux.foo = { type = "app"; program = "${` + scriptProgram("foo", "echo it runs; exit 5") + `}/run"; };`)})
		require.Equal(t, 0, j.run("action.sh", "MODE", "build", "ACTION", "foo").code)
		end := j.run("action.sh", "MODE", "run", "ACTION", "foo")
		assert.Equal(t, 5, end.code)
		assert.Contains(t, end.log, "it runs\n")
	})
}
