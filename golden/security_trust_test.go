package golden_test

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/templates"
)

// What a job that ran foreign code hands on is data: its readers have neither the checkout nor Nix nor a push token.
func TestSecurityArtifactsAreOnlyData(t *testing.T) {
	t.Parallel()
	readers := 0
	securityEach(t, func(t *testing.T, file securityFile) {
		for id, job := range file.Jobs {
			reads := slices.ContainsFunc(job.Steps, func(s securityStep) bool { _, ok := s.With["pattern"]; return ok })
			if !reads {
				continue
			}
			readers++
			for _, step := range job.Steps {
				assert.NotRegexp(t, `checkout|install-nix|determinate|quick-install`, step.Uses, "%s: %s", file.name, id)
				for name, value := range step.Env {
					assert.True(t, name == "READ_TOKEN" || !strings.Contains(value, "secrets."), "%s: %s: %s", file.name, id, name)
				}
				// Results lie apart, where none can take the plan's place.
				if _, ok := step.With["pattern"]; ok {
					assert.Equal(t, "${{ runner.temp }}/garnix2gha/results", step.With["path"], "%s: %s", file.name, id)
					assert.NotContains(t, step.With, "merge-multiple", "%s: %s", file.name, id)
				}
			}
		}
	})
	assert.Positive(t, readers)
}

// What a build prints is not obeyed: whoever prints it says so to the runner, with a word that nobody can guess.
func TestSecurityBuildLogsAreNoCommands(t *testing.T) {
	t.Parallel()
	program, err := fs.ReadFile(templates.FS, "ci/process.py")
	require.NoError(t, err)
	assert.Regexp(t, `token = (secrets\.token_hex\(16\)|os\.urandom\(16\)\.hex\(\))`, string(program))
	for _, line := range []string{`print(f"::stop-commands::{token}", flush=True)`, `print(f"\n::{token}::", flush=True)`} {
		assert.Contains(t, string(program), line)
	}
}

// One run has one version of the programs: those beside the workflow, not those of the commit that is built, which a
// fork's branch may have in an older form. They travel with the plan, and only what reads the event's own commit may be
// called from a checkout.
func TestSecurityProgramsAreTheWorkflowsOwn(t *testing.T) {
	t.Parallel()
	securityEach(t, func(t *testing.T, file securityFile) {
		for id, job := range file.Jobs {
			var checkouts []map[string]any
			for _, step := range job.Steps {
				if strings.HasPrefix(step.Uses, "actions/checkout@") {
					checkouts = append(checkouts, step.With)
				}
			}
			for _, step := range job.Steps {
				where := file.name + ": " + id + ": " + step.Name
				switch {
				case strings.Contains(step.Run, " .garnix2gha/"):
					require.Len(t, checkouts, 2, where)
					assert.NotContains(t, checkouts[0], "path", where)
					assert.Equal(t, map[string]any{"path": ".garnix2gha", "sparse-checkout": ".github/garnix2gha", "persist-credentials": false}, checkouts[1], where)
				case strings.Contains(step.Run, " .github/"):
					require.Len(t, checkouts, 1, where)
					assert.NotContains(t, checkouts[0], "ref", where)
					assert.NotContains(t, file.On, "pull_request", where)
				}
			}
		}
	})
}

// No cache of GitHub's, which another branch could have filled.
func TestSecurityNoActionsCache(t *testing.T) {
	t.Parallel()
	securitySteps(t, func(t *testing.T, _ securityFile, _ securityJob, step securityStep, where string) {
		assert.NotRegexp(t, `(?i)cache-nix|magic-nix|actions/cache`, step.Uses, where)
		assert.NotContains(t, step.With, "cache", where)
	})
}

// A push is never cancelled half-way unless the settings say so, never the default branch's, and no run waits in a group
// where GitHub would drop it.
func TestSecurityOnlyPullRequestsAreCancelled(t *testing.T) {
	t.Parallel()
	securityEach(t, func(t *testing.T, file securityFile) {
		group, cancels := file.Concurrency["group"], file.Concurrency["cancel-in-progress"]
		variant, _, _ := strings.Cut(file.name, " ")
		switch {
		case file.On["push"] == nil || variant == "never":
			assert.Equal(t, "false", cancels, file.name)
			assert.Equal(t, "${{ github.workflow }}-${{ github.run_id }}", group, file.name)
		case (variant == "branches" || variant == "everything") && file.builds():
			assert.Equal(t, "true", cancels, file.name)
			assert.Equal(t, "${{ github.workflow }}-${{ github.event.pull_request.number || github.event_name == 'push' && "+
				"github.ref_name != github.event.repository.default_branch && github.ref || github.run_id }}", group, file.name)
		default:
			assert.Equal(t, "${{ github.event_name == 'pull_request' }}", cancels, file.name)
			assert.Equal(t, "${{ github.workflow }}-${{ github.event.pull_request.number || github.run_id }}", group, file.name)
		}
	})
}

// Green means that everything that had to happen did.
func TestSecurityNothingIsGreenBySilence(t *testing.T) {
	t.Parallel()
	securityEach(t, func(t *testing.T, file securityFile) {
		assert.False(t, strings.Contains(file.text, "continue-on-error"), file.name)
		if !file.builds() {
			return
		}
		checks := file.Jobs["checks"]
		assert.Equal(t, []any{"plan", "build"}, checks.Needs, file.name)
		assert.Regexp(t, `^always\(\)`, checks.If, file.name)
		assert.NotContains(t, checks.If, "cancelled()", "%s: it would count as skipped, and so as success", file.name)
		// Without a plan the first step ends the job; nothing after it runs on its own account.
		assert.Equal(t, "needs.plan.result != 'success'", checks.Steps[0].If, file.name)
		assert.Regexp(t, `&& exit 1$`, checks.Steps[0].Run, file.name)
		for _, step := range checks.Steps[1:] {
			assert.Empty(t, step.If, file.name)
		}
		last := checks.Steps[len(checks.Steps)-1]
		assert.Equal(t, "${{ needs.build.result }}", last.Env["BUILD"], file.name)
	})
}

// By default nothing of a fork runs on a machine of the owner's.
func TestSecurityRunnersAreHosted(t *testing.T) {
	t.Parallel()
	securityEach(t, func(t *testing.T, file securityFile) {
		if strings.HasPrefix(file.name, "settings-") {
			return // says so itself, and is warned
		}
		for id, job := range file.Jobs {
			assert.NotContains(t, fmt.Sprint(job.RunsOn, job.Steps), "self-hosted", "%s: %s", file.name, id)
		}
	})
}

// Nix trusts the cache of the settings and no other.
func TestSecurityNoForeignSubstituter(t *testing.T) {
	t.Parallel()
	securityEach(t, func(t *testing.T, file securityFile) {
		assert.False(t, strings.Contains(file.text, "cache.garnix.io"), file.name)
		cache := file.manifest.Cache
		if cache == nil {
			return
		}
		for _, address := range append([]string{cache.URL}, cache.Upstreams...) {
			assert.Regexp(t, `^(|https://cache\.nixos\.org|https://[\w.]+\.example(\.org)?(/\w+)?|http://127\.0\.0\.1:\d+(/private)?)$`, address, file.name)
		}
		for _, line := range file.manifest.Nix {
			if strings.HasPrefix(line, "extra-") || strings.HasPrefix(line, "substituters") || strings.HasPrefix(line, "trusted") {
				assert.Contains(t, file.name, "settings-everything", line) // says so itself
			}
		}
	})
}
