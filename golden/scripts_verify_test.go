package golden_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// verdicts writes verdicts.json: a verdict for each path, in an order of n.
func (j *scriptJob) verdicts(state string, of map[int]string) {
	j.t.Helper()
	paths := map[string]any{}
	for n, verdict := range of {
		paths[scriptPath(n, "p")] = map[string]any{"verdict": verdict, "cause": "HTTP 404"}
	}
	j.put("verdicts.json", map[string]any{"cache": map[string]any{"url": "http://127.0.0.1", "state": state, "message": "HTTP 502"}, "paths": paths})
}

func scriptWants(attr, state string, paths ...int) map[string]any {
	outputs := map[string]any{}
	for i, n := range paths {
		outputs[[]string{"out", "dev", "man"}[i]] = scriptPath(n, "p")
	}
	return map[string]any{"attr": attr, "path": strings.Split(attr, "."), "check": "check " + attr, "outputs": outputs, "state": state, "error": nil, "system": "x86_64-linux", "drv": scriptPath(999, "p.drv")}
}

func TestScriptVerifyDemandsWhatTheRunPushedOrSkipped(t *testing.T) {
	t.Parallel()
	j := newScriptJob(t)
	j.put("plan/plan.json", map[string]any{"targets": []any{
		scriptWants("cached", "cached", 1), scriptWants("upstream", "upstream", 2), scriptWants("built", "build", 3, 4), scriptWants("not-built", "build", 5), scriptWants("failed", "failed", 6),
	}})
	j.put("result/one.json", map[string]any{"targets": []any{scriptWants("built", "built", 3, 4), scriptWants("not-built", "failed", 5)}})
	j.put("result/two.json", map[string]any{"targets": []any{scriptWants("unplanned", "built", 7), "rubbish", map[string]any{"state": "built"}}})
	good := map[int]string{1: "in-cache", 2: "upstream", 3: "in-cache", 4: "in-cache", 7: "in-cache"}
	j.verdicts("ok", good)
	end := j.run("verify.sh", "MODE", "run")
	assert.Equal(t, 0, end.code, end.log)
	assert.Empty(t, scriptAnnotations(end.log))
	assert.Contains(t, end.summary, "| 4 | 1 | 0 | 0 |")
	assert.Empty(t, end.outputs)

	good[4], good[7] = "missing", "unknown"
	j.verdicts("ok", good)
	end = j.run("verify.sh", "MODE", "run")
	assert.Equal(t, 1, end.code)
	assert.Equal(t, []string{
		"error|built|built dev: " + scriptPath(4, "p") + " is missing (HTTP 404). Build and push it again: run the build workflow on this branch, or re-run its failed jobs.",
		"error|unplanned|unplanned out: unknown whether it is there (HTTP 404)",
	}, scriptAnnotations(end.log))
	assert.Contains(t, end.log, "2 in the cache, 1 upstream, 1 missing, 1 unknown")

	delete(good, 4)
	good[7] = "in-cache"
	j.verdicts("ok", good)
	end = j.run("verify.sh", "MODE", "run")
	assert.Equal(t, 1, end.code, "a path nobody asked for is not proven")
	assert.Contains(t, end.log, "the cache was not asked")

	j.verdicts("unreachable", map[int]string{1: "unknown", 2: "unknown", 3: "unknown", 4: "unknown", 7: "unknown"})
	end = j.run("verify.sh", "MODE", "run")
	assert.Equal(t, 1, end.code)
	assert.Equal(t, []string{"error|Verify|the cache http://127.0.0.1 cannot be used: HTTP 502"}, scriptAnnotations(end.log))

	none := newScriptJob(t)
	none.put("plan/plan.json", `{"targets":[]}`)
	none.verdicts("ok", nil)
	assert.Equal(t, 0, none.run("verify.sh", "MODE", "run").code, "nothing to prove")
}

// A build job ran the repository's code: neither its silence nor another path makes a planned output proven.
func TestScriptVerifyTrustsThePlanBeforeTheJob(t *testing.T) {
	t.Parallel()
	for name, result := range map[string]any{
		"no result":        nil,
		"an empty result":  map[string]any{"targets": []any{}},
		"a result of lies": map[string]any{"targets": []any{scriptWants("built", "built", 1)}},
	} {
		j := newScriptJob(t)
		j.put("plan/plan.json", map[string]any{"targets": []any{scriptWants("built", "build", 3)}})
		if result != nil {
			j.put("result/one.json", result)
		}
		j.verdicts("ok", map[int]string{1: "in-cache", 3: "missing"})
		end := j.run("verify.sh", "MODE", "run")
		assert.Equal(t, 1, end.code, name)
		assert.Contains(t, end.log, scriptPath(3, "p")+" is missing", name)
	}
}

func TestScriptVerifyDemandsEveryTarget(t *testing.T) {
	t.Parallel()
	broken := scriptWants("broken", "", 1)
	broken["error"], broken["outputs"] = "no", map[string]any{}
	floating := scriptWants("floating", "", 1)
	floating["outputs"] = map[string]any{"out": nil}
	for _, c := range []struct {
		name, state string
		targets     []any
		unplanned   []any
		verdicts    map[int]string
		code        int
		annotation  string
		unknown     string
	}{
		{name: "everything is there", state: "ok", targets: []any{scriptWants("a", "", 1, 2)}, verdicts: map[int]string{1: "in-cache", 2: "upstream"}},
		{name: "nothing is selected", state: "ok"},
		{name: "an evicted path", state: "ok", targets: []any{scriptWants("a", "", 1, 2)}, verdicts: map[int]string{1: "in-cache", 2: "missing"}, code: 1, annotation: "error|a|a dev: "},
		{name: "what does not evaluate is unknown", state: "ok", targets: []any{broken}, code: 1, annotation: "error|broken|broken : unknown whether it is there (does not evaluate: no)"},
		{name: "what has no path is unknown", state: "ok", targets: []any{floating}, code: 1, annotation: "error|floating|floating out: unknown whether it is there (content-addressed"},
		{name: "no cache", state: "none", targets: []any{scriptWants("a", "", 1)}, verdicts: map[int]string{1: "unknown"}, code: 1, annotation: "error|Verify|no cache is configured"},
		{name: "no cache and nothing selected", state: "none", code: 1, annotation: "error|Verify|no cache is configured"},
		{name: "no cache, all of it upstream", state: "none", targets: []any{scriptWants("a", "", 1)}, verdicts: map[int]string{1: "upstream"}, code: 1, annotation: "error|Verify|no cache is configured"},
		{name: "another runner verifies the rest", state: "ok", unplanned: []any{map[string]any{"system": "aarch64-darwin", "why": ""}}, unknown: `[{"system":"aarch64-darwin","runner":"macos-26"}]`},
		{name: "no runner verifies the rest", state: "ok", unplanned: []any{map[string]any{"system": "riscv64-linux", "why": ""}}, code: 1, annotation: "error|riscv64-linux|no runner is configured to verify"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			j := newScriptJob(t)
			j.put("targets.json", map[string]any{"targets": append([]any{}, c.targets...), "unplanned": append([]any{}, c.unplanned...)})
			j.verdicts(c.state, c.verdicts)
			end := j.run("verify.sh", "MODE", "all", "RUNNERS", scriptRunners)
			assert.Equal(t, c.code, end.code, end.log)
			if c.unknown == "" {
				c.unknown = "[]"
			}
			assert.Equal(t, c.unknown, end.outputs["unplanned"])
			annotations := scriptAnnotations(end.log)
			if c.annotation == "" {
				assert.Empty(t, annotations)
			} else {
				require.Len(t, annotations, 1)
				assert.True(t, strings.HasPrefix(annotations[0], c.annotation), annotations[0])
			}
		})
	}
}

func TestScriptVerifyStaysWithinGitHubsLimitsAndHarmless(t *testing.T) {
	t.Parallel()
	var targets []any
	verdicts := map[int]string{}
	for i := range 2500 {
		name := fmt.Sprint("p", i)
		if i < len(scriptHostile()) {
			name = scriptHostile()[i]
		}
		targets = append(targets, scriptWants(name, "", i+1))
		verdicts[i+1] = "missing"
	}
	j := newScriptJob(t)
	j.put("targets.json", map[string]any{"targets": targets, "unplanned": []any{}})
	j.verdicts("ok", verdicts)
	end := j.run("verify.sh", "MODE", "all")
	assert.Equal(t, 1, end.code)
	annotations := scriptAnnotations(end.log)
	assert.Len(t, annotations, 21)
	assert.Equal(t, "notice|Verify|and 2480 more", annotations[20])
	assert.Less(t, len(end.summary), 1000000)
	for _, bad := range []string{"\x1b", "\u202e", "##["} {
		assert.NotContains(t, end.log, bad)
		assert.NotContains(t, end.summary, bad)
	}
	assert.NotContains(t, end.summary, "<img")
	for line := range strings.Lines(end.summary) {
		if strings.HasPrefix(line, "| missing | <") {
			assert.Equal(t, 5, strings.Count(line, "|"), line)
		}
	}
}

func TestScriptVerifyNeedsItsInputs(t *testing.T) {
	t.Parallel()
	j := newScriptJob(t)
	require.NoError(t, os.MkdirAll(j.path(""), 0o755))
	assert.Contains(t, j.run("verify.sh", "MODE", "run").log, "the cache was not asked")
	j.verdicts("ok", nil)
	for mode, message := range map[string]string{"run": "there is no plan", "all": "there are no evaluated targets", "some": "MODE must be run or all"} {
		end := j.run("verify.sh", "MODE", mode)
		assert.Equal(t, 1, end.code)
		assert.Contains(t, end.log, message)
	}
}
