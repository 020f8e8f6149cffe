package golden_test

import (
	"fmt"
	"io/fs"
	"regexp"
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
	securityEach(t, func(t *testing.T, file securityFile) {
		for id, job := range file.Jobs {
			reads := slices.ContainsFunc(job.Steps, func(s securityStep) bool { _, ok := s.With["pattern"]; return ok })
			if !reads {
				continue
			}
			assert.Contains(t, job.If, "!cancelled()", "%s: %s", file.name, id)
			assert.Contains(t, job.If, notPull, "%s: %s", file.name, id)
			for _, step := range job.Steps {
				assert.NotRegexp(t, `checkout|install-nix|determinate|quick-install`, step.Uses, "%s: %s", file.name, id)
				assert.NotContains(t, step.Env, "CACHIX_AUTH_TOKEN", "%s: %s", file.name, id)
			}
		}
	})
}

// What a build prints is not obeyed.
func TestSecurityBuildLogsAreNoCommands(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"build", "push", "action"} {
		script, err := fs.ReadFile(templates.FS, "scripts/"+name+".sh")
		require.NoError(t, err)
		assert.Contains(t, string(script), `stop=$(od -An -N16 -tx1 /dev/urandom`, name)
		assert.Contains(t, string(script), `echo "::stop-commands::$stop"`, name)
		assert.Contains(t, string(script), `echo "::$stop::"`, name)
	}
}

// No cache of GitHub's, which another branch could have filled.
func TestSecurityNoActionsCache(t *testing.T) {
	t.Parallel()
	securitySteps(t, func(t *testing.T, _ securityFile, _ securityJob, step securityStep, where string) {
		assert.NotRegexp(t, `(?i)cache-nix|magic-nix|actions/cache`, step.Uses, where)
		assert.NotContains(t, step.With, "cache", where)
	})
}

// A push is never cancelled half-way, and no run waits in a group where GitHub would drop it.
func TestSecurityOnlyPullRequestsAreCancelled(t *testing.T) {
	t.Parallel()
	securityEach(t, func(t *testing.T, file securityFile) {
		assert.Equal(t, "${{ github.event_name == 'pull_request' }}", file.Concurrency["cancel-in-progress"], file.name)
		assert.Equal(t, "${{ github.workflow }}-${{ github.event.pull_request.number || github.run_id }}", file.Concurrency["group"], file.name)
	})
}

// Green means that everything that had to happen did.
func TestSecurityNothingIsGreenBySilence(t *testing.T) {
	t.Parallel()
	securitySteps(t, func(t *testing.T, _ securityFile, _ securityJob, step securityStep, where string) {
		if step.Run != "" && step.Name != "Install attic" {
			assert.Regexp(t, `(?m)\A(#.*\n)+set -euo pipefail\n`, step.Run, where)
		}
	})
	securityEach(t, func(t *testing.T, file securityFile) {
		assert.False(t, strings.Contains(file.text, "continue-on-error"), file.name)
		if !file.builds() {
			return
		}
		assert.Equal(t, []any{"plan", "build", "verify"}, file.Jobs["aggregate"].Needs, file.name)
		assert.Contains(t, file.Jobs["aggregate"].If, "always()", file.name)
		assert.Equal(t, "needs.plan.result == 'success' && "+mayPush+" && !cancelled()", file.Jobs["verify"].If, file.name)
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
		for _, match := range regexp.MustCompile(`(?m)^ +extra-(?:substituters|trusted-public-keys) = (.*)$`).FindAllStringSubmatch(file.text, -1) {
			assert.Regexp(t, `^(https://[\w.]+\.example(\.org)?(/\w+)?|http://127\.0\.0\.1:\d+|[\w.-]+:[A-Za-z0-9+/=]{44})$`, match[1], file.name)
		}
		for _, job := range file.Jobs {
			for _, step := range job.Steps {
				assert.NotContains(t, step.With, "extraPullNames", file.name)
			}
		}
	})
}
