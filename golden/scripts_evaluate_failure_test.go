package golden_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

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
