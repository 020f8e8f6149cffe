package golden_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkPlanAndVerify compares planning and verifying 200 cached targets with what one writes by hand: for each
// target one nix eval and one nix path-info, against a cache that answers after 20 ms. It reports both and the ratio.
//
//	go test ./golden -run '^$' -bench PlanAndVerify -benchtime 1x
func BenchmarkPlanAndVerify(b *testing.B) {
	const targets = 200
	j := newScriptNixJob(b)
	j.flake(map[string]string{"flake.nix": scriptFlake(fmt.Sprintf(`
    packages.x86_64-linux = builtins.listToAttrs (builtins.genList (i: { name = "p${toString i}"; value = ok "p${toString i}"; }) %d);`, targets))})
	cache := newScriptCache(b)
	for _, target := range j.evaluate("RULES", scriptRules("packages.*.*")).Targets {
		cache.put(*target.Outputs["out"])
	}
	cache.delay = 20 * time.Millisecond
	var ours, byHand time.Duration
	for b.Loop() {
		start := time.Now()
		env := []string{"RULES", scriptRules("packages.*.*"), "CACHE_URL", cache.url, "EVENT", "push", "REF", "refs/heads/main", "HAS_TOKEN", "true", "RUNNERS", scriptRunners}
		for _, step := range [][]string{
			{"evaluate.sh"}, {"lookup.sh"}, {"plan.sh"}, {"lookup.sh", "INPUTS", "plan/plan.json result/*.json"}, {"verify.sh", "MODE", "run"},
		} {
			end := j.run(step[0], append(env, step[1:]...)...)
			require.Equal(b, 0, end.code, end.log)
		}
		require.Empty(b, scriptGet[scriptPlan](j, "plan/plan.json").Entries)
		ours += time.Since(start)

		start = time.Now()
		for i := range targets {
			require.NoError(b, scriptByHand(j, fmt.Sprintf("packages.x86_64-linux.p%d", i), cache.url))
		}
		byHand += time.Since(start)
	}
	b.ReportMetric(ours.Seconds()/float64(b.N), "s/plan+verify")
	b.ReportMetric(byHand.Seconds()/float64(b.N), "s/by-hand")
	b.ReportMetric(byHand.Seconds()/ours.Seconds(), "times-faster")
}

// scriptByHand is the body of the loop that the scripts replace.
func scriptByHand(j *scriptJob, attr, url string) error {
	const loop = `path=$(nix eval --raw ".#$1.outPath") && nix path-info --refresh --store "$2" "$path"`
	return scriptExec(j, "bash", "-euc", loop, "bash", attr, url)
}
