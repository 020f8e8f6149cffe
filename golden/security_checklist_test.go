package golden_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Each test here is a way in which workflows of this kind were attacked or lied, and what keeps it out. What can be run
// is run as well: see TestExecuted.

const (
	notPull = "github.event_name != 'pull_request'"
	mayPush = "needs.plan.outputs.push == 'true' && github.event_name != 'pull_request' && github.event_name != 'merge_group'"
)

// What a repository controls reaches a script as data, never as text of the script.
func TestSecurityScriptsHoldNoExpressions(t *testing.T) {
	t.Parallel()
	securitySteps(t, func(t *testing.T, _ securityFile, _ securityJob, step securityStep, where string) {
		assert.False(t, strings.Contains(step.Run, "${{"), where)
		assert.NotRegexp(t, `(?m)^[^#]*\beval "`, step.Run, where)
		assert.Empty(t, step.Shell, where)
	})
	// The rules' own text is data too.
	build := securityVariant(t, "defaults", "nix-build-cache.yml")
	for _, step := range build.Jobs["plan"].Steps {
		assert.NotContains(t, step.Env["RULES"], "${{", "a branch of garnix.yaml would be evaluated")
	}
}

// With these triggers the code of a fork runs with secrets.
func TestSecurityNoTriggerGivesSecretsToForks(t *testing.T) {
	t.Parallel()
	known := []string{"push", "pull_request", "merge_group", "workflow_dispatch", "schedule"}
	securityEach(t, func(t *testing.T, file securityFile) {
		for event := range file.On {
			assert.Contains(t, known, event, file.name)
		}
	})
}

var secretExpression = regexp.MustCompile(`\$\{\{[^}]*\bsecrets\.[^}]*\}\}`)

// A secret is given only where the event cannot be a pull request, and a condition never reads one.
func TestSecuritySecretsAreWithheldFromPullRequests(t *testing.T) {
	t.Parallel()
	securitySteps(t, func(t *testing.T, file securityFile, job securityJob, step securityStep, where string) {
		assert.NotContains(t, step.If+job.If, "secrets.", where)
		_, pulls := file.On["pull_request"]
		for name, value := range step.Env {
			for _, expression := range secretExpression.FindAllString(value, -1) {
				guarded := strings.HasPrefix(expression, "${{ "+notPull+" && ") || strings.Contains(step.If, notPull) || !pulls
				onlyWhether := regexp.MustCompile(`^\$\{\{ secrets\.\w+ != ''( && secrets\.\w+ != '')* \}\}$`).MatchString(expression)
				assert.True(t, guarded || onlyWhether, "%s: %s: %s", where, name, expression)
			}
		}
		for name, value := range step.With {
			text, _ := value.(string)
			for _, expression := range secretExpression.FindAllString(text, -1) {
				reads := strings.Contains(expression, "|| github.token") // a token to read inputs with, by setting
				assert.True(t, strings.HasPrefix(expression, "${{ "+notPull+" && ") || reads, "%s: %s: %s", where, name, expression)
			}
		}
	})
}

// Who can push to the cache decides what main gets from it: no pull request, no merge group, and only what the plan let.
func TestSecurityOnlyThePlansRefsPush(t *testing.T) {
	t.Parallel()
	pushing := 0
	securitySteps(t, func(t *testing.T, file securityFile, _ securityJob, step securityStep, where string) {
		if !file.builds() || step.Env["PUSH"] != "true" && step.Name != "Push what was built" {
			return
		}
		pushing++
		assert.True(t, step.If == mayPush || step.If == mayPush+" && !cancelled()", "%s: %s", where, step.If)
	})
	assert.Positive(t, pushing)
	for _, step := range securityVariant(t, "all pulls", "nix-build-cache.yml").Jobs["plan"].Steps {
		if step.ID == "plan" {
			assert.Equal(t, "main\n", step.Env["PUSH_REFS"])
		}
	}
}

// No workflow asks for more secrets than the ones its settings name.
func TestSecurityOnlyNamedSecretsAreRead(t *testing.T) {
	t.Parallel()
	want := map[string][]string{
		"defaults":     {"CACHIX_AUTH_TOKEN"},
		"statuses":     {"CACHIX_AUTH_TOKEN"},
		"own signing":  {"CACHIX_AUTH_TOKEN", "SIGNING"},
		"s3":           {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "SIGNING"},
		"attic":        {"ATTIC_TOKEN"},
		"determinate":  {"CACHIX_AUTH_TOKEN", "READER"},
		"quoted check": {"CACHIX_AUTH_TOKEN"},
	}
	for variant, secrets := range want {
		var got []string
		for _, match := range regexp.MustCompile(`secrets\.(\w+)`).FindAllStringSubmatch(securityVariant(t, variant, "nix-build-cache.yml").text, -1) {
			got = append(got, match[1])
		}
		slices.Sort(got)
		assert.Equal(t, secrets, slices.Compact(got), variant)
	}
	// An action of garnix reads its own key.
	actions := securityVariant(t, "defaults", "garnix-actions.yml")
	for id, job := range actions.Jobs {
		for _, step := range job.Steps {
			if key := step.Env["ACTION_KEY"]; key != "" {
				assert.Contains(t, key, "secrets.GARNIX_ACTION_KEY_", id)
				assert.Equal(t, 1, strings.Count(key, "secrets."), id)
			}
		}
	}
}

// A token stands in the environment of the steps that use it, not of a job, and is not left on disk unless the cache is
// private.
func TestSecurityTokensBelongToSteps(t *testing.T) {
	t.Parallel()
	allowed := []string{"Build and push", "Push what was built", "Ask the cache", "Run it", "Plan the builds", "Post one status a target"}
	securityEach(t, func(t *testing.T, file securityFile) {
		for name, value := range file.Env {
			assert.NotRegexp(t, secretExpression, value, "%s: %s", file.name, name)
		}
		for id, job := range file.Jobs {
			for name, value := range job.Env {
				assert.NotRegexp(t, secretExpression, value, "%s: %s: %s", file.name, id, name)
			}
			for _, step := range job.Steps {
				for _, value := range step.Env {
					if secretExpression.MatchString(value) || strings.Contains(value, "${{ github.token") {
						assert.Contains(t, allowed, step.Name, "%s: %s", file.name, id)
					}
				}
				private := strings.Contains(file.name, "private")
				_, kept := step.With["authToken"]
				assert.Equal(t, private && strings.HasPrefix(step.Uses, "cachix/cachix-action@"), kept, "%s: %s", file.name, step.Name)
			}
		}
	})
}

// The checkout's token does not stay, and nothing of the work tree is uploaded.
func TestSecurityNothingKeepsTheCheckoutsToken(t *testing.T) {
	t.Parallel()
	securitySteps(t, func(t *testing.T, _ securityFile, _ securityJob, step securityStep, where string) {
		switch {
		case strings.HasPrefix(step.Uses, "actions/checkout@"):
			assert.Equal(t, false, step.With["persist-credentials"], where)
		case strings.HasPrefix(step.Uses, "actions/upload-artifact@"):
			assert.Regexp(t, `^\$\{\{ runner\.temp \}\}/garnix2gha/(plan/plan|result/\$\{\{ matrix\.id \}\})\.json$`, step.With["path"], where)
		}
	})
}

// Every job starts without rights and gets the least.
func TestSecurityPermissionsAreTheLeast(t *testing.T) {
	t.Parallel()
	securityEach(t, func(t *testing.T, file securityFile) {
		require.NotNil(t, file.Permissions, file.name)
		assert.Empty(t, file.Permissions, file.name)
		for id, job := range file.Jobs {
			require.NotNil(t, job.Permissions, "%s: %s", file.name, id)
			for scope, level := range job.Permissions {
				granted := scope + ": " + level
				assert.True(t, granted == "contents: read" || granted == "statuses: write" && id == "statuses", "%s: %s: %s", file.name, id, granted)
			}
			if id == "statuses" {
				for _, step := range job.Steps {
					assert.NotContains(t, step.Uses, "checkout", "the job that may write runs no code of the repository")
				}
			}
		}
	})
}

// Everything that is run from outside is fixed by a hash.
func TestSecurityForeignCodeIsPinned(t *testing.T) {
	t.Parallel()
	uses := regexp.MustCompile(`(?m)^ +(?:- )?uses: (.*)$`)
	securityEach(t, func(t *testing.T, file securityFile) {
		for _, match := range uses.FindAllStringSubmatch(file.text, -1) {
			assert.Regexp(t, `^[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d[\w.]*$`, match[1], file.name)
		}
		for _, job := range file.Jobs {
			for _, step := range job.Steps {
				command, _ := step.With["installCommand"].(string)
				if strings.HasPrefix(step.Uses, "cachix/cachix-action@") || step.Name == "Install attic" {
					assert.Regexp(t, `^nix profile install 'github:NixOS/nixpkgs/[0-9a-f]{40}\?narHash=sha256-[\w%]+#[\w-]+'$`,
						strings.TrimSpace(command+step.Run), file.name)
				}
				assert.NotRegexp(t, `curl [^\n]*\|\s*(ba)?sh`, step.Run, file.name)
			}
		}
	})
}

// A flake does not configure Nix.
func TestSecurityTheFlakesOwnSettingsAreNotTaken(t *testing.T) {
	t.Parallel()
	installs := 0
	securitySteps(t, func(t *testing.T, _ securityFile, _ securityJob, step securityStep, where string) {
		assert.NotRegexp(t, `(?m)^[^#\n]*--(impure|accept-flake-config)`, step.Run, where)
		for _, input := range []string{"extra_nix_config", "extra-conf", "nix_conf"} {
			if conf, ok := step.With[input].(string); ok {
				installs++
				assert.Contains(t, conf, "accept-flake-config = false\n", where)
				assert.Contains(t, conf, "use-registries = false\n", where)
			}
		}
	})
	assert.Positive(t, installs)
}
