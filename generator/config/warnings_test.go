package config_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/generator/diag"
)

func TestIgnoredKeysAreWarnedOf(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text   string
		line, column int
		code, hint   string
	}{
		{name: "a misspelled key at the top", text: "build: {}\n", line: 1, column: 1, code: "unknown-key", hint: `did you mean "builds"?`},
		{name: "a key in the wrong case", text: "flakedir: x\n", line: 1, column: 1, code: "unknown-key", hint: `"flakeDir"`},
		{name: "a misspelled key in a section", text: "builds:\n  includes: []\n", line: 2, column: 3, code: "unknown-key", hint: `did you mean "include"?`},
		{name: "a section key at the top", text: "branch: main\n", line: 1, column: 1, code: "unknown-key", hint: `only under "builds"`},
		{name: "a top key in a section", text: "builds: {flakeDir: x}\n", line: 1, column: 10, code: "unknown-key", hint: "only at the top level"},
		{name: "an action key at the top", text: "run: x\n", line: 1, column: 1, code: "unknown-key", hint: `"actions"`},
		{name: "a key of nobody", text: "builds: {default: {include: [x]}}\n", line: 1, column: 10, code: "unknown-key", hint: "known here: include, exclude and branch"},
		{name: "an unknown key may be null", text: "x:\n", line: 1, column: 1, code: "unknown-key", hint: "known here"},
		{name: "artifacts of the fork", text: "artifacts: nonsense\n", line: 1, column: 1, code: "fork-only-key", hint: "fork"},
		{name: "cancelling of the fork", text: "autoCancelSuperseded:\n", line: 1, column: 1, code: "fork-only-key", hint: "fork"},
		{name: "a token of the fork", text: "actions: [{run: a, on: push, githubToken: anything}]\n", line: 1, column: 30, code: "fork-only-key", hint: "fork"},
		{name: "a key of the hosted service", text: "enableGithubOrgAccessTokens: true\n", line: 1, column: 1, code: "hosted-only-key", hint: "token"},
		{name: "a plain boolean is a key", text: "on: push\n", line: 1, column: 1, code: "unknown-key", hint: `"actions"`},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, diags := parse(t, tc.text)
			require.Len(t, diags, 1)
			assert.Equal(t, diag.Warning, diags[0].Severity)
			assert.Equal(t, at(tc.line, tc.column), diags[0].Pos)
			assert.Equal(t, tc.code, diags[0].Code)
			assert.Contains(t, diags[0].Hint, tc.hint)
		})
	}
}

func TestAnEditorsSchemaIsOnlyANotice(t *testing.T) {
	t.Parallel()
	_, diags := parse(t, "$schema: https://example.org/schema.json\n")
	require.Len(t, diags, 1)
	assert.Equal(t, diag.Notice, diags[0].Severity)
}

func TestDuplicateKeysAreWarnedOfAndTheLastWins(t *testing.T) {
	t.Parallel()
	c, diags := parse(t, "flakeDir: a\nbuilds: {include: [a.b]}\nflakeDir: b\n\"flakeDir\": c\n")
	assert.Equal(t, "c", c.FlakeDir.Value)
	var found []string
	for _, d := range diags {
		if d.Code == "duplicate-key" {
			found = append(found, d.String())
		}
	}
	assert.Equal(t, []string{
		`garnix.yaml:3:1: key "flakeDir" is given twice; garnix used this one and ignored the one on line 1 [duplicate-key]`,
		`garnix.yaml:4:1: key "flakeDir" is given twice; garnix used this one and ignored the one on line 3 [duplicate-key]`,
	}, found)
}

func TestADuplicateThatIsIgnoredMayBeInvalid(t *testing.T) {
	t.Parallel()
	c, _ := parse(t, "fodChecks: maybe\nfodChecks: yes\n")
	assert.True(t, c.FODChecks.Value)
}

func TestBranchesThatNeverExist(t *testing.T) {
	t.Parallel()
	tests := []struct {
		branch string
		hint   string // "": no warning
	}{
		{branch: "main"}, {branch: "release/1.0"}, {branch: "feature-a_b@c"},
		{branch: "", hint: "remove the key"},
		{branch: "*", hint: "as they are"},
		{branch: "release/*", hint: "as they are"},
		{branch: "v[12]", hint: "as they are"},
		{branch: "refs/heads/main", hint: `write the name alone: "main"`},
		{branch: "main dev", hint: "remove the key"},
		{branch: "main..dev", hint: "remove the key"},
	}
	for _, tc := range tests {
		t.Run(tc.branch, func(t *testing.T) {
			t.Parallel()
			c, diags := parse(t, "builds: {include: [], branch: '"+tc.branch+"'}\n")
			assert.Equal(t, tc.branch, *c.Sections[0].Branch, "kept as it is")
			if tc.hint == "" {
				assert.Empty(t, diags)
				return
			}
			require.Len(t, diags, 1)
			assert.Equal(t, "branch-never-matches", diags[0].Code)
			assert.Contains(t, diags[0].Hint, tc.hint)
		})
	}
}

func TestDeadMatchersGetTheMostTellingWarning(t *testing.T) {
	t.Parallel()
	const never, glob = "matcher-never-matches", "partial-glob"
	tests := []struct{ matcher, code, message, hint string }{
		{matcher: "packages..a", code: never, message: "a part is empty"},
		{matcher: "packages.x86_64-linux.", code: never, message: "a part is empty"},
		{matcher: ".#packages.a", code: never, message: "a part is empty"},
		{matcher: "packages.*", code: never, message: "three parts", hint: `write "packages.*.*"`},
		{matcher: "packages.x86_64-linux", code: never, message: "three parts", hint: `write "packages.x86_64-linux.*"`},
		{matcher: "checks.fmt", code: never, message: "three parts", hint: `write "checks.*.fmt"`},
		{matcher: "devShells.armv7l-linux", code: never, message: "three parts", hint: `"devShells.armv7l-linux.*"`},
		{matcher: "nixosConfigurations.x86_64-linux.*", code: never, message: "two parts", hint: `write "nixosConfigurations.*"`},
		{matcher: "nixosConfigurations.x86_64-linux.web", code: never, message: "two parts", hint: `write "nixosConfigurations.web"`},
		{matcher: "nixosConfigurations.*.web", code: never, message: "two parts", hint: `write "nixosConfigurations.web"`},
		{matcher: "homeConfigurations.me.activationPackage", code: never, message: "two parts", hint: `write "homeConfigurations.me"`},
		{matcher: "homeConfigurations.*.activationPackage", code: never, message: "two parts", hint: `write "homeConfigurations.*"`},
		{matcher: "devShell.*.default", code: never, message: "two parts", hint: `"devShells.*.default"`},
		{matcher: "defaultPackage.x86_64-linux.a", code: never, message: "two parts", hint: `"packages.x86_64-linux.a"`},
		{matcher: "devShell.foo", code: never, message: `no system "foo"`, hint: `"devShells.*.foo"`},
		{matcher: "apps.*.*", code: never, message: `never listed "apps"`, hint: "actions"},
		{matcher: "formatter.x86_64-linux", code: never, message: "never listed", hint: "checks"},
		{matcher: "legacyPackages.x86_64-linux.*", code: never, message: "never listed", hint: "packages"},
		{matcher: "hydraJobs.*.*", code: never, message: "never listed"},
		{matcher: "apps.*.f*", code: never, message: "never listed"},
		{matcher: "nixosConfiguration.web", code: never, message: "never listed", hint: `did you mean "nixosConfigurations.web"?`},
		{matcher: "devshell.x86_64-linux", code: never, message: "never listed", hint: `did you mean "devShell.x86_64-linux"?`},
		{matcher: "package.hello", code: never, message: "never listed", hint: `did you mean "packages.*.hello"?`},
		{matcher: "Packages.x86_64-linux.*", code: never, message: "never listed", hint: `did you mean "packages.x86_64-linux.*"?`},
		{matcher: "=packages.x86_64-linux.a", code: never, message: "never listed", hint: `did you mean "packages.x86_64-linux.a"?`},
		{matcher: "x86_64-linux.hello", code: never, message: "never listed", hint: `write "packages.x86_64-linux.hello"`},
		{matcher: "packages.x86-64_linux.a", code: never, message: "no system", hint: `did you mean "packages.x86_64-linux.a"?`},
		{matcher: "*.86_64-linux.*", code: never, message: "no system", hint: `did you mean "*.x86_64-linux.*"?`},
		{matcher: "defaultPackage.x87_64-linux", code: never, message: "no system", hint: `did you mean "defaultPackage.x86_64-linux"?`},
		{matcher: "packages.riscv64-linux.a", code: never, message: `no system "riscv64-linux"`, hint: "i686-linux"},
		{matcher: "*.cosmic.*", code: never, message: `no system "cosmic"`, hint: `write "*.*.cosmic"`},
		{matcher: "packages.hello.out", code: never, message: `no system "hello"`, hint: "nested"},
		{matcher: "packages.x86_64-linux.f*", code: glob, message: "whole part", hint: "one by one"},
		{matcher: "packages.*-linux.foo", code: glob},
		{matcher: "*Configurations.foo", code: glob},
		{matcher: "packages.x86_64-linux.fo?", code: glob},
		{matcher: "packages.x86_64-linux.{a,b}", code: glob},
		{matcher: "nixosConfigurations.web[12]", code: glob},
		{matcher: "packages.x86_64-linux.**", code: glob},
		{matcher: `packages.x86_64-linux.*"`, code: glob, hint: `write "packages.x86_64-linux.*"`},
	}
	for _, tc := range tests {
		for key, verb := range map[string]string{"include": "selects nothing", "exclude": "excludes nothing"} {
			t.Run(key+" "+tc.matcher, func(t *testing.T) {
				t.Parallel()
				c, diags := parse(t, "builds: {"+key+": ['"+tc.matcher+"']}\n")
				require.Len(t, diags, 1)
				assert.Equal(t, diag.Warning, diags[0].Severity)
				assert.Equal(t, at(1, 20), diags[0].Pos)
				assert.Equal(t, tc.code, diags[0].Code)
				assert.Contains(t, diags[0].Message, verb+": ")
				assert.Contains(t, diags[0].Message, tc.message)
				assert.Contains(t, diags[0].Hint, tc.hint)
				matchers := c.Sections[0].Exclude
				if key == "include" {
					matchers = c.Sections[0].Include
				}
				assert.True(t, matchers[0].Dead)
			})
		}
	}
}

func TestLivingMatchersGetNoWarning(t *testing.T) {
	t.Parallel()
	for _, matcher := range []string{
		"*.*", "*.*.*", "*.x86_64-linux", "*.x86_64-linux.*", "*.anything", "*.*.a", "packages.*.*", "packages.i686-linux.a", "devShell.*",
		"defaultPackage.aarch64-darwin", "nixosConfigurations.*", "homeConfigurations.me@host", "darwinConfigurations.x86_64-linux",
		"packages.x86_64-linux.a+b",
	} {
		t.Run(matcher, func(t *testing.T) {
			t.Parallel()
			c, diags := parse(t, "builds: {include: ['"+matcher+"']}\n")
			assert.Empty(t, diags)
			assert.False(t, c.Sections[0].Include[0].Dead)
		})
	}
}

func TestMessagesAreOfBoundedLengthAndPrintable(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"builds: {include: ['" + strings.Repeat("p", 5000) + "']}\n",
		"builds: {include: ['" + strings.Repeat("p", 5000) + ".b']}\n",
		strings.Repeat("k", 1000) + ": 1\n",
		"actions: [{on: " + strings.Repeat("x", 5000) + "}]\n",
		"flakeDir: " + strings.Repeat("1", 5000) + "\n",
		"\"a\\e[31m\\u202e\": 1\nbuilds: {include: [\"a\\nb\"], branch: \"\\e\"}\n",
	} {
		_, diags := configParse(text)
		require.NotEmpty(t, diags)
		for _, d := range diags {
			assert.Less(t, len(d.Message), 400)
			assert.Less(t, len(d.Hint), 400)
			assert.NotContains(t, d.Message+d.Hint, "\x1b")
			assert.NotContains(t, d.Message+d.Hint, "\n")
		}
	}
}
