package config_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/generator/config"
	"garnix2gha/generator/diag"
)

func errorsOf(diags diag.List) diag.List {
	var out diag.List
	for _, d := range diags {
		if d.Severity == diag.Error {
			out = append(out, d)
		}
	}
	return out
}

func TestGarnixRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text   string
		line, column int
		code         string
		message      string
		hint         string
	}{
		{name: "a list at the top", text: "- builds: {}\n", line: 1, column: 1, code: "config-type", message: "the top level: expected a mapping, not a list"},
		{name: "a text at the top", text: "packages.x86_64-linux.*\n", line: 1, column: 1, code: "config-type", message: "the top level"},
		{name: "a null for builds", text: "builds:\n", line: 1, column: 1, code: "config-null", message: "builds: null is not accepted, expected a mapping or a list of mappings", hint: `write "builds: []" to build nothing`},
		{name: "a null for exclude", text: "builds:\n  exclude:\n", line: 2, column: 3, code: "config-null", message: "builds.exclude: null", hint: "remove the key"},
		{name: "a null for include", text: "builds:\n  include: ~\n", line: 2, column: 3, code: "config-null", message: "builds.include: null", hint: `write "include: []" to build nothing here; without the key garnix's default is built: *.x86_64-linux.*, `},
		{name: "a null for branch", text: "builds: {branch: }\n", line: 1, column: 10, code: "config-null", message: "builds.branch: null"},
		{name: "a null for actions", text: "actions:\n", line: 1, column: 1, code: "config-null", message: "actions: null"},
		{name: "a null for servers", text: "servers: null\n", line: 1, column: 1, code: "config-null", message: "servers: null"},
		{name: "a null for modules", text: "modules:\n", line: 1, column: 1, code: "config-null", message: "modules: null"},
		{name: "a null for publish", text: "modules: {publish: ~}\n", line: 1, column: 11, code: "config-null", message: "modules.publish: null"},
		{name: "a null for fodChecks", text: "fodChecks:\n", line: 1, column: 1, code: "config-null", message: "fodChecks: null"},
		{name: "a null for flakeDir", text: "flakeDir:\n", line: 1, column: 1, code: "config-null", message: "flakeDir: null"},
		{name: "a null for incrementalizeBuilds", text: "incrementalizeBuilds:\n", line: 1, column: 1, code: "config-null", message: "incrementalizeBuilds: null"},
		{name: "a null section", text: "builds: [~]\n", line: 1, column: 10, code: "config-null", message: "builds[0]: null"},
		{name: "a null matcher", text: "builds: {include: [a.b, ~]}\n", line: 1, column: 25, code: "config-null", message: "builds.include[1]: null"},
		{name: "a null sandbox", text: "actions: [{run: a, on: push, sandboxType: }]\n", line: 1, column: 30, code: "config-null", message: "actions[0].sandboxType: null"},
		{name: "a text for builds", text: "builds: a.b\n", line: 1, column: 9, code: "config-type", message: `builds: expected a mapping or a list of mappings, not the text "a.b"`, hint: "include"},
		{name: "matchers for sections", text: "builds: [packages.x86_64-linux.a]\n", line: 1, column: 10, code: "config-type", message: "builds[0]: expected a mapping", hint: `under "include"`},
		{name: "a text for include", text: "builds: {include: a.b}\n", line: 1, column: 19, code: "config-type", message: "builds.include: expected a list", hint: `["a.b"]`},
		{name: "a number for a matcher", text: "builds: {include: [1.2]}\n", line: 1, column: 20, code: "config-type", message: "builds.include[0]: expected text, not the number 1.2", hint: `quote it: "1.2"`},
		{name: "a list for branch", text: "builds: {branch: [main, dev]}\n", line: 1, column: 18, code: "config-type", message: "builds.branch: expected text, not a list", hint: "section of its own"},
		{name: "a boolean for branch", text: "builds: {branch: on}\n", line: 1, column: 18, code: "config-type", message: "builds.branch: expected text, not the boolean on", hint: `"on"`},
		{name: "a number for flakeDir", text: "flakeDir: 5\n", line: 1, column: 11, code: "config-type", message: "flakeDir: expected text"},
		{name: "a quoted boolean", text: "fodChecks: 'true'\n", line: 1, column: 12, code: "config-type", message: `fodChecks: expected a boolean, not the text "true"`, hint: "without quotes"},
		{name: "a number for a boolean", text: "fodChecks: 1\n", line: 1, column: 12, code: "config-type", message: "fodChecks: expected a boolean"},
		{name: "a boolean for modules", text: "modules: true\n", line: 1, column: 10, code: "config-type", message: "modules: expected a mapping", hint: "publish: true"},
		{name: "a text for incrementalizeBuilds", text: "incrementalizeBuilds: 'yes'\n", line: 1, column: 23, code: "config-type", message: "incrementalizeBuilds: expected a boolean or a mapping"},
		{name: "no excludeBranches", text: "incrementalizeBuilds: {}\n", line: 1, column: 23, code: "config-missing", message: "incrementalizeBuilds.excludeBranches: missing"},
		{name: "a text for excludeBranches", text: "incrementalizeBuilds: {excludeBranches: main}\n", line: 1, column: 41, code: "config-type", message: "incrementalizeBuilds.excludeBranches: expected a list"},
		{name: "a number in excludeBranches", text: "incrementalizeBuilds: {excludeBranches: [1]}\n", line: 1, column: 42, code: "config-type", message: "incrementalizeBuilds.excludeBranches[0]"},
		{name: "a mapping for actions", text: "actions: {run: a, on: push}\n", line: 1, column: 10, code: "config-type", message: "actions: expected a list"},
		{name: "a text for an action", text: "actions: [lint]\n", line: 1, column: 11, code: "config-type", message: "actions[0]: expected a mapping"},
		{name: "an action without run", text: "actions:\n  - on: push\n", line: 2, column: 5, code: "config-missing", message: "actions[0].run: missing"},
		{name: "an action without on", text: "actions:\n  - run: a\n", line: 2, column: 5, code: "config-missing", message: "actions[0].on: missing", hint: "on: push"},
		{name: "an action on something else", text: "actions: [{run: a, on: pull_request}]\n", line: 1, column: 24, code: "config-value", message: `actions[0].on: unknown value "pull_request"`},
		{name: "an action on a list", text: "actions: [{run: a, on: [push]}]\n", line: 1, column: 24, code: "config-type", message: "actions[0].on: expected text"},
		{name: "an unknown sandbox", text: "actions: [{run: a, on: push, sandboxType: container}]\n", line: 1, column: 43, code: "config-value", message: "actions[0].sandboxType", hint: "garnix knew fast-startup and shared-resources"},
		{name: "a misspelled sandbox", text: "actions: [{run: a, on: push, sandboxType: fast_startup}]\n", line: 1, column: 43, code: "config-value", message: "actions[0].sandboxType", hint: `did you mean "fast-startup"`},
		{name: "a number for run", text: "actions: [{run: 1, on: push}]\n", line: 1, column: 17, code: "config-type", message: "actions[0].run: expected text"},
		{name: "a server without configuration", text: "servers: [{deployment: {type: on-pull-request}}]\n", line: 1, column: 11, code: "config-missing", message: "servers[0].configuration: missing"},
		{name: "a server without deployment", text: "servers: [{configuration: a}]\n", line: 1, column: 11, code: "config-missing", message: "servers[0].deployment: missing"},
		{name: "a text for a deployment", text: "servers: [{configuration: a, deployment: on-branch}]\n", line: 1, column: 42, code: "config-type", message: "servers[0].deployment: expected a mapping"},
		{name: "a deployment without type", text: "servers: [{configuration: a, deployment: {branch: b}}]\n", line: 1, column: 42, code: "config-missing", message: "servers[0].deployment.type: missing"},
		{name: "an unknown type", text: "servers: [{configuration: a, deployment: {type: on-push}}]\n", line: 1, column: 49, code: "config-value", message: "servers[0].deployment.type: unknown value"},
		{name: "a deployment on no branch", text: "servers: [{configuration: a, deployment: {type: on-branch}}]\n", line: 1, column: 42, code: "config-missing", message: "servers[0].deployment.branch: missing"},
		{name: "an unknown tier", text: "servers: [{configuration: a, deployment: {type: on-branch, branch: b, machine: i4x69}}]\n", line: 1, column: 80, code: "config-value", message: "servers[0].deployment.machine: unknown value"},
		{name: "a text for isPrimary", text: "servers: [{configuration: a, deployment: {type: on-branch, branch: b, isPrimary: 'no'}}]\n", line: 1, column: 82, code: "config-type", message: "servers[0].deployment.isPrimary: expected a boolean"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c, diags := config.Parse("garnix.yaml", []byte(tc.text))
			assert.Nil(t, c)
			found := errorsOf(diags)
			require.Len(t, found, 1)
			assert.Equal(t, at(tc.line, tc.column), found[0].Pos)
			assert.Equal(t, tc.code, found[0].Code)
			assert.Contains(t, found[0].Message, tc.message)
			assert.Contains(t, found[0].Hint, tc.hint)
		})
	}
}

func TestServersOnPullRequestReadNoOtherKey(t *testing.T) {
	t.Parallel()
	c, diags := parse(t, "servers: [{configuration: a, deployment: {type: on-pull-request, machine: nonsense, branch: ~}}]\n")
	assert.Equal(t, "on-pull-request", c.Servers[0].Deployment.Type)
	assert.Empty(t, c.Servers[0].Deployment.Machine)
	require.Len(t, diags, 2)
	assert.Equal(t, "unknown-key", diags[0].Code)
	assert.Contains(t, diags[0].Hint, "on-branch")
}

func TestEveryProblemIsReportedAtOnce(t *testing.T) {
	t.Parallel()
	c, diags := config.Parse("garnix.yaml", []byte(`builds:
  - include: ["*", 1.2, packages.*]
    exclude:
    branch: on
    brunch: x
actions: [{on: pull}]
fodChecks: "no"
fodChecks: maybe
unknown: 1
servers: {}
`))
	assert.Nil(t, c)
	var got []string
	for _, d := range diags {
		got = append(got, d.Pos.String()+" "+d.Code)
	}
	assert.Equal(t, []string{
		"garnix.yaml:2:15 matcher-parts",
		"garnix.yaml:2:20 config-type",
		"garnix.yaml:2:25 matcher-never-matches",
		"garnix.yaml:3:5 config-null",
		"garnix.yaml:4:13 config-type",
		"garnix.yaml:5:5 unknown-key",
		"garnix.yaml:6:11 config-missing",
		"garnix.yaml:6:16 config-value",
		"garnix.yaml:8:1 duplicate-key",
		"garnix.yaml:8:12 config-type",
		"garnix.yaml:9:1 unknown-key",
		"garnix.yaml:10:10 config-type",
	}, got)
}

func TestMatchersWithTooFewOrTooManyParts(t *testing.T) {
	t.Parallel()
	const nested, quoting = "never looked into nested sets", "knew no Nix quoting and never selected a name with a dot"
	tests := []struct{ name, key, matcher, message, hint string }{
		{name: "a star includes all", key: "include", matcher: "*", hint: `did you mean "*.*" and "*.*.*"?`},
		{name: "a star excludes all of the default", key: "exclude", matcher: "*", hint: `write "include: []" to build nothing here, or remove it`},
		{name: "a star beside includes", key: "include: [packages.x86_64-linux.a], exclude", matcher: "*", hint: "remove it"},
		{name: "an empty text", key: "include", matcher: "", message: "family.system.name or family.name", hint: "name an output, or remove it"},
		{name: "a family alone", key: "include", matcher: "packages", hint: `did you mean "packages.*.*"?`},
		{name: "a family of hosts alone", key: "include", matcher: "nixosConfigurations", hint: `did you mean "nixosConfigurations.*"?`},
		{name: "a direct family alone", key: "include", matcher: "devShell", hint: `did you mean "devShell.*"?`},
		{name: "a misspelled family alone", key: "include", matcher: "package", hint: `did you mean "packages.*.*"?`},
		{name: "a family that is excluded", key: "exclude", matcher: "nixosConfigurations", hint: "remove it"},
		{name: "a family that is excluded and not included", key: "include: ['packages.*.*'], exclude", matcher: "checks", hint: "remove it"},
		{name: "an installable", key: "include", matcher: ".#nixosConfigurations.hp.config.system.build.toplevel", message: `without "#"`, hint: `did you mean "nixosConfigurations.hp"?`},
		{name: "what is built of a host", key: "include", matcher: "nixosConfigurations.*.config.system.build.toplevel", message: "toplevel", hint: `did you mean "nixosConfigurations.*"?`},
		{name: "another part of a host", key: "include", matcher: "nixosConfigurations.*.config.system.build.azureImage", message: "no other part", hint: "under packages"},
		{name: "an installable of three parts", key: "include", matcher: ".#packages.x86_64-linux.a", message: `without "#"`, hint: `did you mean "packages.x86_64-linux.a"?`},
		{name: "a nested set", key: "include", matcher: "packages.x86_64-linux.a.b", message: nested, hint: "give what is in the set a name beside it, packages.<system>.<name>, or remove it"},
		{name: "all of a nested set", key: "include", matcher: "packages.x86_64-linux.a.*", message: nested, hint: "or remove it"},
		{name: "a nested set that is excluded", key: "exclude", matcher: "packages.x86_64-linux.a.b", message: nested, hint: "remove it"},
		{name: "Nix quoting", key: "include", matcher: `packages.x86_64-linux."a.b"`, message: quoting, hint: "second name without a dot"},
		{name: "Nix quoting that is excluded", key: "exclude", matcher: `packages.x86_64-linux."a.b"`, message: quoting, hint: "remove it"},
		{name: "Nix quoting for nothing", key: "include", matcher: `"nixosConfigurations"."web".*.x`, message: "took the quotes for a part", hint: "remove it"},
		{name: "a regular expression", key: "include", matcher: `packages\..*\.(a|b)`, message: "regular expression", hint: "name each output, or remove it"},
		{name: "another family", key: "include", matcher: "a.b.c.d", message: "family.system.name or family.name", hint: "name an output, or remove it"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			// In a section for another branch, too: one bad matcher failed everything.
			c, diags := config.Parse("garnix.yaml", []byte("builds: [{}, {branch: x, "+tc.key+": ['"+tc.matcher+"']}]\n"))
			assert.Nil(t, c)
			require.Len(t, diags, 1)
			assert.Equal(t, diag.Error, diags[0].Severity)
			assert.Equal(t, "matcher-parts", diags[0].Code)
			noun := "matcher"
			if strings.HasSuffix(tc.key, "exclude") {
				noun = "exclude"
			}
			assert.Contains(t, diags[0].Message, noun+" "+diag.Excerpt(tc.matcher)+" has neither two nor three parts, so garnix refused the whole file")
			assert.Contains(t, diags[0].Message, tc.message)
			assert.Contains(t, diags[0].Hint, tc.hint)
		})
	}
}

func TestTheSameErrorIsToldOnceWithItsCount(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("builds:\n  include:\n")
	for i := range 190 {
		fmt.Fprintf(&b, "    - packages.x86_64-linux.fonts.f%d\n", i)
	}
	b.WriteString("    - packages\n    - checks\n    - nixosConfigurations\n    - devShells\n  exclude:\n    - '*'\n    - packages.x86_64-linux.fonts.*\n")
	_, diags := config.Parse("garnix.yaml", []byte(b.String()))
	var got []string
	for _, d := range diags {
		got = append(got, d.String(), d.Hint)
	}
	assert.Equal(t, []string{
		`garnix.yaml:3:7: 190 matchers have neither two nor three parts, so garnix refused the whole file: ` +
			`garnix listed one level of names and never looked into nested sets: ` +
			`"packages.x86_64-linux.fonts.f0" (line 3), "packages.x86_64-linux.fonts.f1" (line 4), "packages.x86_64-linux.fonts.f2" (line 5) and 187 more [matcher-parts]`,
		"give what is in the set a name beside it, packages.<system>.<name>, or remove them",
		`garnix.yaml:193:7: 4 matchers have neither two nor three parts, so garnix refused the whole file: ` +
			`a matcher is family.system.name or family.name, with "*" for anything: "packages" (line 193), "checks" (line 194), "nixosConfigurations" (line 195) and 1 more [matcher-parts]`,
		`did you mean "packages.*.*", "checks.*.*", "nixosConfigurations.*" and "devShells.*.*"?`,
		`garnix.yaml:198:7: exclude "*" has neither two nor three parts, so garnix refused the whole file: ` +
			`a matcher is family.system.name or family.name, with "*" for anything [matcher-parts]`,
		"remove it",
		`garnix.yaml:199:7: exclude "packages.x86_64-linux.fonts.*" has neither two nor three parts, so garnix refused the whole file: ` +
			`garnix listed one level of names and never looked into nested sets [matcher-parts]`,
		"remove it",
	}, got)
}

func TestErrorsOfOtherKindsAreToldOnceToo(t *testing.T) {
	t.Parallel()
	_, diags := config.Parse("garnix.yaml", []byte("builds:\n"+strings.Repeat("  - packages.x86_64-linux.a\n", 100)+"actions:\n  - 1\n  - 2\n"))
	var got []string
	for _, d := range diags {
		got = append(got, d.String())
	}
	assert.Equal(t, []string{
		`garnix.yaml:2:5: builds[0]: expected a mapping, not the text "packages.x86_64-linux.a" (and 99 more like this, on lines 3, 4, 5 and so on) [config-type]`,
		`garnix.yaml:103:5: actions[0]: expected a mapping, not the number 1 [config-type]`,
		`garnix.yaml:104:5: actions[1]: expected a mapping, not the number 2 [config-type]`,
	}, got)
}
