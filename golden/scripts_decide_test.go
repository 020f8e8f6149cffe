package golden_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestScriptAggregateIsGreenOnlyWhereEverythingThatHadToRunDid(t *testing.T) {
	t.Parallel()
	good := map[string]string{"PLAN": "success", "BUILD": "success", "VERIFY": "success", "MATRIX": "some", "FAILED": "0", "BLOCKED": "false", "PUSH": "true"}
	for _, c := range []struct {
		name string
		env  []string
		want int
	}{
		{"everything succeeded", nil, 0},
		{"nothing to build", []string{"BUILD", "skipped", "MATRIX", "[]"}, 0},
		{"nothing to build or push", []string{"BUILD", "skipped", "MATRIX", "[]", "VERIFY", "skipped", "PUSH", "false"}, 0},
		{"built without pushing", []string{"VERIFY", "skipped", "PUSH", "false"}, 0},
		{"the plan failed", []string{"PLAN", "failure", "BUILD", "skipped", "VERIFY", "skipped", "MATRIX", "", "FAILED", "", "BLOCKED", "", "PUSH", ""}, 1},
		{"the plan was cancelled", []string{"PLAN", "cancelled"}, 1},
		{"the plan was skipped", []string{"PLAN", "skipped"}, 1},
		{"a build failed", []string{"BUILD", "failure"}, 1},
		{"a build was cancelled", []string{"BUILD", "cancelled"}, 1},
		{"the build was skipped although there is something to build", []string{"BUILD", "skipped"}, 1},
		{"the build was skipped and nobody knows what was to build", []string{"BUILD", "skipped", "MATRIX", ""}, 1},
		{"the verification failed", []string{"VERIFY", "failure"}, 1},
		{"the verification was cancelled", []string{"VERIFY", "cancelled"}, 1},
		{"the verification was skipped although the run pushes", []string{"VERIFY", "skipped"}, 1},
		{"the verification was skipped and nobody knows whether the run pushes", []string{"VERIFY", "skipped", "PUSH", ""}, 1},
		{"a target does not evaluate", []string{"FAILED", "1"}, 1},
		{"a number that is none", []string{"FAILED", "none"}, 1},
		{"no number", []string{"FAILED", ""}, 1},
		{"a run that should push and cannot", []string{"BLOCKED", "true"}, 1},
		{"nobody knows whether it is blocked", []string{"BLOCKED", ""}, 1},
		{"a result nobody knows", []string{"BUILD", "::error::x"}, 1},
	} {
		j := newScriptJob(t)
		for name, value := range good {
			j.env[name] = value
		}
		end := j.run("aggregate.sh", c.env...)
		assert.Equal(t, c.want, end.code, "%s\n%s", c.name, end.log)
		if c.want == 0 {
			assert.Contains(t, end.log, "all is well")
		} else {
			assert.NotEmpty(t, scriptAnnotations(end.log), c.name)
			for _, annotation := range scriptAnnotations(end.log) {
				assert.True(t, strings.HasPrefix(annotation, "error|Decision|"), annotation)
			}
		}
	}
}

func TestScriptStatusesPostOneStatusPerTarget(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	posted := map[string]map[string]string{}
	tries := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var status map[string]string
		mu.Lock()
		defer mu.Unlock()
		if err != nil || r.Method != http.MethodPost || r.URL.Path != "/repos/o/r/statuses/abc123" || r.Header.Get("Authorization") != "Bearer s3cret" || json.Unmarshal(body, &status) != nil {
			w.WriteHeader(400)
			return
		}
		tries[status["context"]]++
		switch {
		case status["context"] == "check limited" && tries[status["context"]] < 3:
			w.WriteHeader(403)
		case status["context"] == "check refused":
			w.WriteHeader(422)
			fmt.Fprint(w, `{"message":"This SHA and context has reached the maximum number of statuses.\n::error::x"}`)
		default:
			w.WriteHeader(201)
			posted[status["context"]] = status
		}
	}))
	t.Cleanup(server.Close)
	j := newScriptJob(t)
	failed := scriptWants("eval", "failed")
	failed["error"] = "throws\nhere"
	long := scriptWants(strings.Repeat("l", 300), "cached", 9)
	hostile := scriptWants("\"\n@/etc/passwd\x1b", "cached", 9)
	plan := []any{
		scriptWants("cached", "cached", 1), scriptWants("upstream", "upstream", 2), scriptWants("built", "build", 3), scriptWants("broken", "build", 4), scriptWants("lost", "build", 5), failed,
		scriptWants("no-runner", "no-runner", 6), scriptWants("limited", "cached", 7), long, hostile,
	}
	j.put("plan/plan.json", map[string]any{"targets": plan})
	broken := scriptWants("broken", "failed", 4)
	broken["cause"] = strings.Repeat("because ", 50)
	liar := scriptWants("eval", "built", 8)
	j.put("result/a.json", map[string]any{"pushed": true, "targets": []any{scriptWants("built", "built", 3), broken, liar, scriptWants("unplanned", "built", 8), "rubbish"}})
	env := []string{"GITHUB_TOKEN", "s3cret", "GITHUB_API_URL", server.URL, "REPOSITORY", "o/r", "HEAD_SHA", "abc123", "RUN_URL", "http://127.0.0.1/run", "PAUSE", "0"}
	end := j.run("statuses.sh", env...)
	assert.Equal(t, 0, end.code, end.log)
	assert.NotContains(t, end.log, "s3cret")
	got := map[string]string{}
	for context, status := range posted {
		got[context] = status["state"] + ": " + status["description"]
		assert.LessOrEqual(t, len(status["description"]), 140)
		assert.LessOrEqual(t, len(context), 255)
		assert.Equal(t, "http://127.0.0.1/run", status["target_url"])
	}
	assert.Equal(t, map[string]string{
		"check cached":                      "success: already in the cache",
		"check upstream":                    "success: already in an upstream cache",
		"check built":                       "success: built and pushed",
		"check broken":                      "failure: not built: " + strings.Repeat("because ", 50)[:140-len("not built: ")],
		"check lost":                        "error: its job ended without a result",
		"check eval":                        "failure: does not evaluate: throws here",
		"check no-runner":                   "error: no runner is configured for its system",
		"check limited":                     "success: already in the cache",
		"check unplanned":                   "success: built and pushed",
		"check " + strings.Repeat("l", 249): "success: already in the cache",
		"check \" @/etc/passwd ":            "success: already in the cache",
	}, got)

	j.put("plan/plan.json", map[string]any{"targets": append(plan, scriptWants("refused", "cached", 1))})
	end = j.run("statuses.sh", env...)
	assert.Equal(t, 1, end.code)
	assert.Equal(t, []string{"error|Statuses|1 of 12 statuses could not be posted (HTTP 422: This SHA and context has reached the maximum number of statuses.::error::x)"}, scriptAnnotations(end.log))
	assert.Equal(t, 1+4, tries["check refused"]+1, "refused ones alone are posted again")

	for _, c := range [][]string{{"REPOSITORY", "o/r\"\nurl = \"http://127.0.0.1"}, {"HEAD_SHA", "abc/../.."}} {
		assert.Equal(t, 1, j.run("statuses.sh", append(env, c...)...).code)
	}
}

func TestScriptFreeDiskIsForLinuxOnly(t *testing.T) {
	t.Parallel()
	j := newScriptJob(t)
	j.tool("uname", "echo Darwin\n")
	j.tool("rm", "echo removing \"$@\"\n")
	end := j.run("free-disk.sh")
	assert.Equal(t, 0, end.code)
	assert.Equal(t, "only Linux runners are cleared\n", end.log)
	j.tool("uname", "echo Linux\n")
	j.tool("sudo", "shift\necho as root: \"$@\"\n")
	end = j.run("free-disk.sh")
	assert.Equal(t, 0, end.code, end.log)
	for line := range strings.Lines(end.log) {
		if strings.Contains(line, "removing") {
			assert.Regexp(t, `removing -rf -- /(usr|opt)/`, line)
		}
	}
}
