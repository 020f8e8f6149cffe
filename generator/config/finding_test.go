package config_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/generator/config"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/flake"
)

func diagnostics(findings []config.Finding) diag.List {
	var diags diag.List
	for _, f := range findings {
		diags = append(diags, f.Diagnostic)
	}
	return diags
}

// findings judges a valid file, by the outputs of a lock in JSON or, with "", without one.
func findings(t *testing.T, text, outputs string) diag.List {
	t.Helper()
	c, diags := parse(t, text)
	assert.Empty(t, diags)
	var lock *flake.Lock
	if outputs != "" {
		lock, diags = flake.DecodeLock("lock.json", []byte(`{"version":1,"outputs":`+outputs+`}`))
		require.Empty(t, diags)
	}
	return diagnostics(config.Findings(c.Sections, lock)).Sorted()
}

// lines are the findings as they are printed.
func lines(diags diag.List) []string {
	out := []string{}
	for _, d := range diags {
		out = append(out, strings.TrimPrefix(d.String(), "garnix.yaml:"), d.Hint)
	}
	return out
}

func quote(matcher string) string { return "'" + strings.ReplaceAll(matcher, "'", "''") + "'" }

func TestDeadMatchersGetTheMostTellingWarning(t *testing.T) {
	t.Parallel()
	const never, glob = "matcher-never-matches", "partial-glob"
	tests := []struct{ matcher, code, message, hint string }{
		{matcher: "packages..a", code: never, message: "a part is empty", hint: "remove it"},
		{matcher: "packages.x86_64-linux.", code: never, message: "a part is empty", hint: "remove it"},
		{matcher: ".#packages.a", code: never, message: `without "#"`, hint: `did you mean "packages.*.a"?`},
		{matcher: "packages.*", code: never, message: "three parts", hint: `did you mean "packages.*.*"?`},
		{matcher: "packages.x86_64-linux", code: never, message: "three parts", hint: `did you mean "packages.x86_64-linux.*"?`},
		{matcher: "checks.fmt", code: never, message: "three parts", hint: `did you mean "checks.*.fmt"?`},
		{matcher: "devShells.armv7l-linux", code: never, message: "three parts", hint: "name an output, or remove it"},
		{matcher: "nixosConfigurations.x86_64-linux.*", code: never, message: "two parts", hint: `did you mean "nixosConfigurations.*"?`},
		{matcher: "nixosConfigurations.x86_64-linux.web", code: never, message: "two parts", hint: `did you mean "nixosConfigurations.web"?`},
		{matcher: "nixosConfigurations.*.web", code: never, message: "two parts", hint: `did you mean "nixosConfigurations.web"?`},
		{matcher: "homeConfigurations.me.activationPackage", code: never, message: "two parts", hint: `did you mean "homeConfigurations.me"?`},
		{matcher: "homeConfigurations.*.activationPackage", code: never, message: "two parts", hint: `did you mean "homeConfigurations.*"?`},
		{matcher: "homeConfigurations.ann.smith", code: never, message: "two parts", hint: "without a dot in its name"},
		{matcher: "devShell.*.default", code: never, message: "two parts", hint: `did you mean "devShells.*.default"?`},
		{matcher: "defaultPackage.x86_64-linux.a", code: never, message: "two parts", hint: `did you mean "packages.x86_64-linux.a"?`},
		{matcher: "devShell.foo", code: never, message: `no system "foo"`, hint: `did you mean "devShells.*.foo"?`},
		{matcher: "apps.*.*", code: never, message: `never listed "apps"`, hint: `only as "actions"`},
		{matcher: "formatter.x86_64-linux", code: never, message: "never listed", hint: "checks"},
		{matcher: "legacyPackages.x86_64-linux.*", code: never, message: "never listed", hint: "packages"},
		{matcher: "legacyPackages.x86_64-linux.foo", code: never, message: "never listed", hint: "put what should be built under packages"},
		{matcher: "hydraJobs.*.*", code: never, message: "never listed", hint: "packages"},
		{matcher: "apps.*.f*", code: never, message: "never listed"},
		{matcher: "nixosConfiguration.web", code: never, message: "never listed", hint: `did you mean "nixosConfigurations.web"?`},
		{matcher: "devshell.x86_64-linux", code: never, message: "never listed", hint: `did you mean "devShell.x86_64-linux"?`},
		{matcher: "devshell.x86_64-linux.*", code: never, message: "never listed", hint: `did you mean "devShells.x86_64-linux.*"?`},
		{matcher: "package.hello", code: never, message: "never listed", hint: `did you mean "packages.*.hello"?`},
		{matcher: "Packages.x86_64-linux.*", code: never, message: "never listed", hint: `did you mean "packages.x86_64-linux.*"?`},
		{matcher: "=packages.x86_64-linux.a", code: never, message: "never listed", hint: `did you mean "packages.x86_64-linux.a"?`},
		{matcher: "x86_64-linux.hello", code: never, message: "never listed", hint: `did you mean "packages.x86_64-linux.hello"?`},
		{matcher: "packages.x86-64_linux.a", code: never, message: "no system", hint: `did you mean "packages.x86_64-linux.a"?`},
		{matcher: "*.86_64-linux.*", code: never, message: "no system", hint: `did you mean "*.x86_64-linux.*"?`},
		{matcher: "defaultPackage.x87_64-linux", code: never, message: "no system", hint: `did you mean "defaultPackage.x86_64-linux"?`},
		{matcher: "packages.riscv64-linux.a", code: never, message: `no system "riscv64-linux"`, hint: "i686-linux or \"*\" there, or remove it"},
		{matcher: "*.cosmic.*", code: never, message: `no system "cosmic"`, hint: `did you mean "*.*.cosmic"?`},
		{matcher: "packages.hello.out", code: never, message: `no system "hello"`, hint: "remove it"},
		{matcher: "packages.x86_64-linux.f*", code: glob, message: "whole part", hint: "name each output, or remove it"},
		{matcher: "packages.*-linux.foo", code: glob, hint: `did you mean "packages.x86_64-linux.foo", "packages.aarch64-linux.foo" and "packages.i686-linux.foo"?`},
		{matcher: "packages.*-linux.*", code: glob, hint: `did you mean "packages.x86_64-linux.*", "packages.aarch64-linux.*" and "packages.i686-linux.*"?`},
		{matcher: "packages.x86_64-*.*", code: glob, hint: `did you mean "packages.x86_64-linux.*" and "packages.x86_64-darwin.*"?`},
		{matcher: "*.*-darwin.*", code: glob, hint: `did you mean "*.aarch64-darwin.*" and "*.x86_64-darwin.*"?`},
		{matcher: "devShell.*-darwin", code: glob, hint: `did you mean "devShell.aarch64-darwin" and "devShell.x86_64-darwin"?`},
		{matcher: "packages.*-freebsd.*", code: glob, hint: "name each output, or remove it"},
		{matcher: "*Configurations.foo", code: glob, hint: `did you mean "homeConfigurations.foo", "darwinConfigurations.foo" and "nixosConfigurations.foo"?`},
		{matcher: "dev*.x86_64-linux.*", code: glob, hint: `did you mean "devShells.x86_64-linux.*"?`},
		{matcher: "packages.x86_64-linux.fo?", code: glob, hint: "name each output"},
		{matcher: "packages.x86_64-linux.{a,b}", code: glob, hint: "name each output, or remove it"},
		{matcher: "packages.{x86_64,aarch64}-linux.*", code: glob, hint: "name each output, or remove it"},
		{matcher: "nixosConfigurations.web[12]", code: glob, hint: "name each output"},
		{matcher: "nixosConfigurations.[", code: glob, hint: "name each output"},
		{matcher: "packages.x86_64-linux.**", code: glob, hint: `did you mean "packages.x86_64-linux.*"?`},
		{matcher: `packages.x86_64-linux.*"`, code: never, message: "quot", hint: `did you mean "packages.x86_64-linux.*"?`},
		{matcher: "packages.x86_64-linux.*'", code: glob, hint: `did you mean "packages.x86_64-linux.*"?`},
		{matcher: "'packages.x86_64-linux.a", code: never, hint: `did you mean "packages.x86_64-linux.a"?`},
		{matcher: `homeConfigurations."ann.smith"`, code: never, message: "Nix quoting and never selected a name with a dot", hint: "second name without a dot"},
		{matcher: `homeConfigurations."ann"`, code: never, message: "Nix quoting and took the quotes", hint: `did you mean "homeConfigurations.ann"?`},
		{matcher: `packages.x86_64-linux."hello"`, code: never, message: "Nix quoting and took the quotes", hint: `did you mean "packages.x86_64-linux.hello"?`},
		{matcher: ".*secret.*", code: never, message: "regular expression", hint: "name each output, or remove it"},
		{matcher: "^packages.x86_64-linux.a$", code: never, message: "regular expression", hint: "name each output"},
	}
	for _, tc := range tests {
		for key, says := range map[string]string{"include": " selects nothing: ", "exclude": " takes nothing away: "} {
			t.Run(key+" "+tc.matcher, func(t *testing.T) {
				t.Parallel()
				living := map[string]string{"include": "packages.i686-linux.living", "exclude": "*.*.living"}[key]
				text := "builds: {" + key + ": [" + quote(tc.matcher) + ", '" + living + "']}\n"
				diags := findings(t, text, "")
				if key == "exclude" {
					text = strings.Replace(text, "builds: {", "builds: {include: ['*.*', '*.*.*'], ", 1)
					diags = findings(t, text, "")
				}
				require.Len(t, diags, 1, text)
				assert.Equal(t, diag.Warning, diags[0].Severity)
				assert.Equal(t, at(1, strings.Index(text, quote(tc.matcher))+1), diags[0].Pos)
				assert.Equal(t, tc.code, diags[0].Code)
				assert.Contains(t, diags[0].Message, diag.Excerpt(tc.matcher)+says)
				assert.Contains(t, diags[0].Message, tc.message)
				if key == "include" {
					assert.Contains(t, diags[0].Hint, tc.hint)
				} else {
					assert.Regexp(t, "^remove it, and the same is built", diags[0].Hint)
				}
				assert.NotContains(t, diags[0].Hint, diag.Excerpt(tc.matcher), "never the very same text")
				c, _ := parse(t, text)
				matchers := c.Sections[0].Exclude
				if key == "include" {
					matchers = c.Sections[0].Include
				}
				assert.True(t, matchers[0].Dead)
				assert.False(t, matchers[1].Dead)
			})
		}
	}
}

func TestLivingMatchersGetNoWarning(t *testing.T) {
	t.Parallel()
	for _, matcher := range []string{
		"*.*", "*.*.*", "*.x86_64-linux", "*.x86_64-linux.*", "*.anything", "*.*.a", "packages.*.*", "packages.i686-linux.a", "devShell.*",
		"defaultPackage.aarch64-darwin", "nixosConfigurations.*", "homeConfigurations.me@host", "darwinConfigurations.x86_64-linux",
		"packages.x86_64-linux.a+b", "packages.x86_64-linux.foo'",
	} {
		t.Run(matcher, func(t *testing.T) {
			t.Parallel()
			assert.Empty(t, findings(t, "builds: {include: ["+quote(matcher)+"]}\n", ""))
		})
	}
}

func TestWhatNeedsNoLock(t *testing.T) {
	t.Parallel()
	const never = "whatever the flake holds [nothing-built]"
	correct := `correct the sections, or write "builds: []" if nothing is meant to be built`
	tests := []struct {
		name, text string
		want       []string
	}{
		{name: "an include inside its own exclude", text: "builds:\n  include: [homeConfigurations.me, packages.*.a]\n  exclude: [checks.*.*, 'homeConfigurations.*']\n", want: []string{
			`2:13: matcher "homeConfigurations.me" selects nothing: the exclude "homeConfigurations.*" (line 3) takes everything away again [matcher-matches-nothing]`, "remove it or narrow the exclude",
			`3:13: exclude "checks.*.*" takes nothing away: no include of its build section selects anything like it [exclude-excludes-nothing]`, "remove it, and the same is built",
		}},
		{name: "an include inside several excludes", text: "builds:\n  include: [packages.*.a, checks.*.b]\n  exclude:\n" +
			"    - '*.x86_64-linux.*'\n    - '*.aarch64-linux.a'\n    - packages.i686-linux.*\n    - '*.aarch64-darwin.a'\n    - packages.x86_64-darwin.a\n", want: []string{
			`2:13: matcher "packages.*.a" selects nothing: excludes of the same build section take everything away again [matcher-matches-nothing]`, "remove it or narrow the exclude",
		}},
		{name: "an include that is excluded but for one system", text: "builds:\n  include: [packages.*.a]\n  exclude: ['*.x86_64-linux.*', '*.aarch64-linux.*', '*.*-darwin.*']\n", want: []string{
			`3:54: exclude "*.*-darwin.*" takes nothing away: "*" stands for a whole part only, and everything else is taken as it is [partial-glob]`,
			"remove it, and the same is built; to leave outputs out, name each of them",
		}},
		{name: "an exclude of what the default never has", text: "builds: {exclude: ['*.x86_64-darwin.*', devShells.x86_64-linux.a]}\n", want: []string{
			`1:20: exclude "*.x86_64-darwin.*" takes nothing away: garnix's default include selects nothing like it: *.x86_64-linux.*, defaultPackage.x86_64-linux, devShell.x86_64-linux, ` +
				`homeConfigurations.*, darwinConfigurations.* and nixosConfigurations.* [exclude-excludes-nothing]`, "remove it, and the same is built",
		}},
		{name: "a family of systems with two parts beside one with three", text: "builds: {include: ['packages.x86_64-linux.*'], exclude: ['packages.*']}\n", want: []string{
			`1:58: exclude "packages.*" takes nothing away: packages has three parts, packages.<system>.<name> [matcher-never-matches]`, "remove it, and the same is built",
		}},
		{name: "an exclude undone by another section", text: "builds:\n  - include: ['packages.x86_64-linux.*']\n  - exclude: [packages.x86_64-linux.web]\n", want: []string{
			`3:15: exclude "packages.x86_64-linux.web" has no effect: the build section on line 2 includes all that it takes away [exclude-undone]`, "remove it, and the same is built",
		}},
		{name: "an exclude undone by two other sections", text: "builds:\n  - include: [packages.x86_64-linux.a]\n  - include: [packages.x86_64-linux.b]\n" +
			"  - {include: [packages.x86_64-linux.a, packages.x86_64-linux.b, '*.*'], exclude: ['packages.x86_64-linux.*']}\n", want: []string{
			`4:16: 2 matchers select nothing: the exclude "packages.x86_64-linux.*" (line 4) takes everything away again: "packages.x86_64-linux.a" (line 4) and "packages.x86_64-linux.b" (line 4) [matcher-matches-nothing]`,
			"remove them or narrow the exclude",
			`4:84: exclude "packages.x86_64-linux.*" has no effect: other build sections include all that it takes away [exclude-undone]`, "remove it, and the same is built",
		}},
		{name: "an exclude undone on its branch", text: "builds:\n  - {branch: main, include: ['packages.*.*']}\n  - {branch: main, include: ['*.*.*'], exclude: [packages.*.web]}\n", want: []string{
			`3:50: exclude "packages.*.web" has no effect: the build section on line 2 includes all that it takes away [exclude-undone]`, "remove it, and the same is built",
		}},
		{name: "an exclude undone on another branch", text: "builds:\n  - {branch: dev, include: ['packages.*.*']}\n  - {branch: main, include: ['*.*.*'], exclude: [packages.*.web]}\n"},
		{name: "an exclude undone on one branch of all", text: "builds:\n  - {branch: dev, include: ['packages.*.*']}\n  - {include: ['*.*.*'], exclude: [packages.*.web]}\n"},
		{name: "an exclude undone in part", text: "builds:\n  - include: [packages.x86_64-linux.a]\n  - {include: ['*.*.*'], exclude: [packages.*.*]}\n"},
		{name: "an exclude undone but for one name", text: "builds:\n  - {branch: main, exclude: ['*.x86_64-linux.*']}\n  - {exclude: ['*.*.foo']}\n"},
		{name: "every include dead", text: "builds:\n  include: [hydraJobs.*.*]\n", want: []string{
			"2:3: nothing can ever be built: no build section selects anything, " + never, correct,
			`2:13: matcher "hydraJobs.*.*" selects nothing: garnix never listed "hydraJobs" [matcher-never-matches]`, "put what should be built under packages, checks or devShells of the flake, or remove it",
		}},
		{name: "every include excluded", text: "builds:\n  - include: [packages.x86_64-linux.a]\n    exclude: ['*.*.*']\n", want: []string{
			"2:5: nothing can ever be built: no build section selects anything, " + never, correct,
			`2:15: matcher "packages.x86_64-linux.a" selects nothing: the exclude "*.*.*" (line 3) takes everything away again [matcher-matches-nothing]`, "remove it or narrow the exclude",
		}},
		{name: "one section of two is alive", text: "builds: [{include: [packages.x86_64-linux.a]}, {include: [a.b]}]\n", want: []string{
			`1:59: matcher "a.b" selects nothing: garnix never listed "a" [matcher-never-matches]`, "put what should be built under packages, checks or devShells of the flake, or remove it",
		}},
		{name: "what is switched off is no mistake", text: "builds: {include: []}\n"},
		{name: "nor is no section", text: "builds: []\n"},
		{name: "what was meant is there already", text: "builds: {include: [packages.x86_64-linux, packages.x86_64-linux.*]}\n", want: []string{
			`1:20: matcher "packages.x86_64-linux" selects nothing: packages has three parts, packages.<system>.<name> [matcher-never-matches]`, "remove it: what was meant is included already",
		}},
		{name: "what was meant is excluded", text: "builds: {include: [packages.x86_64-linux, checks.*.a], exclude: ['packages.*.*']}\n", want: []string{
			`1:20: matcher "packages.x86_64-linux" selects nothing: packages has three parts, packages.<system>.<name> [matcher-never-matches]`, "name an output, or remove it",
			`1:66: exclude "packages.*.*" takes nothing away: no include of its build section selects anything like it [exclude-excludes-nothing]`, "remove it, and the same is built",
		}},
		{name: "one cause, one line", text: "builds:\n  include:\n    - homeConfigurations.a-*\n    - packages.x86_64-linux.real\n    - homeConfigurations.b-*\n    - homeConfigurations.c-*\n    - homeConfigurations.d-*\n", want: []string{
			`3:7: 4 matchers select nothing: "*" stands for a whole part only, and everything else is taken as it is: ` +
				`"homeConfigurations.a-*" (line 3), "homeConfigurations.b-*" (line 5), "homeConfigurations.c-*" (line 6) and 1 more [partial-glob]`, "name each output, or remove them",
		}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if tc.want == nil {
				tc.want = []string{}
			}
			assert.Equal(t, tc.want, lines(findings(t, tc.text, "")))
		})
	}
}

func TestASectionForNoBranchBuildsNothing(t *testing.T) {
	t.Parallel()
	c, diags := parse(t, "builds: {branch: 'rel/*', include: [packages.x86_64-linux.a]}\n")
	require.Len(t, diags, 1)
	assert.Equal(t, "branch-never-matches", diags[0].Code)
	diags = diagnostics(config.Findings(c.Sections, nil))
	require.Len(t, diags, 1)
	assert.Equal(t, "nothing-built", diags[0].Code)
}

func TestWhatALockTells(t *testing.T) {
	t.Parallel()
	const outputs = `{
		"packages": {"x86_64-linux": ["default", "fmt", "foo", "secret-a", "v1.2"], "aarch64-linux": ["default", "only-arm"]},
		"checks": {"x86_64-linux": ["secret-b"]},
		"devShells": {"x86_64-linux": ["default"]},
		"nixosConfigurations": ["vm", "web", "db.lan"],
		"homeConfigurations": ["ann"]
	}`
	tests := []struct{ key, matcher, hint string }{
		{key: "include", matcher: "packages.*-linux.*", hint: `did you mean "packages.x86_64-linux.*" and "packages.aarch64-linux.*"?`},
		{key: "include", matcher: "*.*-darwin.*", hint: "name each output, or remove it"},
		{key: "include", matcher: "packages.x86_64-linux.f*", hint: `did you mean "packages.x86_64-linux.fmt" and "packages.x86_64-linux.foo"?`},
		{key: "include", matcher: "packages.*.f*", hint: `did you mean "packages.*.fmt" and "packages.*.foo"?`},
		{key: "include", matcher: "*Configurations.vm", hint: `did you mean "nixosConfigurations.vm"?`},
		{key: "include", matcher: "nixosConfigurations.*b*", hint: `did you mean "nixosConfigurations.web"?`},
		{key: "include", matcher: ".*secret.*", hint: "name each output, or remove it"},
		{key: "include", matcher: "devshell.x86_64-linux", hint: `did you mean "devShells.x86_64-linux.*"?`},
		{key: "include", matcher: "devShell.x86_64-linux", hint: `did you mean "devShells.x86_64-linux.default"?`},
		{key: "include", matcher: "defaultPackage.aarch64-linux", hint: `did you mean "packages.aarch64-linux.default"?`},
		{key: "include", matcher: "*.vm.*", hint: `did you mean "nixosConfigurations.vm"?`},
		{key: "include", matcher: "*.only-arm.*", hint: `did you mean "*.*.only-arm"?`},
		{key: "include", matcher: "packages.only-arm.out", hint: `did you mean "packages.*.only-arm"?`},
		{key: "include", matcher: "packages.*.defautl", hint: `did you mean "packages.*.default"?`},
		{key: "include", matcher: "*.x86_64-linux.defautl", hint: `did you mean "*.x86_64-linux.default"?`},
		{key: "include", matcher: "packages.x86_64-linux.only-arm", hint: `did you mean "packages.aarch64-linux.only-arm"?`},
		{key: "include", matcher: "package.x86_64-linux.fooo", hint: `did you mean "packages.x86_64-linux.foo"?`},
		{key: "include", matcher: "legacyPackages.x86_64-linux.foo", hint: `did you mean "packages.x86_64-linux.foo"?`},
		{key: "include", matcher: "legacyPackages.x86_64-linux.bar", hint: "put what should be built under packages"},
		{key: "include", matcher: "apps.x86_64-linux.*", hint: "build the app's package instead"},
		{key: "include", matcher: "packages.x86_64-linux.v12", hint: "remove it, or add such an output to the flake"},
		{key: "include", matcher: `homeConfigurations."ann"`, hint: `did you mean "homeConfigurations.ann"?`},
		{key: "include", matcher: `nixosConfigurations."db.lan"`, hint: "second name without a dot"},
		{key: "exclude", matcher: "packages.x86_64-linux.fo", hint: "remove it, and the same is built"},
		{key: "exclude", matcher: "packages.x86_64-linux.f*", hint: "remove it, and the same is built"},
		{key: "exclude", matcher: "packages.x86_64-linux.zzzzzz", hint: "remove it, and the same is built"},
		{key: "exclude", matcher: "*.zzzzzz.*", hint: "remove it, and the same is built"},
	}
	for _, tc := range tests {
		t.Run(tc.key+" "+tc.matcher, func(t *testing.T) {
			t.Parallel()
			text := "builds: {include: [checks.x86_64-linux.secret-b, " + quote(tc.matcher) + "]}\n"
			if tc.key == "exclude" {
				text = "builds: {include: ['*.*', '*.*.*'], exclude: [" + quote(tc.matcher) + "]}\n"
			}
			diags := findings(t, text, outputs)
			require.Len(t, diags, 1)
			assert.Contains(t, diags[0].Hint, tc.hint)
		})
	}
}

func TestANameWithAStarIsTakenAsItIs(t *testing.T) {
	t.Parallel()
	const outputs = `{"packages":{"x86_64-linux":["f*","foo"]}}`
	assert.Empty(t, findings(t, "builds: {include: ['packages.x86_64-linux.f*']}", outputs))
	assert.Empty(t, findings(t, "builds: {include: ['packages.*.*'], exclude: ['packages.x86_64-linux.f*']}", outputs))
	diags := findings(t, "builds: {include: ['packages.x86_64-linux.f*', packages.*.foo], exclude: ['packages.*.f*']}", outputs)
	require.Len(t, diags, 1)
	assert.Contains(t, diags[0].Message, `the exclude "packages.*.f*" (line 1) takes everything away again`)
}

func TestNothingIsPromisedOfWhatCouldNotBeListed(t *testing.T) {
	t.Parallel()
	c, _ := parse(t, "builds: {include: ['packages.*', packages.x86_64-linux, packages.aarch64-linux]}")
	for failures, hint := range map[string]string{
		`{}`:                              `did you mean "packages.*.*", "packages.x86_64-linux.*" and "packages.aarch64-linux.*"?`,
		`{"packages.aarch64-linux":"no"}`: `did you mean "packages.*.*" and "packages.x86_64-linux.*"?`,
	} {
		lock, diags := flake.DecodeLock("lock.json", []byte(`{"version":1,"outputs":{"packages":{"x86_64-linux":["a"],"aarch64-linux":["a"]}},"errors":`+failures+`}`))
		require.Empty(t, diags)
		if failures != `{}` {
			delete(lock.Outputs["packages"], flake.AArch64Linux)
		}
		diags = diagnostics(config.Findings(c.Sections, lock)).Sorted()
		require.NotEmpty(t, diags)
		var hints []string
		for _, d := range diags {
			hints = append(hints, d.Hint)
		}
		assert.Contains(t, hints, hint)
	}
}

func TestALockThatLeavesNothing(t *testing.T) {
	t.Parallel()
	correct := `correct the sections, or write "builds: []" if nothing is meant to be built`
	assert.Equal(t, []string{
		`1:9: nothing is built: garnix's default include selects no output of the flake: *.x86_64-linux.*, defaultPackage.x86_64-linux, devShell.x86_64-linux, ` +
			`homeConfigurations.*, darwinConfigurations.* and nixosConfigurations.* [nothing-built]`, correct,
	}, lines(findings(t, "builds: {}", `{"packages":{"aarch64-darwin":["a"]}}`)))
	assert.Equal(t, []string{
		`1:9: nothing is built: no build section selects an output of the flake [nothing-built]`, correct,
		`1:20: matcher "checks.*.*" selects nothing: it matches no output of the flake [matcher-matches-nothing]`, "remove it, or add such an output to the flake",
	}, lines(findings(t, "builds: {include: ['checks.*.*']}", `{"packages":{"aarch64-darwin":["a"]}}`)))
}
