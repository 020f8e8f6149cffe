package golden_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type scriptPlan struct {
	Version int            `json:"version"`
	Head    string         `json:"head"`
	Push    bool           `json:"push"`
	Targets []scriptTarget `json:"targets"`
	Entries []struct {
		ID        string `json:"id"`
		Name      string `json:"name"`
		System    string `json:"system"`
		Runner    any    `json:"runner"`
		Unplanned bool   `json:"unplanned"`
		Request   struct {
			Rules   any    `json:"rules"`
			Branch  any    `json:"branch"`
			System  string `json:"system"`
			Targets []struct {
				Path []string `json:"path"`
			} `json:"targets"`
		} `json:"request"`
	} `json:"entries"`
}

// jobs are "name: attr attr" for each entry.
func (p scriptPlan) jobs() []string {
	jobs := []string{}
	for _, e := range p.Entries {
		var attrs []string
		for _, target := range e.Request.Targets {
			attrs = append(attrs, strings.Join(target.Path, "."))
		}
		jobs = append(jobs, e.Name+": "+strings.Join(attrs, " "))
	}
	return jobs
}

const scriptRunners = `{"x86_64-linux":"ubuntu-24.04","i686-linux":"ubuntu-24.04","aarch64-linux":["self-hosted","arm"],"aarch64-darwin":"macos-26","x86_64-darwin":"macos-26"}`

// evaluated is a target as evaluate.sh writes it; n makes the derivation.
func evaluated(attr, system string, n int) map[string]any {
	path := strings.SplitN(attr, ".", 3)
	return map[string]any{
		"attr": attr, "path": path, "check": "check of " + path[len(path)-1], "system": system, "error": nil,
		"drv": scriptPath(n, "p.drv"), "outputs": map[string]any{"out": scriptPath(100000+n, "p")},
	}
}

// plan plans targets with nothing cached unless env or files say otherwise.
func (j *scriptJob) plan(targets []any, cached []int, env ...string) (scriptPlan, scriptEnd) {
	j.t.Helper()
	if _, err := os.Stat(j.path("targets.json")); err != nil {
		j.put("targets.json", map[string]any{"targets": targets, "unplanned": []any{}, "dotted": []any{}, "missing": []any{}})
	}
	if _, err := os.Stat(j.path("verdicts.json")); err != nil {
		verdicts := map[string]any{}
		for _, target := range targets {
			for _, path := range target.(map[string]any)["outputs"].(map[string]any) {
				if text, ok := path.(string); ok {
					verdicts[text] = map[string]any{"verdict": "missing", "cause": ""}
					for _, n := range cached {
						if strings.HasPrefix(text, strings.TrimSuffix(scriptPath(100000+n, ""), "-")) {
							verdicts[text] = map[string]any{"verdict": "in-cache", "cause": ""}
						}
					}
				}
			}
		}
		j.put("verdicts.json", map[string]any{"cache": map[string]any{"url": "http://127.0.0.1", "state": "ok", "message": ""}, "paths": verdicts})
	}
	end := j.run("plan.sh", append([]string{"EVENT", "push", "REF", "refs/heads/main", "CACHE_URL", "http://127.0.0.1", "HAS_TOKEN", "true", "RUNNERS", scriptRunners, "HEAD_SHA", "abc"}, env...)...)
	require.Equal(j.t, 0, end.code, end.log)
	return scriptGet[scriptPlan](j, "plan/plan.json"), end
}

func TestScriptPlanBuildsWhatIsNotThere(t *testing.T) {
	t.Parallel()
	fails := evaluated("packages.x86_64-linux.fails", "x86_64-linux", 9)
	fails["error"], fails["drv"], fails["outputs"] = "no\nreason", nil, map[string]any{}
	multi := evaluated("packages.x86_64-linux.half", "x86_64-linux", 8)
	multi["outputs"] = map[string]any{"out": scriptPath(100004, "x"), "dev": scriptPath(100008, "x")}
	floating := evaluated("packages.x86_64-linux.floating", "x86_64-linux", 7)
	floating["outputs"] = map[string]any{"out": nil}
	j := newScriptJob(t)
	plan, end := j.plan([]any{
		evaluated("packages.aarch64-darwin.m", "aarch64-darwin", 1), evaluated("packages.x86_64-linux.a", "x86_64-linux", 2),
		evaluated("packages.x86_64-linux.same", "x86_64-linux", 2), evaluated("packages.x86_64-linux.b", "x86_64-linux", 3),
		evaluated("packages.x86_64-linux.there", "x86_64-linux", 4), fails, multi, floating,
		evaluated("packages.i686-linux.i", "i686-linux", 5), evaluated("nixosConfigurations.riscv", "riscv64-linux", 6),
		evaluated("nixosConfigurations.web", "aarch64-linux", 10),
	}, []int{4})
	assert.Equal(t, []string{
		"x86_64-linux: packages.x86_64-linux.a packages.x86_64-linux.same packages.x86_64-linux.b packages.x86_64-linux.floating packages.x86_64-linux.half",
		"i686-linux: packages.i686-linux.i", "aarch64-linux: nixosConfigurations.web", "aarch64-darwin: packages.aarch64-darwin.m",
	}, plan.jobs())
	states := map[string]string{}
	for _, target := range plan.Targets {
		states[target.Attr] = target.State
	}
	assert.Equal(t, map[string]string{
		"packages.aarch64-darwin.m": "build", "packages.x86_64-linux.a": "build", "packages.x86_64-linux.same": "build", "packages.x86_64-linux.b": "build",
		"packages.x86_64-linux.there": "cached", "packages.x86_64-linux.fails": "failed", "packages.x86_64-linux.half": "build", "packages.x86_64-linux.floating": "build",
		"packages.i686-linux.i": "build", "nixosConfigurations.riscv": "no-runner", "nixosConfigurations.web": "build",
	}, states)
	assert.Equal(t, 1, plan.Version)
	assert.Equal(t, "abc", plan.Head)
	assert.True(t, plan.Push)
	assert.Equal(t, map[string]string{"push": "true", "failed": "2", "blocked": "false", "cache": "true", "matrix": end.outputs["matrix"]}, end.outputs)
	matrix := scriptJSON[[]map[string]any](t, end.outputs["matrix"])
	require.Len(t, matrix, 4)
	assert.Equal(t, map[string]any{"id": "x86_64-linux-1", "name": "x86_64-linux", "system": "x86_64-linux", "runner": "ubuntu-24.04"}, matrix[0])
	assert.Equal(t, []any{"self-hosted", "arm"}, matrix[2]["runner"])
	assert.ElementsMatch(t, []string{
		"error|packages.x86_64-linux.fails|packages.x86_64-linux.fails does not evaluate: no\nreason",
		"error|nixosConfigurations.riscv|nixosConfigurations.riscv is for riscv64-linux, for which no runner is configured",
	}, scriptAnnotations(end.log))
	assert.Contains(t, end.summary, "| 8 | 1 | 0 | 2 | 4 |")
	assert.Contains(t, end.summary, "<details><summary>in the cache (1)</summary>")
}

func TestScriptPlanStartsNothingWhereEverythingIsThere(t *testing.T) {
	t.Parallel()
	j := newScriptJob(t)
	plan, end := j.plan([]any{evaluated("packages.x86_64-linux.a", "x86_64-linux", 1), evaluated("nixosConfigurations.riscv", "riscv64-linux", 2)}, []int{1, 2})
	assert.Empty(t, plan.Entries)
	assert.Equal(t, "[]", end.outputs["matrix"])
	assert.Equal(t, "0", end.outputs["failed"], "a system without runner matters only to what must be built")

	none, end := newScriptJob(t).plan([]any{}, nil)
	assert.Empty(t, none.Entries)
	assert.Equal(t, "[]", end.outputs["matrix"])
}

func TestScriptPlanGroupsByTheGranularity(t *testing.T) {
	t.Parallel()
	targets := []any{
		evaluated("packages.x86_64-linux.a", "x86_64-linux", 1), evaluated("packages.x86_64-linux.alias", "x86_64-linux", 1), evaluated("packages.x86_64-linux.b", "x86_64-linux", 2),
		evaluated("packages.x86_64-linux.c", "x86_64-linux", 3), evaluated("packages.aarch64-darwin.m", "aarch64-darwin", 4),
	}
	t.Run("a job per derivation", func(t *testing.T) {
		t.Parallel()
		plan, _ := newScriptJob(t).plan(targets, nil, "GRANULARITY", "target")
		assert.Equal(t, []string{
			"check of a: packages.x86_64-linux.a packages.x86_64-linux.alias", "check of b: packages.x86_64-linux.b", "check of c: packages.x86_64-linux.c", "check of m: packages.aarch64-darwin.m",
		}, plan.jobs()[:4])
	})
	t.Run("shards", func(t *testing.T) {
		t.Parallel()
		plan, _ := newScriptJob(t).plan(targets, nil, "SHARDS", `{"x86_64-linux":2,"aarch64-darwin":7}`)
		assert.Equal(t, []string{
			"x86_64-linux (1/2): packages.x86_64-linux.a packages.x86_64-linux.alias packages.x86_64-linux.c", "x86_64-linux (2/2): packages.x86_64-linux.b", "aarch64-darwin: packages.aarch64-darwin.m",
		}, plan.jobs(), "never more shards than derivations, and never the same derivation in two of them")
	})
}

func TestScriptPlanNeverMakesMoreJobsThanGitHubTakes(t *testing.T) {
	t.Parallel()
	var targets []any
	for i := range 300 {
		system := []string{"x86_64-linux", "x86_64-linux", "x86_64-linux", "aarch64-darwin"}[i%4]
		targets = append(targets, evaluated(fmt.Sprintf("packages.%s.p%03d", system, i), system, i+1))
	}
	targets = append(targets, evaluated("packages.i686-linux.only", "i686-linux", 999))
	for name, env := range map[string][]string{
		"a job per derivation": {"GRANULARITY", "target"},
		"shards":               {"SHARDS", `{"x86_64-linux":200,"aarch64-darwin":200}`},
		"many shards of one":   {"SHARDS", `{"x86_64-linux":999999}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan, end := newScriptJob(t).plan(targets, nil, env...)
			assert.LessOrEqual(t, len(plan.Entries), 256)
			assert.GreaterOrEqual(t, len(plan.Entries), 220)
			seen, ids := map[string]bool{}, map[string]bool{}
			for _, entry := range plan.Entries {
				assert.Regexp(t, regexp.MustCompile(`^[A-Za-z0-9_-]+$`), entry.ID)
				assert.False(t, ids[strings.ToLower(entry.ID)], "ids are unique")
				ids[strings.ToLower(entry.ID)] = true
				assert.NotEmpty(t, entry.Request.Targets)
				for _, target := range entry.Request.Targets {
					assert.Equal(t, entry.System, target.Path[1])
					assert.False(t, seen[strings.Join(target.Path, ".")])
					seen[strings.Join(target.Path, ".")] = true
				}
			}
			assert.Len(t, seen, 301)
			assert.Less(t, len(end.outputs["matrix"]), 400000)
		})
	}
}

func TestScriptPlanHandsUnplannedSystemsOn(t *testing.T) {
	t.Parallel()
	request := map[string]any{"rules": scriptJSON[any](t, scriptRules("*.*.*")), "branch": "main", "system": "aarch64-linux"}
	given := map[string]any{
		"targets": []any{evaluated("nixosConfigurations.web", "aarch64-linux", 1), evaluated("packages.x86_64-linux.a", "x86_64-linux", 2)},
		"unplanned": []any{
			map[string]any{"system": "aarch64-linux", "why": "a build", "request": request}, map[string]any{"system": "armv7l-linux", "why": "a build", "request": request},
		},
	}
	j := newScriptJob(t)
	j.put("targets.json", given)
	plan, end := j.plan(given["targets"].([]any), nil)
	assert.Equal(t, []string{"x86_64-linux: packages.x86_64-linux.a", "aarch64-linux (evaluated there): nixosConfigurations.web"}, plan.jobs(), "one job for the system")
	assert.True(t, plan.Entries[1].Unplanned)
	assert.Equal(t, "aarch64-linux", plan.Entries[1].Request.System)
	assert.Equal(t, "main", plan.Entries[1].Request.Branch)
	assert.Equal(t, request["rules"], plan.Entries[1].Request.Rules)
	assert.Equal(t, "1", end.outputs["failed"], "a system without runner")
	assert.Equal(t, []string{"error|armv7l-linux|the targets of armv7l-linux must be evaluated on their own runner, and none is configured"}, scriptAnnotations(end.log))

	j = newScriptJob(t)
	j.put("targets.json", given)
	plan, _ = j.plan(given["targets"].([]any), nil, "GRANULARITY", "target")
	assert.Equal(t, []string{"check of a: packages.x86_64-linux.a", "check of web: nixosConfigurations.web", "aarch64-linux (evaluated there): "}, plan.jobs())
}

func TestScriptPlanKeepsHostileNamesHarmless(t *testing.T) {
	t.Parallel()
	var targets []any
	for i, name := range scriptHostile() {
		good := evaluated("packages.x86_64-linux.x", "x86_64-linux", i+1)
		bad := evaluated("packages.x86_64-linux.y", "x86_64-linux", i+1001)
		for _, target := range []map[string]any{good, bad} {
			target["attr"], target["path"], target["check"] = "packages.x86_64-linux."+name, []string{"packages", "x86_64-linux", name}, "package "+name+" [x86_64-linux]"
		}
		bad["error"] = name + "\n" + strings.Repeat("x", 5000)
		targets = append(targets, good, bad)
	}
	j := newScriptJob(t)
	plan, end := j.plan(targets, nil, "GRANULARITY", "target", "ACTOR", "$(touch pwned)", "CACHE_NAME", "::error::x")
	assert.Len(t, plan.Entries, len(scriptHostile()))
	for _, annotation := range scriptAnnotations(end.log) {
		assert.Regexp(t, `^(error\|packages\.x86_64-linux\.|notice\|Nix Build Cache\|and [0-9]+ more)`, annotation)
		assert.LessOrEqual(t, len(annotation), 4200)
	}
	for _, bad := range []string{"\x1b", "<img", "](http", "\u202e"} {
		assert.NotContains(t, end.summary, bad)
		assert.NotContains(t, end.log, bad)
	}
	for line := range strings.Lines(end.summary) {
		assert.Regexp(t, `^(\||-|<|#|\n|[0-9])`, line, "no name begins a line of the summary")
		if strings.HasPrefix(line, "| <code>") {
			assert.Equal(t, 5, strings.Count(line, "|"), "no name makes a cell: %q", line)
		}
	}
	assert.True(t, json.Valid([]byte(end.outputs["matrix"])))
	entries, err := os.ReadDir(j.checkout)
	require.NoError(t, err)
	assert.Empty(t, entries)
	for _, entry := range plan.Entries {
		assert.NotRegexp(t, "[\x00-\x1f\x7f]", entry.Name)
	}
}
