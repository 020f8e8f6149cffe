package main

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const ownRuleset = `{
  "id": 7, "node_id": "RRS_7", "name": "main", "target": "branch", "source_type": "Repository", "source": "octo/flake", "enforcement": "active",
  "bypass_actors": [{"actor_id": 5, "actor_type": "RepositoryRole", "bypass_mode": "always"}, {"actor_id": null, "actor_type": "DeployKey", "bypass_mode": "always"}],
  "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}}, "current_user_can_bypass": "always", "created_at": "2024-01-01T00:00:00Z", "updated_at": "2024-01-01T00:00:00Z",
  "_links": {"html": {"href": "https://github.localhost/octo/flake/rules/7"}}, "from_the_future": {"big": 12345678901234567890, "list": [1.50, null]},
  "rules": [
    {"type": "deletion"},
    {"type": "required_status_checks", "new": true, "parameters": {"strict_required_status_checks_policy": true, "do_not_enforce_on_create": false, "later": "x",
      "required_status_checks": [
        {"context": "lint", "integration_id": 15368, "weight": 2}, {"context": "package hello [x86_64-linux]"},
        {"context": "All Garnix checks", "integration_id": 4711}, {"context": "codecov", "integration_id": null}]}},
    {"type": "pull_request", "parameters": {"required_approving_review_count": 1}}]}`

const organizationRuleset = `{
  "id": 9, "name": "everywhere", "target": "branch", "source_type": "Organization", "source": "octo", "enforcement": "active",
  "_links": {"html": {"href": "https://github.localhost/organizations/octo/settings/rules/9"}},
  "rules": [{"type": "required_status_checks", "parameters": {"required_status_checks": [{"context": "All Garnix checks", "integration_id": 4711}]}}]}`

const otherRuleset = `{"id": 8, "name": "tags", "target": "tag", "source_type": "Repository", "source": "octo/flake", "rules": [{"type": "deletion"}]}`

func ruleset(t *testing.T, text string) map[string]any {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var all map[string]any
	require.NoError(t, decoder.Decode(&all))
	return all
}

// migrated is a repository whose workflow is there.
func migrated(t *testing.T, settings string) string {
	t.Helper()
	dir := folder(t, map[string]string{
		"garnix.yaml": "builds:\n  include: [packages.x86_64-linux.hello]\nactions:\n  - {on: push, run: deploy}\n", settingsFile: settings,
	})
	got := program{dir: dir}.run(t, "generate")
	require.Equal(t, exitFine, got.code, got.stderr)
	return dir
}

func requiredCheck(t *testing.T, hub *githubStandIn, dir string, args ...string) outcome {
	t.Helper()
	return program{dir: dir, hub: hub, env: hub.env()}.run(t, append([]string{"required-check", "--repo", "octo/flake"}, args...)...)
}

func TestRequiredCheckMovesEveryRule(t *testing.T) {
	t.Parallel()
	hub, dir := newGitHub(t), migrated(t, "")
	hub.rulesets = []map[string]any{ruleset(t, otherRuleset), ruleset(t, ownRuleset), ruleset(t, organizationRuleset)}
	hub.protections = []protection{
		{ID: "P1", Pattern: "main", RequiresStatusChecks: true, RequiredStatusChecks: []classCheck{{"build", nil}, {"nixosConfig web", nil}, {"deploy", &classApp{"A_12", 12}}}},
		{ID: "P2", Pattern: "old", RequiredStatusChecks: []classCheck{{"All Garnix checks", nil}}},
		{ID: "P3", Pattern: "release/*", RequiresStatusChecks: true, RequiredStatusChecks: []classCheck{{"All Garnix checks", &classApp{"A_4711", 4711}}}},
	}

	const diff = `ruleset "main" of octo/flake
  - package hello [x86_64-linux] (any app)
  - All Garnix checks (garnix-ci)
  + All Garnix checks (GitHub Actions)
`
	const asked = `ruleset "everywhere" of octo
  - All Garnix checks (garnix-ci)
  + All Garnix checks (GitHub Actions)
  only an owner of octo can change it; ask one to do so at https://github.localhost/organizations/octo/settings/rules/9
`
	const classic = `branch protection "main" of octo/flake
  - nixosConfig web (any app)
  + All Garnix checks (GitHub Actions)
branch protection "release/*" of octo/flake
  - All Garnix checks (garnix-ci)
  + All Garnix checks (GitHub Actions)
`
	shown := requiredCheck(t, hub, dir)
	assert.Equal(t, exitProblems, shown.code, shown.stderr)
	assert.Equal(t, diff+asked+classic, shown.stdout)
	assert.Contains(t, shown.stderr, "waiting for garnix: 4 rules; --apply makes these changes")
	assert.Equal(t, ruleset(t, ownRuleset), hub.rulesets[1])
	for _, entry := range hub.log {
		assert.True(t, strings.HasPrefix(entry, "GET ") || entry == "POST /graphql", "nothing is changed: %s", entry)
	}

	applied := requiredCheck(t, hub, dir, "--apply")
	assert.Equal(t, exitProblems, applied.code, "the organization's still waits")
	assert.Equal(t, shown.stdout, applied.stdout)
	assert.Contains(t, applied.stderr, "3 of 4 rules moved")
	want := ruleset(t, strings.Replace(strings.Replace(ownRuleset, `, {"context": "package hello [x86_64-linux]"}`, "", 1), "4711", "15368", 1))
	assert.Equal(t, want, hub.rulesets[1], "nothing else of the ruleset is lost or changed")
	assert.Equal(t, ruleset(t, otherRuleset), hub.rulesets[0])
	actions := &classApp{"A_15368", 15368}
	assert.Equal(t, []classCheck{{"build", nil}, {"All Garnix checks", actions}, {"deploy", &classApp{"A_12", 12}}}, hub.protections[0].RequiredStatusChecks)
	assert.Equal(t, []classCheck{{"All Garnix checks", nil}}, hub.protections[1].RequiredStatusChecks, "it requires no checks at all")
	assert.Equal(t, []classCheck{{"All Garnix checks", actions}}, hub.protections[2].RequiredStatusChecks)

	hub.rulesets = hub.rulesets[:2]
	before := len(hub.log)
	again := requiredCheck(t, hub, dir, "--apply")
	assert.Equal(t, exitFine, again.code, again.stderr)
	assert.Empty(t, again.stdout)
	assert.Contains(t, again.stderr, "no rule waits for garnix")
	for _, entry := range hub.log[before:] {
		assert.NotContains(t, entry, "PUT")
	}
}

func TestRequiredCheckAsJSON(t *testing.T) {
	t.Parallel()
	hub, dir := newGitHub(t), migrated(t, "names: {aggregate: CI}\n")
	hub.rulesets = []map[string]any{ruleset(t, ownRuleset)}
	got := requiredCheck(t, hub, dir, "--format", "json", "--apply")
	assert.Equal(t, exitFine, got.code, got.stderr)
	assert.JSONEq(t, `{"repository": "octo/flake", "aggregate": "CI", "rules": [{
		"kind": "ruleset", "name": "main", "source": "octo/flake", "own": true, "url": "https://github.localhost/octo/flake/rules/7",
		"checks": [{"name": "lint", "app": 15368}, {"name": "package hello [x86_64-linux]", "app": 0}, {"name": "All Garnix checks", "app": 4711}, {"name": "codecov", "app": 0}],
		"after": [{"name": "lint", "app": 15368}, {"name": "CI", "app": 15368}, {"name": "codecov", "app": 0}], "waits": true, "moved": true}]}`, got.stdout)
}

func TestRequiredCheckKeepsWhatIsPosted(t *testing.T) {
	t.Parallel()
	const rules = `{"id": 7, "name": "main", "source_type": "Repository", "source": "octo/flake", "rules": [{"type": "required_status_checks", "parameters": {"required_status_checks": [
		{"context": "package hello [x86_64-linux]", "integration_id": 4711}, {"context": "package gone [x86_64-linux]", "integration_id": 4711}, {"context": "action deploy"}]}}]}`
	for _, tc := range []struct{ name, settings, want, says string }{
		{"static: the targets there are", "statuses: true\n", `package hello [x86_64-linux] (GitHub Actions)
  + All Garnix checks (GitHub Actions)
`, `ruleset "main" of octo/flake requires statuses of single targets, which no pull request from a fork gets`},
		{"dynamic: every target", "statuses: true\nstrategy: dynamic\n", `package hello [x86_64-linux] (GitHub Actions)
  + package gone [x86_64-linux] (GitHub Actions)
`, "no pull request from a fork gets"},
		{"without statuses: none", "", "All Garnix checks (GitHub Actions)\n", `requires "action deploy"; if only garnix reported it, take it out`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			hub := newGitHub(t)
			hub.rulesets = []map[string]any{ruleset(t, rules)}
			got := requiredCheck(t, hub, migrated(t, tc.settings))
			assert.Equal(t, exitProblems, got.code, got.stderr)
			_, added, _ := strings.Cut(got.stdout, "  + ")
			assert.Equal(t, tc.want, added)
			assert.Contains(t, got.stderr, tc.says)
		})
	}
}

func TestRequiredCheckRefusesAndFails(t *testing.T) {
	t.Parallel()
	const put = "PUT /repos/octo/flake/rulesets/7"
	for _, tc := range []struct {
		name   string
		change func(hub *githubStandIn)
		env    map[string]string
		bare   bool // no workflow is there
		args   []string
		code   int
		says   []string
	}{
		{name: "without a workflow nothing is moved", bare: true, args: []string{"--apply"}, code: exitProblems,
			says: []string{`no workflow here reports the check "All Garnix checks"`, "\nhint: run \"garnix2gha generate\""}},
		{name: "without a workflow it can be looked at", bare: true, code: exitProblems, says: []string{"notice: no workflow here reports", "waiting for garnix: 1 rule"}},
		{name: "no administrator", change: func(hub *githubStandIn) { hub.admin = false }, args: []string{"--apply"}, code: exitFailure,
			says: []string{"branch protections of github.localhost/octo/flake are shown to its administrators alone", "0 of 1 rule moved",
				`change ruleset "main" of github.localhost/octo/flake: Not Found (HTTP 404)`, `permission "Administration" (write)`}},
		{name: "a fine-grained token without the permission", change: func(hub *githubStandIn) {
			hub.override["POST /graphql"] = say(200, "application/json", `{"data":null,"errors":[{"type":"FORBIDDEN","message":"Resource not accessible by personal access token"}]}`)
		}, code: exitFailure, says: []string{"read branch protections of github.localhost/octo/flake: Resource not accessible", "\nhint: the login may not do this"}},
		{name: "a missing scope", change: func(hub *githubStandIn) {
			hub.override[put] = refuse(403, "Must have admin rights to Repository.", "X-Accepted-OAuth-Scopes", "repo", "X-OAuth-Scopes", "gist")
		}, args: []string{"--apply"}, code: exitFailure, says: []string{`needs the "repo" scope`}},
		{name: "a rule that GitHub does not take", change: func(hub *githubStandIn) {
			hub.override[put] = refuse(422, "Invalid property /rules/1: data matches no possible input.")
		}, args: []string{"--apply"}, code: exitFailure, says: []string{"0 of 1 rule moved", "Invalid property /rules/1"}},
		{name: "a conflict", change: func(hub *githubStandIn) { hub.override[put] = refuse(409, "Conflict") }, args: []string{"--apply"}, code: exitFailure, says: []string{"Conflict (HTTP 409)"}},
		{name: "a rate limit", change: func(hub *githubStandIn) {
			hub.override["GET /repos/octo/flake/rulesets/7"] = refuse(403, "You have exceeded a secondary rate limit", "Retry-After", "60")
		}, code: exitFailure, says: []string{"read rulesets of github.localhost/octo/flake", "\nhint: GitHub limits how often it is asked"}},
		{name: "out of order", change: func(hub *githubStandIn) { hub.override["GET /apps/garnix-ci"] = refuse(503, "Unicorn") }, code: exitFailure, says: []string{"find app garnix-ci", "\nhint: GitHub is out of order"}},
		{name: "something else than JSON", change: func(hub *githubStandIn) { hub.override["POST /graphql"] = say(200, "text/html", proxyPage) }, code: exitFailure, says: []string{"is there a proxy in between?"}},
		{name: "a ruleset of an unknown shape", change: func(hub *githubStandIn) {
			hub.override["GET /repos/octo/flake/rulesets/7"] = say(200, "application/json", `{"name":7,"_links":[],"rules":[1,{"type":"required_status_checks"},{"type":"required_status_checks","parameters":{"required_status_checks":[2]}}]}`)
		}, code: exitFine, says: []string{"no rule waits for garnix"}},
		{name: "garnix's app is gone", change: func(hub *githubStandIn) { delete(hub.apps, "garnix-ci") }, args: []string{"--apply"}, code: exitFine, says: []string{"1 of 1 rule moved"}},
		{name: "no gh", env: map[string]string{"PATH": t.TempDir()}, code: exitFailure, says: []string{"gh is not installed"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			hub := newGitHub(t)
			hub.rulesets = []map[string]any{ruleset(t, ownRuleset)}
			if tc.change != nil {
				tc.change(hub)
			}
			dir := folder(t, map[string]string{"garnix.yaml": ""})
			if !tc.bare {
				dir = migrated(t, "")
			}
			env := hub.env()
			maps.Copy(env, tc.env)
			got := program{dir: dir, hub: hub, env: env}.run(t, append([]string{"required-check", "--repo", "octo/flake"}, tc.args...)...)
			assert.Equal(t, tc.code, got.code, "%s%s", got.stdout, got.stderr)
			for _, text := range tc.says {
				assert.Contains(t, got.stderr, text)
			}
			if tc.code != exitFine {
				assert.Equal(t, ruleset(t, ownRuleset), hub.rulesets[0], "nothing was changed")
			}
		})
	}
}

func TestRequiredCheckStopsAtTheFirstFailure(t *testing.T) {
	t.Parallel()
	hub, dir := newGitHub(t), migrated(t, "")
	second := ruleset(t, ownRuleset)
	second["id"], second["name"] = json.Number("8"), "two"
	hub.rulesets = []map[string]any{ruleset(t, ownRuleset), second}
	hub.override["PUT /repos/octo/flake/rulesets/8"] = func(w http.ResponseWriter, r *http.Request) {
		delete(hub.override, "PUT /repos/octo/flake/rulesets/8")
		refuse(500, "Server Error")(w, r)
	}
	got := requiredCheck(t, hub, dir, "--apply")
	assert.Equal(t, exitFailure, got.code)
	assert.Contains(t, got.stderr, "1 of 2 rules moved")
	assert.Contains(t, got.stderr, `change ruleset "two" of github.localhost/octo/flake`)
	got = requiredCheck(t, hub, dir, "--apply")
	assert.Equal(t, exitFine, got.code, "the same command goes on where it stopped: %s", got.stderr)
	assert.Contains(t, got.stderr, "1 of 1 rule moved")
}
