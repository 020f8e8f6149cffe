package golden_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestScriptReportSaysSoWhenThereIsNoResult(t *testing.T) {
	t.Parallel()
	end := newScriptJob(t).run("report.sh", "ENTRY", "x86_64-linux-1")
	assert.Equal(t, 0, end.code)
	assert.Equal(t, []string{"error|x86_64-linux-1|there is no result: the evaluation or the build step ended early; see their logs"}, scriptAnnotations(end.log))
	assert.Contains(t, end.summary, "There is no result")
}

func TestScriptReportStaysWithinGitHubsLimits(t *testing.T) {
	t.Parallel()
	var targets []any
	for i := range 2500 {
		targets = append(targets, map[string]any{
			"attr": fmt.Sprintf("packages.x86_64-linux.%s%d", strings.Repeat("<", 200), i), "outputs": map[string]any{}, "state": "failed", "cause": strings.Repeat("|", 500), "log": strings.Repeat("%\n", 4000),
		})
	}
	j := newScriptJob(t)
	j.put("result/e.json", map[string]any{"entry": "e", "targets": targets, "disk_full": true, "pushed": false})
	end := j.run("report.sh", "ENTRY", "e")
	assert.Equal(t, 0, end.code)
	annotations := scriptAnnotations(end.log)
	assert.Len(t, annotations, 11)
	assert.Equal(t, "notice|Build|and 2491 more targets that failed", annotations[10])
	for _, annotation := range annotations {
		assert.LessOrEqual(t, len(annotation), 4500)
	}
	assert.LessOrEqual(t, len(end.summary), 910000)
}

func TestScriptReportKeepsHostileTextHarmless(t *testing.T) {
	t.Parallel()
	var targets []any
	for _, name := range scriptHostile() {
		targets = append(targets, map[string]any{"attr": name, "outputs": map[string]any{}, "state": "failed", "cause": name, "log": "x\n" + name + "\n::stop-commands::x\n"})
	}
	j := newScriptJob(t)
	j.put("result/e.json", map[string]any{"entry": "e", "targets": targets, "disk_full": false, "pushed": false})
	end := j.run("report.sh", "ENTRY", "e")
	assert.Len(t, scriptAnnotations(end.log), 11)
	for _, bad := range []string{"\x1b", "\u202e", "##["} {
		assert.NotContains(t, end.log, bad)
		assert.NotContains(t, end.summary, bad)
	}
	for line := range strings.Lines(end.summary) {
		if strings.HasPrefix(line, "| failed") {
			assert.Equal(t, 4, strings.Count(line, "|"), line)
		}
	}
	assert.NotContains(t, end.summary, "<img")
}
