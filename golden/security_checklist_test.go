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

// Every step becomes one program with one command, in Python's isolated mode and unbuffered: what GitHub signals when a
// run is cancelled is the step's own process. The one line besides names what is wrong when there is no plan.
var securityCall = regexp.MustCompile(`^(exec python3 -IBu (\.garnix2gha/\.github/garnix2gha/ci|\.github/garnix2gha/ci|"\$RUNNER_TEMP/garnix2gha/plan/ci") ` +
	`(plan|build|checks|verify|statuses|disk|action build|action run)|echo "::error title=Checks::[ :\w]+" && exit 1)$`)

// What a repository controls reaches a program as data, never as text of a script.
func TestSecurityScriptsHoldNoExpressions(t *testing.T) {
	t.Parallel()
	securitySteps(t, func(t *testing.T, _ securityFile, _ securityJob, step securityStep, where string) {
		assert.False(t, strings.Contains(step.Run, "${{"), where)
		assert.Empty(t, step.Shell, where)
		if step.Uses == "" {
			assert.Regexp(t, securityCall, step.Run, where)
		}
	})
	// The rules' own text is data too.
	build := securityVariant(t, "defaults", "nix-build-cache.yml")
	assert.NotContains(t, build.text, "${{ github.token", "a branch of garnix.yaml would be evaluated")
	assert.Equal(t, "${{ github.token }}", *build.manifest.Rules[1].Branch)
}

// What stands in a step's environment is an expression: programs, lists and rules have files of their own.
func TestSecurityEnvironmentsHoldExpressionsOnly(t *testing.T) {
	t.Parallel()
	securityEach(t, func(t *testing.T, file securityFile) {
		assert.Empty(t, file.Env, file.name)
		assert.NotContains(t, file.text, "toJSON(", file.name)
		for id, job := range file.Jobs {
			assert.Empty(t, job.Env, "%s: %s", file.name, id)
			for _, step := range job.Steps {
				for name, value := range step.Env {
					alone := regexp.MustCompile(`^\$\{\{ .* \}\}$`).MatchString(oneLine(value)) || name == "CAN_PUSH" && value == "true"
					assert.True(t, alone, "%s: %s: %s: %s", file.name, id, name, value)
				}
			}
		}
	})
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
	securitySteps(t, func(t *testing.T, _ securityFile, job securityJob, step securityStep, where string) {
		assert.NotContains(t, step.If+job.If, "secrets.", where)
		for name, value := range step.Env {
			for _, expression := range secretExpression.FindAllString(oneLine(value), -1) {
				guarded := regexp.MustCompile(`^\$\{\{ (.* && )?` + regexp.QuoteMeta(notPull) + ` && (.* && )?secrets\.\w+ \|\| '' \}\}$`).MatchString(expression)
				onlyWhether := regexp.MustCompile(`^\$\{\{ secrets\.\w+ != ''( && secrets\.\w+ != '')* \}\}$`).MatchString(expression)
				assert.True(t, guarded || onlyWhether, "%s: %s: %s", where, name, expression)
				assert.True(t, onlyWhether || strings.HasSuffix(expression, " || '' }}"), "%s: %s: without a secret it would be the text false", where, name)
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
	writing := []string{"CACHIX_AUTH_TOKEN", "CACHIX_SIGNING_KEY", "NIX_SIGNING_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "ATTIC_TOKEN"}
	pushing := 0
	securitySteps(t, func(t *testing.T, file securityFile, _ securityJob, step securityStep, where string) {
		for name, value := range step.Env {
			if !slices.Contains(writing, name) {
				continue
			}
			pushing++
			assert.True(t, file.builds() && step.Name == "Build and push", where)
			assert.Regexp(t, `^\$\{\{ `+regexp.QuoteMeta(mayPush)+` && secrets\.\w+ \|\| '' \}\}$`, oneLine(value), where)
		}
	})
	assert.Positive(t, pushing)
	assert.Equal(t, []string{"main"}, securityVariant(t, "all pulls", "nix-build-cache.yml").manifest.Cache.PushRefs)
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
		"everything":   {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "READER", "READS", "SIGNING"},
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

// A token stands in the environment of the steps that use it, not of a job, and no action is given one that would leave
// it on disk. Of a public cache only one step has it.
func TestSecurityTokensBelongToSteps(t *testing.T) {
	t.Parallel()
	allowed := []string{"Build and push", "Run it", "Post one status per target"}
	reading := []string{"Plan the builds", "Build and push", "Prove the cache and decide", "Verify every target"}
	securityEach(t, func(t *testing.T, file securityFile) {
		for name, value := range file.Env {
			assert.NotRegexp(t, secretExpression, value, "%s: %s", file.name, name)
		}
		for id, job := range file.Jobs {
			for name, value := range job.Env {
				assert.NotRegexp(t, secretExpression, value, "%s: %s: %s", file.name, id, name)
			}
			for _, step := range job.Steps {
				for name, value := range step.Env {
					switch {
					case name == "CAN_PUSH":
						assert.Equal(t, "Plan the builds", step.Name, "%s: %s", file.name, id)
					case name == "READ_TOKEN":
						assert.Contains(t, reading, step.Name, "%s: %s", file.name, id)
						assert.True(t, file.manifest.Cache.Private, file.name)
					case secretExpression.MatchString(value) || strings.Contains(value, "${{ github.token"):
						assert.Contains(t, allowed, step.Name, "%s: %s", file.name, id)
					}
				}
				for name, value := range step.With {
					text, _ := value.(string)
					assert.True(t, !strings.Contains(text, "secrets.") || strings.HasSuffix(text, " || github.token }}"), "%s: %s: %s", file.name, id, name)
				}
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
			assert.Regexp(t, `^\$\{\{ runner\.temp \}\}/garnix2gha/(plan|result/\$\{\{ matrix\.id \}\}\.json)$`, step.With["path"], where)
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
		if cache := file.manifest.Cache; cache != nil && cache.Backend != "nix" {
			assert.Regexp(t, `^github:NixOS/nixpkgs/[0-9a-f]{40}\?narHash=sha256-[\w%]+#[\w-]+$`, cache.Client, file.name)
		}
	})
}

// A flake does not configure Nix.
func TestSecurityTheFlakesOwnSettingsAreNotTaken(t *testing.T) {
	t.Parallel()
	installs := 0
	securitySteps(t, func(t *testing.T, file securityFile, _ securityJob, step securityStep, where string) {
		assert.Contains(t, file.manifest.Nix, "accept-flake-config = false", where)
		assert.Contains(t, file.manifest.Nix, "use-registries = false", where)
		for _, input := range []string{"extra_nix_config", "extra-conf", "nix_conf"} {
			if conf, ok := step.With[input].(string); ok {
				installs++
				assert.Regexp(t, `^experimental-features = [a-z -]+$`, conf, where)
			}
		}
	})
	assert.Positive(t, installs)
}
