package golden_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestScriptPlanDecidesWhetherToPush(t *testing.T) {
	t.Parallel()
	ok, unreachable, none := `{"url":"u","state":"ok","message":""}`, `{"url":"u","state":"unreachable","message":"HTTP 502"}`, `{"url":"","state":"none","message":"no cache is configured"}`
	for _, c := range []struct {
		name       string
		cache      string
		env        []string
		push       string
		blocked    string
		annotation string // "" for none
	}{
		{name: "a branch of the repository pushes", cache: ok, push: "true", blocked: "false"},
		{name: "so does a run by hand", cache: ok, env: []string{"EVENT", "workflow_dispatch"}, push: "true", blocked: "false"},
		{name: "a pull request never does", cache: ok, env: []string{"EVENT", "pull_request"}, push: "false", blocked: "false"},
		{name: "a merge group never does", cache: ok, env: []string{"EVENT", "merge_group"}, push: "false", blocked: "false"},
		{name: "an event nobody thought of never does", cache: ok, env: []string{"EVENT", "schedule"}, push: "false", blocked: "false"},
		{name: "a tag never does", cache: ok, env: []string{"REF", "refs/tags/v1"}, push: "false", blocked: "false"},
		{name: "a branch that is not named does not", cache: ok, env: []string{"PUSH_REFS", "release/*\n"}, push: "false", blocked: "false"},
		{name: "an empty list of branches pushes nothing", cache: ok, env: []string{"PUSH_REFS", "\n"}, push: "false", blocked: "false"},
		{name: "no cache is a warning", cache: none, env: []string{"CACHE_URL", "", "HAS_TOKEN", "false"}, push: "false", blocked: "false", annotation: "warning|Nix Build Cache|no cache is configured: "},
		{name: "no cache in a fork is a notice", cache: none, env: []string{"CACHE_URL", "", "FORK_REPO", "true"}, push: "false", blocked: "false", annotation: "notice|Nix Build Cache|no cache is configured in this fork"},
		{name: "no cache does not matter to a pull request", cache: none, env: []string{"CACHE_URL", "", "EVENT", "pull_request"}, push: "false", blocked: "false"},
		{name: "no token is an error", cache: ok, env: []string{"HAS_TOKEN", "false"}, push: "false", blocked: "true", annotation: "error|Nix Build Cache|there is no token to push to"},
		{name: "no token in a fork is a notice", cache: ok, env: []string{"HAS_TOKEN", "false", "FORK_REPO", "true"}, push: "false", blocked: "false", annotation: "notice|Nix Build Cache|this fork has no token"},
		{name: "dependabot gets no secrets", cache: ok, env: []string{"HAS_TOKEN", "false", "ACTOR", "dependabot[bot]"}, push: "false", blocked: "false", annotation: "notice|Nix Build Cache|a run started by Dependabot"},
		{name: "a cache out of order blocks a run that pushes", cache: unreachable, push: "false", blocked: "true", annotation: "error|Nix Build Cache|the cache mine cannot be used: HTTP 502"},
		{name: "and is a notice to others", cache: unreachable, env: []string{"EVENT", "pull_request"}, push: "false", blocked: "false", annotation: "notice|Nix Build Cache|the cache mine cannot be read (HTTP 502)"},
		{name: "a fork without token and cache out of order", cache: unreachable, env: []string{"HAS_TOKEN", "false", "FORK_REPO", "true"}, push: "false", blocked: "false", annotation: "notice|Nix Build Cache|this fork has no token"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			j := newScriptJob(t)
			j.put("verdicts.json", `{"cache":`+c.cache+`,"paths":{}}`)
			plan, end := j.plan([]any{evaluated("packages.x86_64-linux.a", "x86_64-linux", 1)}, nil, append([]string{"CACHE_NAME", "mine"}, c.env...)...)
			assert.Equal(t, c.push, end.outputs["push"])
			assert.Equal(t, c.push == "true", plan.Push)
			assert.Equal(t, c.blocked, end.outputs["blocked"])
			assert.Equal(t, fmt.Sprint(c.cache == ok), end.outputs["cache"])
			assert.Len(t, plan.Entries, 1, "it is built all the same")
			annotations := scriptAnnotations(end.log)
			if c.annotation == "" {
				assert.Empty(t, annotations)
			} else {
				require.Len(t, annotations, 1)
				assert.True(t, strings.HasPrefix(annotations[0], c.annotation), annotations[0])
			}
			assert.Equal(t, c.push != "true", strings.Contains(end.summary, "Nothing is pushed: "), end.summary)
		})
	}
}

func TestScriptPlanReadsBranchPatternsAsGitHub(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		patterns, ref string
		want          bool
	}{
		{"**", "refs/heads/a/b", true},
		{"*", "refs/heads/a", true},
		{"*", "refs/heads/a/b", false},
		{"release/**", "refs/heads/release/1/x", true},
		{"release/**", "refs/heads/prerelease/1", false},
		{"release/*", "refs/heads/release/1", true},
		{"releases?", "refs/heads/release", true},
		{"releases?", "refs/heads/releasesx", false},
		{"v1.0", "refs/heads/v1.0", true},
		{"v1.0", "refs/heads/v1x0", false},
		{"main", "refs/heads/main2", false},
		{"main", "refs/heads/Main", false},
		{"main\nd*v", "refs/heads/dev", true},
		{" main ", "refs/heads/main", true},
		{"main", "refs/tags/main", false},
		{"a+b(c)|d", "refs/heads/a+b(c)|d", true},
		{"a+b", "refs/heads/aab", false},
		{"gr\u00fcn/*", "refs/heads/gr\u00fcn/x", true},
		{"**", "refs/heads/$(touch pwned)", true},
		{"refs/heads/main", "refs/heads/main", true},
	} {
		_, end := newScriptJob(t).plan([]any{}, nil, "PUSH_REFS", c.patterns, "REF", c.ref)
		assert.Equal(t, fmt.Sprint(c.want), end.outputs["push"], "%q on %q", c.patterns, c.ref)
	}
}

func TestScriptPlanWarnsWhenTheConfigurationChanged(t *testing.T) {
	t.Parallel()
	digest := func(text string) string { sum := sha256.Sum256([]byte(text)); return hex.EncodeToString(sum[:]) }
	for _, c := range []struct {
		name, file, text, digest string
		want                     bool
	}{
		{"the same", "garnix.yaml", "builds: []\n", digest("builds: []\n"), false},
		{"other line ends", "garnix.yaml", "builds: []\r\n", digest("builds: []\n"), false},
		{"changed", "garnix.yaml", "builds: [] \n", digest("builds: []\n"), true},
		{"removed", "garnix.yaml", "", digest("builds: []\n"), true},
		{"no file, none expected", "garnix.yaml", "", "", false},
		{"no file to watch", "", "builds: []\n", "", false},
	} {
		j := newScriptJob(t)
		if c.text != "" {
			require.NoError(t, os.WriteFile(filepath.Join(j.checkout, "garnix.yaml"), []byte(c.text), 0o644))
		}
		_, end := j.plan([]any{}, nil, "CONFIG_FILE", c.file, "CONFIG_DIGEST", c.digest)
		if c.want {
			assert.Equal(t, []string{"warning|Nix Build Cache|garnix.yaml is not what this workflow was generated from: run garnix2gha generate and commit the result"}, scriptAnnotations(end.log), c.name)
			assert.Contains(t, end.summary, "is not what this workflow was generated from", c.name)
		} else {
			assert.Empty(t, scriptAnnotations(end.log), c.name)
		}
	}
}
