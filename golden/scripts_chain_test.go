package golden_test

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// scriptRun is a run of the build workflow: the jobs that plan, build and verify, each on its own machine.
type scriptRun struct {
	t     testing.TB
	plan  *scriptJob
	cache *scriptCache
	env   []string

	planned scriptEnd
	built   []scriptEnd
	results []scriptResult
	verify  scriptEnd
}

// start runs every job in the order of the workflow and decides as the aggregate does.
func (r *scriptRun) start() scriptEnd {
	r.t.Helper()
	j := r.plan
	evaluated := j.run("evaluate.sh", append(r.env, "ALLOW_IFD", "false")...)
	jobs := map[string]string{"PLAN": "success", "BUILD": "skipped", "VERIFY": "skipped"}
	if evaluated.code != 0 {
		jobs["PLAN"] = "failure"
		return j.run("aggregate.sh", scriptPairs(jobs)...)
	}
	require.Equal(r.t, 0, j.run("lookup.sh", r.env...).code)
	r.planned = j.run("plan.sh", r.env...)
	require.Equal(r.t, 0, r.planned.code, r.planned.log)
	plan, err := os.ReadFile(j.path("plan/plan.json"))
	require.NoError(r.t, err)
	verify := j.next()
	verify.put("plan/plan.json", string(plan))
	for _, entry := range scriptJSON[[]struct{ ID string }](r.t, r.planned.outputs["matrix"]) {
		build := j.next()
		build.put("plan/plan.json", string(plan))
		env := append(slices.Clone(r.env), "ENTRY", entry.ID, "ALLOW_IFD", "true", "PUSH", r.planned.outputs["push"])
		if jobs["BUILD"] == "skipped" {
			jobs["BUILD"] = "success"
		}
		for _, step := range []string{"evaluate.sh", "build.sh", "push.sh", "report.sh"} {
			if step == "push.sh" && r.planned.outputs["push"] != "true" {
				continue
			}
			end := build.run(step, env...)
			r.built = append(r.built, end)
			if end.code != 0 {
				jobs["BUILD"] = "failure"
			}
		}
		result, err := os.ReadFile(build.path("result/" + entry.ID + ".json"))
		require.NoError(r.t, err)
		r.results = append(r.results, scriptJSON[scriptResult](r.t, string(result)))
		verify.put("result/"+entry.ID+".json", string(result))
	}
	if r.planned.outputs["push"] == "true" {
		require.Equal(r.t, 0, verify.run("lookup.sh", append(r.env, "INPUTS", "plan/plan.json result/*.json")...).code)
		r.verify = verify.run("verify.sh", "MODE", "run")
		jobs["VERIFY"] = map[bool]string{true: "success", false: "failure"}[r.verify.code == 0]
	}
	for _, name := range []string{"matrix", "push", "failed", "blocked"} {
		jobs[strings.ToUpper(name)] = r.planned.outputs[name]
	}
	return j.run("aggregate.sh", scriptPairs(jobs)...)
}

func scriptPairs(values map[string]string) []string {
	var pairs []string
	for name, value := range values {
		pairs = append(pairs, name, value)
	}
	return pairs
}

// newScriptRun is a run on a flake with these outputs, as a push to main, with a cache and the stand-in client.
func newScriptRun(t testing.TB, outputs, rules string) *scriptRun {
	t.Helper()
	r := &scriptRun{t: t, plan: newScriptNixJob(t), cache: newScriptCache(t)}
	r.plan.standin(r.cache)
	r.plan.flake(map[string]string{"flake.nix": scriptFlake(outputs)})
	r.env = []string{
		"EVENT", "push", "REF", "refs/heads/main", "BRANCH", "main", "HEAD_SHA", "abc", "RULES", rules, "RUNNERS", scriptRunners,
		"BACKEND", "cachix", "CACHE_NAME", "mine", "CACHE_URL", r.cache.url, "HAS_TOKEN", "true", "CACHIX_AUTH_TOKEN", "s3cret", "PUSH_PAUSE", "0",
	}
	return r
}

// states are "attr state" of every result.
func (r *scriptRun) states() []string {
	states := []string{}
	for _, result := range r.results {
		for _, target := range result.Targets {
			states = append(states, target.Attr+" "+target.State)
		}
	}
	slices.Sort(states)
	return states
}

func TestScriptChainBuildsPushesProvesAndThenHasNothingToDo(t *testing.T) {
	t.Parallel()
	r := newScriptRun(t, `
    packages.x86_64-linux = { a = ok "a"; alias = ok "a"; "with space" = ok "b";
      multi = derivation { name = "multi"; inherit n; system = "x86_64-linux"; outputs = [ "out" "dev" ]; builder = "/bin/sh"; args = [ "-c" "echo > $out; echo > $dev" ]; }; };
    nixosConfigurations.web.config.system.build.toplevel = ok "web";`, scriptRules("*.*", "*.x86_64-linux.*"))
	end := r.start()
	require.Equal(t, 0, end.code, end.log+r.verify.log)
	assert.Len(t, r.results, 1, "one job for one system")
	assert.Contains(t, r.verify.log, "6 in the cache, 0 upstream, 0 missing, 0 unknown")
	for _, ran := range r.built {
		assert.NotContains(t, ran.log, "s3cret")
	}
	pushes := r.cache.asked(http.MethodPut, ".narinfo")
	assert.GreaterOrEqual(t, pushes, 5)

	again := &scriptRun{t: t, plan: r.plan.next(), cache: r.cache, env: r.env}
	end = again.start()
	assert.Equal(t, 0, end.code, end.log)
	assert.Equal(t, "[]", again.planned.outputs["matrix"], "nothing is left to build")
	assert.Equal(t, pushes, r.cache.asked(http.MethodPut, ".narinfo"))
	assert.Equal(t, 0, again.verify.code, "what was skipped is proven as well")

	cacheOnly := r.plan.next()
	require.Equal(t, 0, cacheOnly.run("evaluate.sh", r.env...).code)
	require.Equal(t, 0, cacheOnly.run("lookup.sh", r.env...).code)
	assert.Equal(t, 0, cacheOnly.run("verify.sh", "MODE", "all").code)
	evicted, err := filepath.Glob(filepath.Join(r.cache.dir, "*.narinfo"))
	require.NoError(t, err)
	require.NoError(t, os.Remove(evicted[0]))
	require.Equal(t, 0, cacheOnly.run("lookup.sh", r.env...).code)
	assert.Equal(t, 1, cacheOnly.run("verify.sh", "MODE", "all").code, "an evicted path is found")
}

func TestScriptChainPushesTheRestWhereATargetFails(t *testing.T) {
	t.Parallel()
	r := newScriptRun(t, `
    packages.x86_64-linux = { good = ok "good"; bad = d "bad" "x86_64-linux" "exit 1"; throws = throw "no";
      needy = derivation { name = "needy"; inherit n; needs = d "bad" "x86_64-linux" "exit 1"; system = "x86_64-linux"; builder = "/bin/sh"; }; };`, scriptRules("*.*.*"))
	end := r.start()
	assert.Equal(t, 1, end.code)
	assert.Equal(t, []string{"packages.x86_64-linux.bad failed", "packages.x86_64-linux.good built", "packages.x86_64-linux.needy failed"}, r.states())
	assert.True(t, r.cache.has(*r.results[0].get(t, "packages.x86_64-linux.good").Outputs["out"]))
	assert.Equal(t, 0, r.verify.code, "of what was built everything is there")
	assert.Equal(t, "1", r.planned.outputs["failed"])
	assert.Len(t, scriptAnnotations(end.log), 2, "the build, and what does not evaluate")
}

func TestScriptChainGoesRedWhereAPushIsLost(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string][]string{
		"refused": {"STANDIN_CACHIX_FAIL", "403"}, "broken off": {"STANDIN_CACHIX_FAIL", "halfway"}, "an expired token": {"CACHIX_AUTH_TOKEN", "old"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newScriptRun(t, `packages.x86_64-linux.a = ok "a";`, scriptRules("*.*.*"))
			r.env = append(r.env, fault...)
			assert.Equal(t, 1, r.start().code)
			assert.Equal(t, []string{"packages.x86_64-linux.a built"}, r.states(), "it is built all the same")
			assert.Equal(t, 1, r.verify.code, "and known to be missing")
			assert.Contains(t, r.verify.log, "is missing (HTTP 404)")
		})
	}
	t.Run("the server loses what it took", func(t *testing.T) {
		t.Parallel()
		r := newScriptRun(t, `packages.x86_64-linux.a = ok "a";`, scriptRules("*.*.*"))
		r.cache.answer = func(_ http.ResponseWriter, request *http.Request, _ int) bool {
			return request.Method == http.MethodPut && strings.HasSuffix(request.URL.Path, ".narinfo")
		}
		assert.Equal(t, 1, r.start().code)
		assert.True(t, r.results[0].Pushed, "the client saw nothing")
		assert.Equal(t, 1, r.verify.code)
	})
}

func TestScriptChainOfAPullRequestOnlyBuilds(t *testing.T) {
	t.Parallel()
	r := newScriptRun(t, `packages.x86_64-linux = { a = ok "a"; b = ok "b"; };`, `[{"branch":"main","include":["packages.x86_64-linux.a"]},{"branch":null,"include":["packages.x86_64-linux.b"]}]`)
	r.env = append(r.env, "EVENT", "pull_request", "REF", "refs/pull/1/merge", "HAS_BRANCH", "false", "BRANCH", "", "HAS_TOKEN", "false", "CACHIX_AUTH_TOKEN", "")
	end := r.start()
	assert.Equal(t, 0, end.code, end.log)
	assert.Equal(t, []string{"packages.x86_64-linux.b built"}, r.states(), "no section of a branch")
	assert.Zero(t, r.cache.asked(http.MethodPut, ""))
	assert.Empty(t, r.plan.clientLog())
	assert.Empty(t, scriptAnnotations(r.planned.log))
}

func TestScriptChainEvaluatesASystemOnItsOwnRunner(t *testing.T) {
	t.Parallel()
	r := newScriptRun(t, `
    packages.x86_64-linux = import (d "ifd" "x86_64-linux" "echo '{ made = builtins.derivation { name = \"made\"; system = \"x86_64-linux\"; builder = \"/bin/sh\"; args = [ \"-c\" \"echo > $out\" ]; n = \"'$n'\"; }; }' > $out");
    packages.aarch64-linux.other = d "other" "aarch64-linux" "";`, scriptRules("packages.x86_64-linux.*"))
	end := r.start()
	assert.Equal(t, 0, end.code, end.log+r.verify.log)
	assert.Contains(t, r.planned.outputs["matrix"], "x86_64-linux (evaluated there)")
	assert.Equal(t, []string{"packages.x86_64-linux.made built"}, r.states())
	assert.Contains(t, r.verify.log, "1 in the cache")
}

func TestScriptChainFailsOnlyAtThePlanWhereAFlakeCannotBeListed(t *testing.T) {
	t.Parallel()
	r := newScriptRun(t, `packages.x86_64-linux.a = ok "a"; packages.aarch64-darwin = throw "no mac";`, scriptRules("packages.*.*"))
	end := r.start()
	assert.Equal(t, 1, end.code)
	assert.Contains(t, end.log, "the plan failed")
	assert.Empty(t, r.results)
}

func TestScriptChainOfHostileNames(t *testing.T) {
	t.Parallel()
	var outputs strings.Builder
	for i, name := range scriptHostile() {
		if !strings.Contains(name, ".") {
			outputs.WriteString("packages.x86_64-linux." + scriptNixString(name) + ` = d "x` + strings.Repeat("i", i) + `" "x86_64-linux" ` +
				scriptNixString("echo "+"'::error::from the builder'\n"+map[bool]string{true: "echo > $out", false: "exit 1"}[i%2 == 0]) + ";\n")
		}
	}
	r := newScriptRun(t, outputs.String(), scriptRules("packages.*.*"))
	r.env = append(r.env, "GRANULARITY", "system")
	assert.Equal(t, 1, r.start().code)
	logs := r.planned.log + r.verify.log
	for _, end := range r.built {
		logs += end.log
	}
	for _, annotation := range scriptAnnotations(logs) {
		assert.Regexp(t, `^(error\|packages\.x86_64-linux\.|notice\|Build\|and )`, annotation)
	}
	assert.NotContains(t, logs, "\x1b")
	assert.NoFileExists(t, filepath.Join(r.plan.checkout, "pwned"))
	assert.Equal(t, 0, r.verify.code, r.verify.log)
}
