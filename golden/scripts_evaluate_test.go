package golden_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type scriptTarget struct {
	Attr    string             `json:"attr"`
	Path    []string           `json:"path"`
	Check   string             `json:"check"`
	System  *string            `json:"system"`
	Drv     string             `json:"drv"`
	Outputs map[string]*string `json:"outputs"`
	Error   *string            `json:"error"`
	State   string             `json:"state"`
	Cause   string             `json:"cause"`
	Log     string             `json:"log"`
}

type scriptTargets struct {
	Targets   []scriptTarget `json:"targets"`
	Unplanned []struct {
		System  string         `json:"system"`
		Why     string         `json:"why"`
		Request map[string]any `json:"request"`
	} `json:"unplanned"`
	Dotted  []string `json:"dotted"`
	Missing []string `json:"missing"`
}

// attrs are the targets: "attr" or "attr!" where evaluation failed.
func (s scriptTargets) attrs() []string {
	attrs := []string{}
	for _, t := range s.Targets {
		if t.Error != nil {
			t.Attr += "!"
		}
		attrs = append(attrs, t.Attr)
	}
	return attrs
}

func (s scriptTargets) get(t testing.TB, attr string) scriptTarget {
	t.Helper()
	for _, target := range s.Targets {
		if target.Attr == attr {
			return target
		}
	}
	require.Failf(t, "no such target", "%s in %v", attr, s.attrs())
	return scriptTarget{}
}

// scriptRules is RULES with one section of every branch.
func scriptRules(include ...string) string {
	return fmt.Sprintf(`[{"branch":null,"include":["%s"],"exclude":[]}]`, strings.Join(include, `","`))
}

func (j *scriptJob) evaluate(env ...string) scriptTargets {
	j.t.Helper()
	end := j.run("evaluate.sh", env...)
	require.Equal(j.t, 0, end.code, end.log)
	return scriptGet[scriptTargets](j, "targets.json")
}

func TestScriptEvaluateSelectsAsGarnixDid(t *testing.T) {
	t.Parallel()
	j := newScriptNixJob(t)
	j.flake(map[string]string{"flake.nix": scriptFlake(`
    packages.x86_64-linux = { a = ok "a"; b = ok "b"; same = ok "a"; "dot.ted" = ok "c"; };
    packages.aarch64-darwin.mac = d "mac" "aarch64-darwin" "";
    packages.armv7l-linux.never = d "never" "armv7l-linux" "";
    checks.x86_64-linux.a = ok "check";
    devShell.x86_64-linux = ok "shell";
    defaultPackage.x86_64-linux = ok "default";
    nixosConfigurations.web.config.system.build.toplevel = d "web" "aarch64-linux" "";
    darwinConfigurations.mac.config.system.build.toplevel = d "mac" "aarch64-darwin" "";
    homeConfigurations."me@host".activationPackage = ok "home";
    legacyPackages.x86_64-linux.other = ok "other";
    apps.x86_64-linux.x = { };`)})
	for _, c := range []struct {
		name, rules, branch string
		want, dotted        []string
	}{
		{
			name: "a two-part matcher never selects a package", rules: scriptRules("*.*"),
			want: []string{"darwinConfigurations.mac", "defaultPackage.x86_64-linux", "devShell.x86_64-linux", "homeConfigurations.me@host", "nixosConfigurations.web"},
		},
		{
			name: "systems that garnix did not know are never listed", rules: scriptRules("packages.*.*"),
			want:   []string{"packages.aarch64-darwin.mac", "packages.x86_64-linux.a", "packages.x86_64-linux.b", "packages.x86_64-linux.same"},
			dotted: []string{"packages.x86_64-linux.dot.ted"},
		},
		{
			name: "a partial glob is a literal", rules: scriptRules("packages.x86_64-linux.s*", "packages.x86_64-linux.b"), want: []string{"packages.x86_64-linux.b"},
		},
		{
			name: "an exclude stays in its section", want: []string{"packages.x86_64-linux.a", "packages.x86_64-linux.b"},
			rules: `[{"include":["packages.x86_64-linux.*"],"exclude":["packages.x86_64-linux.same","packages.*.a"]},{"include":["packages.x86_64-linux.a"]}]`, dotted: []string{"packages.x86_64-linux.dot.ted"},
		},
		{
			name: "a section of another branch selects nothing", branch: "dev", want: []string{},
			rules: `[{"branch":"main","include":["packages.x86_64-linux.a"]}]`,
		},
		{
			name: "a section of this branch adds", branch: "main", want: []string{"checks.x86_64-linux.a", "packages.x86_64-linux.a"},
			rules: `[{"branch":"main","include":["packages.x86_64-linux.a"]},{"branch":null,"include":["checks.*.*"]}]`,
		},
		{name: "families that garnix never listed select nothing", rules: scriptRules("apps.*.*", "legacyPackages.*.*", "nixosModules.*"), want: []string{}},
		{name: "no rules select nothing", rules: "[]", want: []string{}},
	} {
		got := j.evaluate("RULES", c.rules, "BRANCH", c.branch)
		assert.Equal(t, c.want, got.attrs(), c.name)
		if c.dotted == nil {
			c.dotted = []string{}
		}
		assert.Equal(t, c.dotted, got.Dotted, c.name)
	}

	fork := j.evaluate("RULES", `[{"branch":"","include":["packages.x86_64-linux.a"]},{"branch":null,"include":["checks.*.*"]}]`, "BRANCH", "", "HAS_BRANCH", "false")
	assert.Equal(t, []string{"checks.x86_64-linux.a"}, fork.attrs(), "a fork's pull request has no branch, not even an empty one")

	all := j.evaluate("RULES", scriptRules("*.*", "*.*.*"))
	checks := map[string]string{}
	for _, target := range all.Targets {
		checks[target.Attr] = target.Check
	}
	assert.Equal(t, map[string]string{
		"packages.x86_64-linux.a": "package a [x86_64-linux]", "packages.x86_64-linux.b": "package b [x86_64-linux]",
		"packages.x86_64-linux.same": "package same [x86_64-linux]", "packages.aarch64-darwin.mac": "package mac [aarch64-darwin]",
		"checks.x86_64-linux.a": "check a [x86_64-linux]", "devShell.x86_64-linux": "default devShell [x86_64-linux]",
		"defaultPackage.x86_64-linux": "default package [x86_64-linux]", "nixosConfigurations.web": "nixosConfig web",
		"darwinConfigurations.mac": "darwinConfig mac", "homeConfigurations.me@host": "homeConfig me@host",
	}, checks)
	assert.Equal(t, "aarch64-linux", *all.get(t, "nixosConfigurations.web").System, "the derivation says its system")
	assert.Equal(t, all.get(t, "packages.x86_64-linux.a").Drv, all.get(t, "packages.x86_64-linux.same").Drv)
}

func TestScriptEvaluateTakesTheListedTargetsOfTheBranch(t *testing.T) {
	t.Parallel()
	j := newScriptNixJob(t)
	j.flake(map[string]string{"flake.nix": scriptFlake(`
    packages.x86_64-linux = { a = ok "a"; b = ok "b"; c = ok "c"; "with space" = ok "d"; };`)})
	targets := []string{
		"TARGETS", "packages.x86_64-linux.a\n\n{\"path\":[\"packages\",\"x86_64-linux\",\"b\"],\"branches\":[\"main\",\"x\"]}\n",
		"TARGETS_2", `{"path":["packages","x86_64-linux","with space"],"branches":["dev"]}`,
		"TARGETS_3", "packages.x86_64-linux.gone\npackages.x86_64-linux.a",
		"TARGETS_5", "packages.x86_64-linux.c",
	}
	for branch, want := range map[string][]string{
		"main": {"packages.x86_64-linux.a", "packages.x86_64-linux.b"},
		"dev":  {"packages.x86_64-linux.a", "packages.x86_64-linux.with space"},
		"":     {"packages.x86_64-linux.a"},
	} {
		end := j.run("evaluate.sh", append(targets, "BRANCH", branch, "HAS_BRANCH", fmt.Sprint(branch != ""))...)
		require.Equal(t, 0, end.code, end.log)
		got := scriptGet[scriptTargets](j, "targets.json")
		assert.Equal(t, want, got.attrs(), "branch %q", branch)
		assert.Equal(t, []string{"packages.x86_64-linux.gone"}, got.Missing)
		assert.Contains(t, scriptAnnotations(end.log), "warning|not in the flake|packages.x86_64-linux.gone is listed but the flake has no such output")
	}
}

func TestScriptEvaluateLooksWhereGarnixsNixLooked(t *testing.T) {
	t.Parallel()
	j := newScriptNixJob(t)
	j.flake(map[string]string{"flake.nix": scriptFlake(`
    homeConfigurations = { shadowed.activationPackage = ok "shadowed"; both.activationPackage = ok "top"; };
    legacyPackages.x86_64-linux.homeConfigurations = { me.activationPackage = ok "me"; both.activationPackage = ok "legacy"; };
    packages.x86_64-linux = { a = ok "a"; darwinConfigurations = ok "not-a-family"; };`)})
	got := j.evaluate("RULES", scriptRules("homeConfigurations.*", "packages.*.*"))
	assert.Equal(t, []string{"homeConfigurations.both", "homeConfigurations.me", "packages.x86_64-linux.a", "packages.x86_64-linux.darwinConfigurations"}, got.attrs())
	assert.Contains(t, got.get(t, "homeConfigurations.both").Drv, "-legacy.drv")

	named := j.evaluate("TARGETS", "homeConfigurations.shadowed\nhomeConfigurations.both")
	assert.Equal(t, []string{"homeConfigurations.both", "homeConfigurations.shadowed"}, named.attrs())
	assert.Contains(t, named.get(t, "homeConfigurations.both").Drv, "-legacy.drv")
}

func TestScriptEvaluateEvaluatesAnEntryOnItsRunner(t *testing.T) {
	t.Parallel()
	j := newScriptNixJob(t)
	j.flake(map[string]string{"flake.nix": scriptFlake(`
    packages.x86_64-linux = import (d "ifd" "x86_64-linux" "echo '{ a = 1; }' > $out") // { b = ok "b"; };
    packages.aarch64-darwin = throw "not listed here";
    nixosConfigurations = { one.config.system.build.toplevel = ok "one"; two.config.system.build.toplevel = ok "two"; };`)})
	j.put("plan/plan.json", fmt.Sprintf(`{"entries":[
		{"id":"rules-1","request":{"rules":%s,"branch":"main","system":"x86_64-linux","targets":[{"path":["nixosConfigurations","two"]}]}},
		{"id":"targets-2","request":{"targets":[{"path":["packages","x86_64-linux","b"]},{"path":["packages","x86_64-linux","gone"]}]}}]}`,
		`[{"branch":"main","include":["*.*","*.*.*"],"exclude":[]}]`))
	got := j.evaluate("ENTRY", "rules-1", "ALLOW_IFD", "true")
	assert.Equal(t, []string{"nixosConfigurations.two", "packages.x86_64-linux.a!", "packages.x86_64-linux.b"}, got.attrs(), "the entry names its configurations")
	assert.FileExists(t, got.get(t, "packages.x86_64-linux.b").Drv, "evaluating made the derivation")

	got = j.evaluate("ENTRY", "targets-2", "ALLOW_IFD", "true")
	assert.Equal(t, []string{"packages.x86_64-linux.b", "packages.x86_64-linux.gone!"}, got.attrs(), "what was planned cannot silently go missing")

	got = j.evaluate("ENTRY", "targets-2", "ALLOW_IFD", "false")
	assert.Empty(t, got.Unplanned, "there is nowhere else to go")
	assert.Contains(t, *got.get(t, "packages.x86_64-linux.b").Error, "allow-import-from-derivation")

	end := j.run("evaluate.sh", "ENTRY", "other")
	assert.Equal(t, 1, end.code)
	assert.Contains(t, end.log, "the plan has no entry other")
}

func TestScriptEvaluateKeepsTheTargetsOfOneSystem(t *testing.T) {
	t.Parallel()
	j := newScriptNixJob(t)
	j.flake(map[string]string{"flake.nix": scriptFlake(`
    packages.x86_64-linux.a = ok "a";
    packages.aarch64-linux.b = d "b" "aarch64-linux" "";
    packages.aarch64-darwin = throw "not listed here";
    nixosConfigurations.here.config.system.build.toplevel = ok "here";
    nixosConfigurations.there.config.system.build.toplevel = d "there" "aarch64-linux" "";
    nixosConfigurations.brokenThere = { config.system.build.toplevel = throw "x"; pkgs.system = "aarch64-linux"; };
    nixosConfigurations.brokenHere = { config.system.build.toplevel = throw "x"; pkgs.system = "x86_64-linux"; };`)})
	want := []string{"nixosConfigurations.brokenHere!", "nixosConfigurations.here", "packages.x86_64-linux.a"}
	assert.Equal(t, want, j.evaluate("RULES", scriptRules("*.*", "*.*.*"), "SYSTEM", "x86_64-linux").attrs())
	assert.Equal(t, want, j.evaluate("SYSTEM", "x86_64-linux", "TARGETS", strings.Join([]string{
		"packages.x86_64-linux.a", "packages.aarch64-linux.b", "nixosConfigurations.here", "nixosConfigurations.there", "nixosConfigurations.brokenThere", "nixosConfigurations.brokenHere",
	}, "\n")).attrs())

	j = newScriptNixJob(t)
	j.flake(map[string]string{"flake.nix": scriptFlake(`
    packages.x86_64-linux = throw "not listed here";
    legacyPackages.x86_64-linux.homeConfigurations.pi.activationPackage = d "pi" "aarch64-linux" "";
    packages.aarch64-linux.b = d "b" "aarch64-linux" "";`)})
	assert.Equal(t, []string{"homeConfigurations.pi", "packages.aarch64-linux.b"}, j.evaluate("RULES", scriptRules("*.*", "*.*.*"), "SYSTEM", "aarch64-linux").attrs(),
		"the search order is that of garnix's evaluator on every machine")
}

func TestScriptEvaluateNamesTheOutputs(t *testing.T) {
	t.Parallel()
	j := newScriptNixJob(t)
	j.env["NIX_CONFIG"] = strings.Replace(scriptNix, "flakes", "flakes ca-derivations", 1)
	j.flake(map[string]string{"flake.nix": scriptFlake(`
    packages.x86_64-linux = rec {
      multi = derivation { name = "multi"; system = "x86_64-linux"; outputs = [ "out" "dev" "man" ]; builder = "/bin/sh"; };
      dev = multi.dev;
      floating = derivation { name = "f"; system = "x86_64-linux"; builder = "/bin/sh"; __contentAddressed = true; outputHashMode = "recursive"; outputHashAlgo = "sha256"; };
    };`)})
	got := j.evaluate("RULES", scriptRules("packages.*.*"))
	multi := got.get(t, "packages.x86_64-linux.multi")
	require.Len(t, multi.Outputs, 3)
	for name, path := range multi.Outputs {
		assert.Regexp(t, `^/nix/store/[0-9a-z]{32}-multi`+map[bool]string{true: "", false: "-" + name}[name == "out"]+"$", *path)
	}
	assert.Equal(t, multi.Outputs, got.get(t, "packages.x86_64-linux.dev").Outputs, "an output of a derivation stands for all of them")
	assert.Equal(t, map[string]*string{"out": nil}, got.get(t, "packages.x86_64-linux.floating").Outputs)
}
