package golden_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestActionChecksWorkflows runs action.yml as another repository would call it, from a commit of this one.
func TestActionChecksWorkflows(t *testing.T) {
	t.Parallel()
	act := actTool(t)
	needTools(t, "node", "go")
	const ours = "owner/garnix2gha@0123456789012345678901234567890123456789"
	source, scratch := checkout(t), t.TempDir()
	standins, err := filepath.Abs("testdata/standins/actions")
	require.NoError(t, err)
	repo := filepath.Join(scratch, "repository")
	writeFile(t, repo, "garnix.yaml", "builds:\n  - include: [packages.x86_64-linux.a]\n")
	const workflow = ".github/workflows/check.yml"
	writeFile(t, repo, workflow, `on: push
jobs:
  check:
    name: Check
    runs-on: ubuntu-24.04
    steps:
      - name: Check out the commit
        uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          ref: ${{ github.sha }}
          persist-credentials: false
      - name: Check the workflows
        uses: `+ours+`
`)
	generate := exec.Command("go", "run", "./cmd/garnix2gha", "-C", repo, "generate")
	generate.Dir = source
	out, err := generate.CombinedOutput()
	require.NoError(t, err, "%s", out)

	// What the action's folder is on a runner: no git, and named after the commit.
	local := map[string]string{ours: source}
	for _, uses := range regexp.MustCompile(`uses: ((?:\S+)/(\S+)@\S+)`).FindAllStringSubmatch(string(mustRead(t, "../action.yml")), -1) {
		local[uses[1]] = filepath.Join(standins, uses[2])
	}
	require.Len(t, local, 3)
	for _, dir := range []string{"home", "steps", "caches", "tmp"} {
		require.NoError(t, os.Mkdir(filepath.Join(scratch, dir), 0o755))
	}
	run := func() *actRun {
		t.Helper()
		sha := commitAll(t, repo)
		got, err := actCommand{
			tool: act, dir: repo, workflow: filepath.Join(repo, workflow), labels: []string{"ubuntu-24.04"}, actions: standins, local: local,
			steps: filepath.Join(scratch, "steps"), scratch: scratch,
			event: actEvent{name: "push", actor: "maintainer", payload: map[string]any{"ref": "refs/heads/main"}, env: map[string]string{
				"GITHUB_REPOSITORY": executedRepository, "GITHUB_SHA": sha,
			}},
			env: []string{
				"HOME=" + filepath.Join(scratch, "home"), "TMPDIR=" + filepath.Join(scratch, "tmp"), "PATH=" + os.Getenv("PATH"),
				"GOCACHE=" + goEnv(t, "GOCACHE"), "GOMODCACHE=" + goEnv(t, "GOMODCACHE"), "GOPROXY=off",
				"STANDIN_ORIGIN=" + repo, "STANDIN_CACHES=" + filepath.Join(scratch, "caches"),
			},
		}.run()
		require.NoError(t, err)
		return got
	}

	first := run()
	require.True(t, first.green, first.log)
	assert.Contains(t, first.log, "Main Set up Go")
	assert.Regexp(t, `(?m)^garnix2gha \S+ \(go1\.`, first.log)
	assert.Empty(t, first.annotations)

	again := run()
	require.True(t, again.green, again.log)
	assert.NotContains(t, again.log, "Main Set up Go", "the program was kept")
	assert.NotContains(t, again.log, "Main Build garnix2gha")

	writeFile(t, repo, "garnix.yaml", "builds:\n  - include: [packages.x86_64-linux.b]\n")
	stale := run()
	assert.False(t, stale.green)
	require.NotEmpty(t, stale.annotations)
	assert.Contains(t, stale.log, "stale-inputs")
}
