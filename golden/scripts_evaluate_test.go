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

func TestScriptEvaluateKeepsGoingWhereATargetFails(t *testing.T) {
	t.Parallel()
	j := newScriptNixJob(t)
	j.flake(map[string]string{"flake.nix": scriptFlake(`
    packages.x86_64-linux = {
      good = ok "good"; throws = throw "first line\n::error::second"; aborts = abort "enough"; missing = { }.attribute;
      loops = let x = x; in x; text = "text"; path = ./flake.nix; set = { a = ok "a"; }; nothing = null; fake = { type = "derivation"; drvPath = "/etc/passwd"; system = "x86_64-linux"; };
    };
    nixosConfigurations = { bare = { }; throws = throw "no host"; good.config.system.build.toplevel = ok "host"; };`)})
	end := j.run("evaluate.sh", "RULES", scriptRules("*.*", "*.x86_64-linux.*"))
	require.Equal(t, 0, end.code, end.log)
	got := scriptGet[scriptTargets](j, "targets.json")
	assert.Equal(t, []string{
		"nixosConfigurations.bare!", "nixosConfigurations.good", "nixosConfigurations.throws!", "packages.x86_64-linux.aborts!", "packages.x86_64-linux.fake!",
		"packages.x86_64-linux.good", "packages.x86_64-linux.loops!", "packages.x86_64-linux.missing!", "packages.x86_64-linux.nothing!",
		"packages.x86_64-linux.path!", "packages.x86_64-linux.set!", "packages.x86_64-linux.text!", "packages.x86_64-linux.throws!",
	}, got.attrs())
	for attr, message := range map[string]string{
		"packages.x86_64-linux.throws":  "first line\n::error::second",
		"packages.x86_64-linux.aborts":  "evaluation aborted with the following error message: 'enough'",
		"packages.x86_64-linux.missing": "attribute 'attribute' missing",
		"packages.x86_64-linux.loops":   "infinite recursion encountered",
		"packages.x86_64-linux.text":    "not a derivation",
		"packages.x86_64-linux.path":    "not a derivation",
		"packages.x86_64-linux.set":     "not a derivation",
		"packages.x86_64-linux.fake":    "not a derivation",
		"nixosConfigurations.bare":      "has no config.system.build.toplevel",
		"nixosConfigurations.throws":    "no host",
	} {
		assert.Equal(t, message, *got.get(t, attr).Error, attr)
	}
	assert.Empty(t, scriptAnnotations(end.log), "the plan speaks of single targets")
}

func TestScriptEvaluateFailsTheCommitWhereAFamilyCannotBeListed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ outputs, rules, culprit, message string }{
		"a throw":                  {`packages.x86_64-linux.a = ok "a"; packages.aarch64-darwin = throw "no mac";`, scriptRules("packages.*.*"), "packages.aarch64-darwin", "no mac"},
		"an abort":                 {`packages.x86_64-linux.a = ok "a"; packages.aarch64-darwin = abort "no mac";`, scriptRules("packages.*.*"), "packages.aarch64-darwin", "no mac"},
		"not a set":                {`packages.x86_64-linux = "text";`, scriptRules("packages.*.*"), "packages.x86_64-linux", "value is a string while a set was expected"},
		"an excluded system":       {`packages.aarch64-darwin = throw "no mac";`, `[{"include":["packages.*.*"],"exclude":["packages.aarch64-darwin.*"]}]`, "packages.aarch64-darwin", "no mac"},
		"another branch's section": {`packages.aarch64-darwin = throw "no mac";`, `[{"branch":"other","include":["packages.*.*"]}]`, "packages.aarch64-darwin", "no mac"},
		"a direct output":          {`devShell.x86_64-linux = throw "no shell";`, scriptRules("devShell.*"), "devShell.x86_64-linux", "no shell"},
		"a configuration family":   {`nixosConfigurations = throw "no hosts";`, scriptRules("*.*"), "nixosConfigurations", "no hosts"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := newScriptNixJob(t)
			j.flake(map[string]string{"flake.nix": scriptFlake(c.outputs)})
			end := j.run("evaluate.sh", "RULES", c.rules, "BRANCH", "main")
			assert.Equal(t, 1, end.code, end.log)
			annotations := scriptAnnotations(end.log)
			require.Len(t, annotations, 1, end.log)
			assert.True(t, strings.HasPrefix(annotations[0], "error|Evaluate flake.nix|"+c.culprit+" cannot be listed: "), annotations[0])
			assert.Contains(t, annotations[0], c.message)
			assert.NoFileExists(t, j.path("targets.json"))
		})
	}
	t.Run("what is not listed does no harm", func(t *testing.T) {
		t.Parallel()
		for _, broken := range []string{`throw "x"`, `abort "x"`, `{ }.y`} {
			j := newScriptNixJob(t)
			j.flake(map[string]string{"flake.nix": scriptFlake(`packages.x86_64-linux = ` + broken + `; packages.aarch64-linux.a = ok "a"; nixosConfigurations.web.config.system.build.toplevel = ok "web";`)})
			got := j.evaluate("RULES", scriptRules("*.*", "packages.aarch64-linux.*"))
			assert.Equal(t, []string{"nixosConfigurations.web", "packages.aarch64-linux.a"}, got.attrs(), broken)
			got = j.evaluate("TARGETS", "nixosConfigurations.web\npackages.aarch64-linux.a")
			assert.Equal(t, []string{"nixosConfigurations.web", "packages.aarch64-linux.a"}, got.attrs(), broken)
		}
	})
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

func TestScriptEvaluateSpendsTheSameNumberOfProcessesOnAnyNumberOfTargets(t *testing.T) {
	t.Parallel()
	count := func(targets int, static bool) int {
		j := newScriptNixJob(t)
		j.flake(map[string]string{"flake.nix": scriptFlake(fmt.Sprintf(`
    packages.x86_64-linux = builtins.listToAttrs (builtins.genList (i: { name = "p${toString i}"; value = ok "p${toString i}"; }) %d);
    packages.aarch64-linux.a = d "a" "aarch64-linux" "";
    nixosConfigurations.web.config.system.build.toplevel = ok "web";`, targets))})
		calls := j.count()
		env := []string{"RULES", scriptRules("*.*", "*.*.*")}
		if static {
			lines := "packages.aarch64-linux.a\nnixosConfigurations.web\n"
			for i := range targets {
				lines += fmt.Sprintf("packages.x86_64-linux.p%d\n", i)
			}
			env = []string{"TARGETS", lines}
		}
		assert.Len(t, j.evaluate(env...).Targets, targets+2)
		b, err := os.ReadFile(calls)
		require.NoError(t, err)
		return strings.Count(string(b), "\n")
	}
	assert.Equal(t, 5, count(3, false), "metadata, select, and one each for two systems and the configurations")
	assert.Equal(t, 5, count(200, false))
	assert.Equal(t, 4, count(200, true))
}

func TestScriptEvaluateFindsTheBadOnesAmongMany(t *testing.T) {
	t.Parallel()
	j := newScriptNixJob(t)
	j.flake(map[string]string{"flake.nix": scriptFlake(`
    packages.x86_64-linux = builtins.listToAttrs (builtins.genList (i: { name = "p${toString i}"; value = if i == 17 then abort "bad" else if i == 50 then throw "worse" else ok "p${toString i}"; }) 64);`)})
	calls := j.count()
	got := j.evaluate("RULES", scriptRules("packages.*.*"))
	bad := map[string]string{}
	for _, target := range got.Targets {
		if target.Error != nil {
			bad[target.Attr] = *target.Error
		}
	}
	assert.Equal(t, map[string]string{
		"packages.x86_64-linux.p17": "evaluation aborted with the following error message: 'bad'",
		"packages.x86_64-linux.p50": "worse",
	}, bad)
	assert.Len(t, got.Targets, 64)
	b, err := os.ReadFile(calls)
	require.NoError(t, err)
	assert.LessOrEqual(t, strings.Count(string(b), "\n"), 18, "halving, not trying each:\n%s", b)
}

func TestScriptEvaluateLeavesASystemThatMustBuildToEvaluateToItsOwnRunner(t *testing.T) {
	t.Parallel()
	files := map[string]string{"flake.nix": scriptFlake(`
    packages.x86_64-linux.a = ok "a";
    packages.aarch64-darwin = { x = import (d "ifd" "aarch64-darwin" "echo 1 > $out"); y = d "y" "aarch64-darwin" ""; };
    packages.aarch64-linux = import (d "ifd" "aarch64-linux" "echo {} > $out");
    nixosConfigurations.good.config.system.build.toplevel = ok "good";
    nixosConfigurations.needs = { config.system.build.toplevel = import (d "ifd" "x86_64-darwin" ""); pkgs.stdenv.hostPlatform.system = "x86_64-darwin"; };
    nixosConfigurations.dark = { config.system.build.toplevel = import (d "ifd" "i686-linux" ""); };`)}
	rules := scriptRules("*.*", "*.*.*")
	for _, allow := range []string{"false", "true"} {
		t.Run("allow-import-from-derivation "+allow, func(t *testing.T) {
			t.Parallel()
			j := newScriptNixJob(t)
			j.flake(files)
			end := j.run("evaluate.sh", "RULES", rules, "ALLOW_IFD", allow, "BRANCH", "main")
			require.Equal(t, 0, end.code, end.log)
			got := scriptGet[scriptTargets](j, "targets.json")
			want := []string{"nixosConfigurations.dark!", "nixosConfigurations.good", "packages.x86_64-linux.a"}
			systems := map[string]map[string]any{}
			for _, u := range got.Unplanned {
				systems[u.System] = u.Request
				assert.NotEmpty(t, u.Why)
			}
			if allow == "true" {
				// i686-linux is what an x86_64-linux machine can build; then the result is no derivation.
				assert.Len(t, got.Targets, 3)
			} else {
				assert.Equal(t, want, got.attrs())
				assert.Contains(t, *got.get(t, "nixosConfigurations.dark").Error, "its system is not known")
			}
			path := func(parts ...string) any {
				list := []any{}
				for _, part := range parts {
					list = append(list, part)
				}
				return map[string]any{"path": list}
			}
			assert.Equal(t, map[string]map[string]any{
				"aarch64-darwin": {"targets": []any{path("packages", "aarch64-darwin", "x"), path("packages", "aarch64-darwin", "y")}},
				"aarch64-linux":  {"rules": scriptJSON[any](t, rules), "branch": "main", "system": "aarch64-linux", "targets": []any{}},
				"x86_64-darwin":  {"targets": []any{path("nixosConfigurations", "needs")}},
			}, systems)
			assert.Contains(t, strings.Join(scriptAnnotations(end.log), "\n"), "notice|aarch64-darwin is evaluated on its own runner|")
		})
	}
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

func TestScriptEvaluateAsksForTheMessagesOfTheFirstFailuresOnly(t *testing.T) {
	t.Parallel()
	j := newScriptNixJob(t)
	j.flake(map[string]string{"flake.nix": scriptFlake(fmt.Sprintf(`
    packages.x86_64-linux = builtins.listToAttrs (builtins.genList (i: { name = "p${toString i}-%s"; value = throw "message ${toString i}"; }) 400);`, strings.Repeat("long", 60)))})
	calls := j.count()
	got := j.evaluate("RULES", scriptRules("packages.*.*"))
	messages := map[bool]int{}
	for _, target := range got.Targets {
		messages[strings.HasPrefix(*target.Error, "message ")]++
		if !strings.HasPrefix(*target.Error, "message ") {
			assert.Equal(t, "evaluation failed", *target.Error)
		}
	}
	assert.Equal(t, map[bool]int{true: 20, false: 380}, messages)
	b, err := os.ReadFile(calls)
	require.NoError(t, err)
	assert.LessOrEqual(t, strings.Count(string(b), "\n"), 3+2+20, "requests too long for one argument are split")
}
