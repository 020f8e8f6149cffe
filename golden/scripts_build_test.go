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

type scriptResult struct {
	Entry    string         `json:"entry"`
	DiskFull bool           `json:"disk_full"`
	Pushed   bool           `json:"pushed"`
	Targets  []scriptTarget `json:"targets"`
}

func (r scriptResult) get(t testing.TB, attr string) scriptTarget {
	t.Helper()
	return scriptTargets{Targets: r.Targets}.get(t, attr)
}

// standin puts the stand-in for the Cachix client on PATH, pushing to the cache.
func (j *scriptJob) standin(cache *scriptCache) {
	j.t.Helper()
	client, err := os.ReadFile("testdata/standins/cachix")
	require.NoError(j.t, err)
	require.NoError(j.t, os.WriteFile(filepath.Join(j.bin, "cachix"), client, 0o755))
	j.env["STANDIN_CACHE_URL"] = cache.url
	j.env["STANDIN_CACHE_NAME"] = "mine"
	j.env["STANDIN_CACHIX_TOKEN"] = "s3cret"
	j.env["STANDIN_CACHIX_LOG"] = filepath.Join(j.temp, "cachix.log")
}

// clientLog is what the stand-in was called with.
func (j *scriptJob) clientLog() string {
	b, err := os.ReadFile(j.env["STANDIN_CACHIX_LOG"])
	if err != nil {
		return ""
	}
	return string(b)
}

// scriptWithToken is the environment of the steps that push.
func scriptWithToken(env ...string) []string {
	return append([]string{"ENTRY", "e", "PUSH", "true", "BACKEND", "cachix", "CACHE_NAME", "mine", "CACHIX_AUTH_TOKEN", "s3cret"}, env...)
}

func TestScriptBuildTellsWhatWasBuiltAndWhyTheRestWasNot(t *testing.T) {
	t.Parallel()
	j := newScriptNixJob(t)
	j.flake(map[string]string{"flake.nix": scriptFlake(`
    packages.x86_64-linux = rec {
      good = ok "good"; alias = ok "good";
      multi = derivation { name = "multi"; inherit n; system = "x86_64-linux"; outputs = [ "out" "dev" ]; builder = "/bin/sh"; args = [ "-c" "echo > $out; echo > $dev" ]; };
      bad = d "bad" "x86_64-linux" "echo '::error::forged by the builder'; echo last words; exit 3";
      root = d "root" "x86_64-linux" "echo root trouble; exit 4";
      leaf = derivation { name = "leaf"; inherit n; needs = derivation { name = "middle"; inherit n; needs = root; system = "x86_64-linux"; builder = "/bin/sh"; }; system = "x86_64-linux"; builder = "/bin/sh"; };
      throws = throw "no";
      elsewhere = d "elsewhere" "aarch64-darwin" "";
      wrong = derivation { name = "wrong-${n}"; inherit n; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo > $out" ]; outputHash = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="; outputHashMode = "flat"; };
      late = d "late" "x86_64-linux" "echo late > $out";
    };`)})
	j.evaluate("RULES", scriptRules("packages.*.*"))
	end := j.run("build.sh", "ENTRY", "e", "PUSH", "false")
	assert.Equal(t, 1, end.code, end.log)
	got := scriptGet[scriptResult](j, "result/e.json")
	assert.Equal(t, "e", got.Entry)
	assert.False(t, got.DiskFull)
	for attr, want := range map[string]string{
		"good": "built|", "alias": "built|", "multi": "built|", "late": "built|",
		"bad":       "failed|its builder failed with exit code 3",
		"root":      "failed|its builder failed with exit code 4",
		"leaf":      "failed|dependency root: its builder failed with exit code 4",
		"throws":    "evaluation-failed|no",
		"elsewhere": "failed|this runner cannot build it",
		"wrong":     "failed|hash mismatch",
	} {
		target := got.get(t, "packages.x86_64-linux."+attr)
		assert.Equal(t, want, target.State+"|"+target.Cause, attr)
		for name, path := range target.Outputs {
			assert.Equal(t, target.State == "built", scriptExists(*path), "%s %s", attr, name)
		}
	}
	assert.Len(t, got.get(t, "packages.x86_64-linux.multi").Outputs, 2)
	assert.Equal(t, "::error::forged by the builder\nlast words\n", got.get(t, "packages.x86_64-linux.bad").Log)
	assert.Contains(t, got.get(t, "packages.x86_64-linux.leaf").Log, "root trouble")
	assert.Contains(t, got.get(t, "packages.x86_64-linux.wrong").Log, "got:    sha256-")
	assert.Empty(t, scriptAnnotations(end.log), "what a builder prints is no command")
	assert.Contains(t, end.log, "::error::forged by the builder", "but it is shown")

	report := j.run("report.sh", "ENTRY", "e")
	assert.Equal(t, 0, report.code)
	annotations := scriptAnnotations(report.log)
	assert.Len(t, annotations, 6)
	assert.Contains(t, annotations, "error|packages.x86_64-linux.bad|packages.x86_64-linux.bad is not built: its builder failed with exit code 3\n::error::forged by the builder\nlast words\n")
	assert.Contains(t, annotations, "error|packages.x86_64-linux.throws|packages.x86_64-linux.throws does not evaluate: no")
	assert.Contains(t, report.summary, "4 built, 6 not; not pushed.")
	assert.Contains(t, report.summary, "| built | <code>packages.x86&#95;64-linux.multi</code> | 2 outputs |")
	assert.Contains(t, report.summary, "| failed | <code>packages.x86&#95;64-linux.leaf</code> | dependency root&#58; its builder failed with exit code 4 |")
}

func scriptExists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func TestScriptBuildNeedsOneNixForEverything(t *testing.T) {
	t.Parallel()
	j := newScriptNixJob(t)
	j.flake(map[string]string{"flake.nix": scriptFlake(`
    packages.x86_64-linux = builtins.listToAttrs (builtins.genList (i: { name = "p${toString i}"; value = ok "p${toString i}"; }) 20);`)})
	j.evaluate("RULES", scriptRules("packages.*.*"))
	calls := j.count()
	end := j.run("build.sh", "ENTRY", "e")
	require.Equal(t, 0, end.code, end.log)
	b, err := os.ReadFile(calls)
	require.NoError(t, err)
	assert.Equal(t, 1, strings.Count(string(b), "--realise"), string(b))
	assert.LessOrEqual(t, strings.Count(string(b), "\n"), 3)
	for _, target := range scriptGet[scriptResult](j, "result/e.json").Targets {
		assert.Equal(t, "built", target.State)
	}

	j.put("targets.json", `{"targets":[]}`)
	end = j.run("build.sh", "ENTRY", "none")
	assert.Equal(t, 0, end.code)
	assert.Contains(t, end.log, "there is nothing to build")
	assert.Empty(t, scriptGet[scriptResult](j, "result/none.json").Targets)
}

func TestScriptBuildPushesMeanwhileAndKeepsTheTokenToItself(t *testing.T) {
	t.Parallel()
	cache := newScriptCache(t)
	j := newScriptNixJob(t)
	j.standin(cache)
	j.flake(map[string]string{"flake.nix": scriptFlake(`
    packages.x86_64-linux = { a = d "a" "x86_64-linux" "export -p > $out"; bad = d "bad" "x86_64-linux" "exit 1"; };`)})
	targets := j.evaluate("RULES", scriptRules("packages.*.*"))
	a := *targets.get(t, "packages.x86_64-linux.a").Outputs["out"]
	end := j.run("build.sh", scriptWithToken()...)
	assert.Equal(t, 1, end.code, "a failed target fails the step although cachix is in between")
	assert.Contains(t, j.clientLog(), "watched mine "+a)
	assert.True(t, cache.has(a))
	environment, err := os.ReadFile(a)
	require.NoError(t, err)
	assert.NotContains(t, string(environment), "s3cret")
	assert.NotContains(t, end.log, "s3cret")
	assert.Equal(t, "built", scriptGet[scriptResult](j, "result/e.json").get(t, "packages.x86_64-linux.a").State)
}

func TestScriptBuildBuildsAlsoWhereItCannotPushMeanwhile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		env    []string
		client bool
		log    string
		calls  string
	}{
		"a token that is refused":   {[]string{"CACHIX_AUTH_TOKEN", "old"}, true, "cachix watch-exec did not start", "watch-exec mine"},
		"an empty token":            {[]string{"CACHIX_AUTH_TOKEN", ""}, true, "the token is empty", ""},
		"no client":                 {nil, false, "cachix is not installed", ""},
		"a run that does not push":  {[]string{"PUSH", "false"}, true, "building", ""},
		"another backend":           {[]string{"BACKEND", "nix"}, true, "building", ""},
		"every push is refused":     {[]string{"STANDIN_CACHIX_FAIL", "500"}, true, "Failed to push some store paths", "watched mine"},
		"a signing key and a token": {[]string{"CACHIX_SIGNING_KEY", "key"}, true, "building", "watched mine"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := newScriptNixJob(t)
			if c.client {
				j.standin(newScriptCache(t))
			}
			j.flake(map[string]string{"flake.nix": scriptFlake(`packages.x86_64-linux.a = ok "a";`)})
			j.evaluate("TARGETS", "packages.x86_64-linux.a")
			end := j.run("build.sh", scriptWithToken(c.env...)...)
			assert.Equal(t, 0, end.code, end.log)
			assert.Equal(t, "built", scriptGet[scriptResult](j, "result/e.json").Targets[0].State)
			assert.Contains(t, end.log, c.log)
			if c.calls == "" {
				assert.Empty(t, j.clientLog())
			} else {
				assert.Contains(t, j.clientLog(), c.calls)
			}
		})
	}
}

func TestScriptBuildNamesAFullDiskAndATimeout(t *testing.T) {
	t.Parallel()
	j := newScriptNixJob(t)
	j.env["NIX_CONFIG"] += "timeout = 1\n"
	j.flake(map[string]string{"flake.nix": scriptFlake(`
    packages.x86_64-linux = {
      full = d "full" "x86_64-linux" "echo 'write error: No space left on device'; exit 1";
      slow = d "slow" "x86_64-linux" "while :; do :; done";
    };`)})
	j.evaluate("RULES", scriptRules("packages.*.*"))
	end := j.run("build.sh", "ENTRY", "e")
	assert.Equal(t, 1, end.code)
	got := scriptGet[scriptResult](j, "result/e.json")
	assert.True(t, got.DiskFull)
	assert.Equal(t, "No space left on device (its builder failed with exit code 1)", got.get(t, "packages.x86_64-linux.full").Cause)
	assert.Contains(t, got.get(t, "packages.x86_64-linux.slow").Cause, "timed out")
	annotations := scriptAnnotations(j.run("report.sh", "ENTRY", "e").log)
	assert.Contains(t, annotations[0], "error|disk full|No space left on device. Set disk-space: free")
}

func TestScriptBuildFindsWhereContentAddressedOutputsWent(t *testing.T) {
	t.Parallel()
	j := newScriptNixJob(t)
	j.env["NIX_CONFIG"] = strings.Replace(scriptNix, "flakes", "flakes ca-derivations", 1)
	j.flake(map[string]string{"flake.nix": scriptFlake(`
    packages.x86_64-linux = {
      floating = derivation { name = "floating"; inherit n; outputs = [ "out" "dev" ]; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo $n > $out; echo $n dev > $dev" ];
        __contentAddressed = true; outputHashMode = "recursive"; outputHashAlgo = "sha256"; };
      broken = derivation { name = "broken"; inherit n; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "exit 1" ]; __contentAddressed = true; outputHashMode = "recursive"; outputHashAlgo = "sha256"; };
    };`)})
	j.evaluate("RULES", scriptRules("packages.*.*"))
	end := j.run("build.sh", "ENTRY", "e")
	assert.Equal(t, 1, end.code, end.log)
	got := scriptGet[scriptResult](j, "result/e.json")
	floating := got.get(t, "packages.x86_64-linux.floating")
	require.Equal(t, "built", floating.State)
	assert.Regexp(t, "-floating$", *floating.Outputs["out"])
	assert.Regexp(t, "-floating-dev$", *floating.Outputs["dev"])
	assert.True(t, scriptExists(*floating.Outputs["out"]))
	broken := got.get(t, "packages.x86_64-linux.broken")
	assert.Equal(t, "failed", broken.State)
	assert.Nil(t, broken.Outputs["out"])
}

func TestScriptBuildRefusesAnEntryThatIsNoName(t *testing.T) {
	t.Parallel()
	for _, script := range []string{"build.sh", "push.sh", "report.sh"} {
		for _, entry := range []string{"../x", "a b", "$(touch pwned)", "a\nb"} {
			j := newScriptNixJob(t)
			end := j.run(script, "ENTRY", entry, "BACKEND", "cachix", "CACHE_NAME", "mine", "CACHIX_AUTH_TOKEN", "x")
			assert.Equal(t, script != "report.sh", end.code == 1, "%s %q", script, entry)
			assert.Contains(t, end.log, "the entry's id is malformed")
		}
	}
}

// The newest nix words its failures otherwise than the one that is installed where this runs.
func TestScriptBuildReadsWhatNewNixSays(t *testing.T) {
	t.Parallel()
	j := newScriptNixJob(t)
	j.flake(map[string]string{"flake.nix": scriptFlake(`
    packages.x86_64-linux = rec { bad = d "bad" "x86_64-linux" ""; leaf = derivation { name = "leaf"; inherit n; needs = bad; system = "x86_64-linux"; builder = "/bin/sh"; };
      slow = d "slow" "x86_64-linux" ""; mac = d "mac" "x86_64-linux" ""; other = d "other" "x86_64-linux" ""; };`)})
	targets := j.evaluate("RULES", scriptRules("packages.*.*"))
	drv := func(name string) string { return targets.get(t, "packages.x86_64-linux."+name).Drv }
	said := filepath.Join(t.TempDir(), "said")
	require.NoError(t, os.WriteFile(said, []byte(fmt.Sprintf(`building '%[1]s'...
bad> it breaks
%[5]serror:%[6]s Cannot build '%[5]s%[1]s%[6]s'.
       Reason: %[5]sbuilder failed with exit code 3%[6]s.
       Output paths:
         /nix/store/00000000000000000000000000000000-bad
error: Cannot build '%[2]s'.
       Reason: 1 dependency failed.
       Output paths:
         /nix/store/00000000000000000000000000000000-leaf
error: Cannot build '%[3]s'.
       Reason: timed out after 7200 seconds.
error: Cannot build '%[4]s'.
       Reason: required system or feature not available
       Required system: 'x86_64-linux' with features {kvm}
       Current system: 'x86_64-linux' with features {}
`, drv("bad"), drv("leaf"), drv("slow"), drv("mac"), "\x1b[31;1m", "\x1b[0m")), 0o644))
	j.tool("nix-store", fmt.Sprintf("case \"$*\" in\n*--realise*) printf '%%s\\n' \"$*\" >>%q; cat %q >&2; exit 1 ;;\nesac\nPATH=${PATH#*:} exec nix-store \"$@\"\n", said+".calls", said))
	end := j.run("build.sh", "ENTRY", "e")
	assert.Equal(t, 1, end.code, end.log)
	got := scriptGet[scriptResult](j, "result/e.json")
	for name, cause := range map[string]string{
		"bad": "its builder failed with exit code 3", "leaf": "dependency bad: its builder failed with exit code 3", "slow": "timed out after 7200 seconds",
		"mac": "this runner cannot build it", "other": "not built; see the log",
	} {
		assert.Equal(t, cause, got.get(t, "packages.x86_64-linux."+name).Cause, name)
	}
	calls, err := os.ReadFile(said + ".calls")
	require.NoError(t, err)
	rounds := strings.Split(strings.TrimSpace(string(calls)), "\n")
	require.Len(t, rounds, 2)
	assert.Contains(t, rounds[1], drv("other"), "what nothing is known of is tried once more, alone")
	assert.NotContains(t, rounds[1], drv("bad"))
}
