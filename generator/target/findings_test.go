package target_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/generator/diag"
	"garnix2gha/generator/target"
)

const small = `{
	"packages": {"x86_64-linux": ["hello", "v1.2"], "aarch64-linux": ["only-arm"]},
	"devShells": {"x86_64-linux": ["default"]},
	"nixosConfigurations": ["web", "db.lan"]
}`

func TestFindings(t *testing.T) {
	t.Parallel()
	const nothing, exclude, dotted, built = "matcher-matches-nothing", "exclude-excludes-nothing", "dotted-name", "nothing-built"
	type finding struct{ code, message, hint string }
	tests := []struct {
		name, text string
		at         target.Commit
		want       []finding
	}{
		{name: "the default is judged by nobody but for dots", text: "", want: []finding{
			{code: dotted, message: `nixosConfigurations "db.lan", since a matcher never matches a name with a dot; "nixosConfigurations.*" of garnix's default include`},
			{code: dotted, message: `packages "v1.2"`},
		}},
		{name: "a misspelled name", text: "builds: {include: [nixosConfigurations.web, packages.x86_64-linux.helo]}", want: []finding{
			{code: nothing, message: "no such output", hint: `did you mean "packages.x86_64-linux.hello"?`},
		}},
		{name: "a misspelled host", text: "builds: {include: [nixosConfigurations.wep]}", want: []finding{
			{code: built, message: "selects an output of the flake"}, {code: nothing, message: "no such output", hint: `did you mean "nixosConfigurations.web"?`},
		}},
		{name: "a name of another system", text: "builds: {include: [packages.x86_64-linux.hello, packages.x86_64-linux.only-arm]}", want: []finding{
			{code: nothing, message: "no such output", hint: `"packages.aarch64-linux.only-arm"`},
		}},
		{name: "a direct attribute of old", text: "builds: {include: [nixosConfigurations.web, devShell.x86_64-linux]}", want: []finding{
			{code: nothing, message: "no such output", hint: `"devShells.x86_64-linux.default"`},
		}},
		{name: "a default package of old", text: "builds: {include: [nixosConfigurations.web, defaultPackage.x86_64-linux]}", want: []finding{
			{code: nothing, message: "no such output", hint: "remove it"},
		}},
		{name: "a name nobody knows", text: "builds: {include: [nixosConfigurations.web, checks.x86_64-linux.zzzzzzzz]}", want: []finding{
			{code: nothing, message: "no such output", hint: "remove it"},
		}},
		{name: "a wildcard without outputs", text: "builds: {include: [nixosConfigurations.web, 'checks.*.*']}", want: []finding{
			{code: nothing, message: "matches no output"},
		}},
		{name: "what is dead with every flake", text: "builds: {include: ['packages.*', apps.x86_64-linux.x], exclude: ['packages.*']}", want: []finding{
			{code: built}, {code: "matcher-never-matches", hint: `did you mean "packages.*.*"?`}, {code: "matcher-never-matches"},
			{code: "matcher-never-matches", hint: "remove it, and the same is built"},
		}},
		{name: "an include that is excluded again", text: "builds: {include: [packages.x86_64-linux.hello, packages.aarch64-linux.only-arm], exclude: ['*.x86_64-linux.*']}", want: []finding{
			{code: nothing, message: `the exclude "*.x86_64-linux.*" (line 1) takes everything away again`},
		}},
		{name: "a duplicate is of use", text: "builds: {include: [packages.x86_64-linux.hello, packages.x86_64-linux.hello, '*.*.hello']}"},
		{name: "an exclude of a name nobody has", text: "builds: {include: ['*.*.*'], exclude: [packages.x86_64-linux.hell]}", want: []finding{
			{code: dotted}, {code: exclude, message: "takes nothing away", hint: "remove it, and the same is built"},
		}},
		{name: "an exclude of what is not included", text: "builds: {include: [packages.x86_64-linux.hello], exclude: [packages.aarch64-linux.only-arm, 'devShells.*.*', packages.x86_64-linux.hell]}", want: []finding{
			{code: exclude, message: "3 excludes take nothing away: no include of its build section selects anything like it", hint: "remove them, and the same is built"},
		}},
		{name: "an exclude beside an include that selects nothing", text: "builds: {include: ['checks.*.*'], exclude: [packages.x86_64-linux.hello]}", want: []finding{
			{code: built}, {code: nothing},
		}},
		{name: "a duplicate exclude is of use", text: "builds: {include: ['*.*.only-arm', '*.*.hello'], exclude: ['*.*.hello', '*.*.hello']}", want: []finding{
			{code: nothing, message: "takes everything away again"},
		}},
		{name: "an exclude undone by another section", text: "builds: [{include: ['packages.x86_64-linux.*']}, {include: ['*.*.hello', nixosConfigurations.web], exclude: ['*.x86_64-linux.*']}]", want: []finding{
			{code: dotted}, {code: nothing, message: "takes everything away again"}, {code: "exclude-undone", message: "the build section on line 1 includes all that it takes away"},
		}},
		{name: "a section for another branch is not judged", text: "builds: {branch: dev, include: [packages.x86_64-linux.zz], exclude: [a.b]}", at: target.Commit{Branch: "main"}},
		{name: "nor are its excludes", text: "builds: [{branch: dev, include: [packages.x86_64-linux.hello], exclude: [checks.x86_64-linux.b]}, {include: []}]", at: target.Commit{Branch: "main"}},
		{name: "an exclude that is dead with every flake", text: "builds: {include: [packages.x86_64-linux.hello], exclude: ['packages.*']}", want: []finding{{code: "matcher-never-matches"}}},
		{name: "a dead include is nothing to guard", text: "builds: {include: [packages.x86_64-linux.hello, 'packages.x86_64-darwin.f*'], exclude: ['packages.x86_64-darwin.*']}", want: []finding{
			{code: "partial-glob"}, {code: exclude},
		}},
		{name: "a literal that a dotted name resembles", text: "builds: {include: [nixosConfigurations.web, packages.x86_64-linux.v12]}", want: []finding{{code: nothing, hint: "remove it"}}},
		{name: "a section for the branch is", text: "builds: [{branch: dev, include: [packages.x86_64-linux.zz]}, {}]", at: target.Commit{Branch: "dev"}, want: []finding{{code: dotted}, {code: dotted}, {code: nothing}}},
		{name: "and so it is in the union", text: "builds: [{branch: dev, include: [packages.x86_64-linux.zz]}, {}]", at: target.Commit{All: true}, want: []finding{{code: dotted}, {code: dotted}, {code: nothing}}},
		{name: "a dotted name that is excluded is no news", text: "builds: {include: ['packages.x86_64-linux.*', nixosConfigurations.web], exclude: ['packages.x86_64-linux.*']}", want: []finding{{code: nothing, message: "takes everything away again"}}},
		{name: "a literal beside a dotted name is no news", text: "builds: {include: [packages.x86_64-linux.hello]}"},
		{name: "a wildcard over dotted names alone", text: "builds: {include: [nixosConfigurations.web, packages.x86_64-linux.hello, '*.lan']}", want: []finding{{code: nothing}}},
		{name: "a dotted host under a wildcard", text: "builds: {include: ['nixosConfigurations.*']}", want: []finding{{code: dotted, message: `nixosConfigurations "db.lan", since a matcher never matches a name with a dot; "nixosConfigurations.*" would`, hint: "without a dot"}}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, diags := target.Select(parse(t, tc.text), outputs(t, small, ""), tc.at)
			require.Len(t, diags, len(tc.want), "%v", diags)
			for i, want := range tc.want {
				assert.Equal(t, diag.Warning, diags[i].Severity)
				assert.Equal(t, want.code, diags[i].Code)
				assert.Contains(t, diags[i].Message, want.message)
				assert.Contains(t, diags[i].Hint, want.hint)
				assert.NotEmpty(t, diags[i].Hint)
				assert.Equal(t, "garnix.yaml", diags[i].File)
			}
		})
	}
}

func TestDottedNamesOfOneIncludeAreToldOnce(t *testing.T) {
	t.Parallel()
	lock := outputs(t, `{"packages": {"x86_64-linux": ["a", "gcc-1.0", "gcc-2.0"], "aarch64-linux": ["gcc-1.0"]}, "nixosConfigurations": ["x.y"]}`, "")
	_, diags := target.Select(parse(t, "builds: {include: ['packages.*.*', 'packages.x86_64-linux.*']}"), lock, target.Commit{})
	require.Len(t, diags, 1)
	assert.Equal(t, `garnix skipped 3 outputs, packages "gcc-1.0" the first of them, since a matcher never matches a name with a dot; "packages.*.*" would otherwise`, diags[0].Message)
	assert.Contains(t, diags[0].Hint, "they are built")
}

func TestAGuardingExcludeIsOnlyANotice(t *testing.T) {
	t.Parallel()
	c := parse(t, "builds: {include: ['packages.*.*'], exclude: ['*.x86_64-darwin.*']}")
	_, diags := target.Select(c, outputs(t, small, ""), target.Commit{})
	var found []diag.Severity
	for _, d := range diags {
		if d.Code == "exclude-excludes-nothing" {
			found = append(found, d.Severity)
		}
	}
	assert.Equal(t, []diag.Severity{diag.Notice}, found)
}

func TestWhatCannotBeListedFailsTheCommit(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text, errors string
		at                 target.Commit
		want               string // "": no error
	}{
		{name: "a system that is included", text: "builds: {include: ['packages.*.*']}", errors: `{"packages.aarch64-darwin":"error: no"}`, want: "cannot list packages.aarch64-darwin: error: no"},
		{name: "an exclude does not help", text: "builds: {include: ['packages.*.*'], exclude: [packages.aarch64-darwin.*]}", errors: `{"packages.aarch64-darwin":"no"}`, want: "cannot list packages.aarch64-darwin"},
		{name: "nor does another branch", text: "builds: [{branch: dev, include: [packages.aarch64-darwin.z]}, {}]", errors: `{"packages.aarch64-darwin":"no"}`, at: target.Commit{Branch: "main"}, want: "cannot list packages.aarch64-darwin"},
		{name: "another system is not looked at", text: "builds: {include: ['packages.x86_64-linux.*']}", errors: `{"packages.aarch64-darwin":"no"}`},
		{name: "a whole family with systems", text: "builds: {include: ['*.i686-linux.*']}", errors: `{"checks":"no"}`, want: "cannot list checks: no"},
		{name: "a family of configurations", text: "builds: {include: [nixosConfigurations.x]}", errors: `{"nixosConfigurations":"no"}`, want: "cannot list nixosConfigurations: no"},
		{name: "three parts do not list configurations", text: "builds: {include: ['*.*.*']}", errors: `{"nixosConfigurations":"no"}`},
		{name: "a direct attribute that is selected", text: "", errors: `{"devShell.x86_64-linux":"no"}`, want: "cannot list devShell.x86_64-linux: no"},
		{name: "a direct family, as a whole", text: "", errors: `{"devShell":"no"}`, want: "cannot list devShell: no"},
		{name: "a direct attribute that is excluded", text: "builds: {exclude: [devShell.x86_64-linux]}", errors: `{"devShell.x86_64-linux":"no"}`},
		{name: "a direct attribute of another branch", text: "builds: {branch: dev}", errors: `{"devShell.x86_64-linux":"no"}`, at: target.Commit{Branch: "main"}},
		{name: "a direct attribute of the union", text: "builds: {branch: dev}", errors: `{"devShell.x86_64-linux":"no"}`, at: target.Commit{All: true}, want: "cannot list devShell.x86_64-linux"},
		{name: "a direct attribute of another system", text: "", errors: `{"devShell.aarch64-linux":"no"}`},
		{name: "a single output fails alone", text: "builds: {include: ['*.*', '*.*.*']}", errors: `{"packages.x86_64-linux.hello":"no","nixosConfigurations.web":"no"}`},
		{name: "an unsupported system is not looked at", text: "builds: {include: ['*.*.*']}", errors: `{"packages.riscv64-linux":"no"}`},
		{name: "another family is not looked at", text: "builds: {include: ['*.*', '*.*.*']}", errors: `{"apps":"no","garnix.config":"no","":"no"}`},
		{name: "the first line that says something", text: "", errors: `{"packages.x86_64-linux":"\u001b[31;1merror:\u001b[0m\n  … while\u0007calling\n error: deep"}`, want: "cannot list packages.x86_64-linux: … while calling"},
		{name: "a message of nothing", text: "", errors: `{"packages.x86_64-linux":" \n"}`, want: "cannot list packages.x86_64-linux: unknown error"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, diags := target.Select(parse(t, tc.text), outputs(t, small, tc.errors), tc.at)
			var found diag.List
			for _, d := range diags {
				if d.Severity == diag.Error {
					found = append(found, d)
				}
			}
			if tc.want == "" {
				assert.Empty(t, found)
				return
			}
			require.Len(t, found, 1)
			assert.Equal(t, "evaluation", found[0].Code)
			assert.Contains(t, found[0].Message, tc.want)
			assert.Contains(t, found[0].Hint, "narrow the include")
			assert.Equal(t, !strings.Contains(tc.want, "devShell"), strings.Contains(found[0].Hint, "an exclude does not help"))
			assert.Equal(t, "garnix.yaml", found[0].File)
		})
	}
}

func TestALongMessageIsCut(t *testing.T) {
	t.Parallel()
	lock := outputs(t, `{}`, `{"packages.x86_64-linux":"`+strings.Repeat("é", 5000)+`"}`)
	_, diags := target.Select(parse(t, ""), lock, target.Commit{})
	require.NotEmpty(t, diags)
	assert.Less(t, len([]rune(diags[0].Message)), 260)
}

func TestNothingIsSaidAboutWhatCouldNotBeListed(t *testing.T) {
	t.Parallel()
	c := parse(t, "builds: {include: [packages.x86_64-linux.hello, 'packages.aarch64-darwin.*'], exclude: [packages.aarch64-darwin.other]}")
	lock := outputs(t, small, `{"packages.aarch64-darwin":"no"}`)
	_, diags := target.Select(c, lock, target.Commit{})
	require.Len(t, diags, 1)
	assert.Equal(t, "evaluation", diags[0].Code)
}
