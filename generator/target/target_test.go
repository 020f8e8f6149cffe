package target_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/generator/config"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/flake"
	"garnix2gha/generator/target"
)

// parse decodes a valid garnix.yaml.
func parse(t testing.TB, text string) *config.Config {
	t.Helper()
	c, diags := config.Parse("garnix.yaml", []byte(text))
	require.NotNil(t, c, "%v", diags)
	return c
}

// outputs decodes a lock from its outputs, and errors in JSON or "".
func outputs(t testing.TB, text, errors string) *flake.Lock {
	t.Helper()
	if errors != "" {
		errors = `,"errors":` + errors
	}
	lock, diags := flake.DecodeLock("lock.json", []byte(`{"version":1,"outputs":`+text+errors+`,"systems":{"nixosConfigurations.web":"aarch64-linux"}}`))
	require.Empty(t, diags)
	return lock
}

const everyFamily = `{
	"packages": {"x86_64-linux": ["a", "b"], "aarch64-darwin": ["a"], "riscv64-linux": ["a"]},
	"checks": {"x86_64-linux": ["fmt"]},
	"devShells": {"x86_64-linux": ["default"]},
	"devShell": ["x86_64-linux", "aarch64-darwin"],
	"defaultPackage": ["x86_64-linux"],
	"nixosConfigurations": ["web", "x86_64-linux"],
	"homeConfigurations": ["me@host"],
	"darwinConfigurations": ["mac"],
	"apps": {"x86_64-linux": ["run"]}
}`

func attrs(s target.Selection) []string {
	out := []string{}
	for _, t := range s.Targets {
		out = append(out, t.Attr.String())
	}
	return out
}

func TestSelect(t *testing.T) {
	t.Parallel()
	main := target.Commit{Branch: "main"}
	tests := []struct {
		name, text string
		at         target.Commit
		want       []string
	}{
		{name: "the default is x86_64-linux and every configuration", text: "", at: main, want: []string{
			"checks.x86_64-linux.fmt", "darwinConfigurations.mac", "defaultPackage.x86_64-linux", "devShell.x86_64-linux",
			"devShells.x86_64-linux.default", "homeConfigurations.me@host", "nixosConfigurations.web", "nixosConfigurations.x86_64-linux",
			"packages.x86_64-linux.a", "packages.x86_64-linux.b",
		}},
		{name: "no section builds nothing", text: "builds: []", at: main, want: []string{}},
		{name: "an empty include builds nothing", text: "builds: {include: []}", at: main, want: []string{}},
		{name: "unsupported systems are never listed", text: "builds: {include: ['packages.*.*']}", at: main, want: []string{
			"packages.aarch64-darwin.a", "packages.x86_64-linux.a", "packages.x86_64-linux.b",
		}},
		{name: "two-part wildcards reach configurations and direct attributes", text: "builds: {include: ['*.x86_64-linux']}", at: main, want: []string{
			"defaultPackage.x86_64-linux", "devShell.x86_64-linux", "nixosConfigurations.x86_64-linux",
		}},
		{name: "three-part wildcards reach the rest", text: "builds: {include: ['*.aarch64-darwin.*']}", at: main, want: []string{"packages.aarch64-darwin.a"}},
		{name: "an exclude subtracts", text: "builds: {include: ['packages.*.*'], exclude: ['*.*.a']}", at: main, want: []string{"packages.x86_64-linux.b"}},
		{name: "an exclude of two parts leaves three", text: "builds: {include: ['packages.x86_64-linux.*'], exclude: ['*.*']}", at: main, want: []string{
			"packages.x86_64-linux.a", "packages.x86_64-linux.b",
		}},
		{name: "an exclude does not reach another section", text: "builds: [{include: ['packages.*.*'], exclude: ['*.*.*']}, {include: ['*.*.a']}]", at: main, want: []string{
			"packages.aarch64-darwin.a", "packages.x86_64-linux.a",
		}},
		{name: "overlaps are one target", text: "builds: [{include: ['*.*.a', 'packages.x86_64-linux.a']}, {include: ['packages.*.a']}]", at: main, want: []string{
			"packages.aarch64-darwin.a", "packages.x86_64-linux.a",
		}},
		{name: "a branch section adds on its branch", text: "builds: [{branch: main, include: ['*.*.a']}, {include: ['*.*.fmt']}]", at: main, want: []string{
			"checks.x86_64-linux.fmt", "packages.aarch64-darwin.a", "packages.x86_64-linux.a",
		}},
		{name: "and nowhere else", text: "builds: [{branch: main, include: ['*.*.a']}, {include: ['*.*.fmt']}]", at: target.Commit{Branch: "Main"}, want: []string{"checks.x86_64-linux.fmt"}},
		{name: "nor for a fork, whatever its branch is called", text: "builds: [{branch: main, include: ['*.*.a']}, {include: ['*.*.fmt']}]", at: target.Commit{Branch: "main", Fork: true}, want: []string{"checks.x86_64-linux.fmt"}},
		{name: "the union holds every branch", text: "builds: [{branch: main, include: ['*.*.b']}, {branch: dev, include: ['*.*.fmt']}]", at: target.Commit{All: true}, want: []string{
			"checks.x86_64-linux.fmt", "packages.x86_64-linux.b",
		}},
		{name: "but no branch has the empty name", text: "builds: {branch: ''}", at: target.Commit{All: true}, want: []string{}},
		{name: "not even a commit without a branch", text: "builds: {branch: ''}", at: target.Commit{}, want: []string{}},
		{name: "a glob for a branch is its name", text: "builds: {branch: 'rel/*', include: ['*.*.b']}", at: target.Commit{Branch: "rel/1"}, want: []string{}},
		{name: "a name that does not exist selects nothing", text: "builds: {include: [packages.x86_64-linux.z]}", at: main, want: []string{}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, diags := target.Select(parse(t, tc.text), outputs(t, everyFamily, ""), tc.at)
			assert.False(t, diags.HasErrors(), "%v", diags)
			assert.Equal(t, tc.want, attrs(got))
		})
	}
}

func TestATargetSaysWhyItIsSelected(t *testing.T) {
	t.Parallel()
	c := parse(t, `builds:
  - branch: dev
    include: [packages.*.a]
  - branch: main
    include: ["*.*.*"]
    exclude: [checks.*.*]
  - include: [nixosConfigurations.web, packages.x86_64-linux.b, "packages.x86_64-linux.*"]
    exclude: [packages.x86_64-linux.a]
  - branch: dev
    include: [packages.*.a]
`)
	lock := outputs(t, everyFamily, "")
	find := func(at target.Commit, attr string) target.Target {
		got, _ := target.Select(c, lock, at)
		for _, t := range got.Targets {
			if t.Attr.String() == attr {
				return t
			}
		}
		require.Fail(t, "not selected", attr)
		return target.Target{}
	}
	pos := func(line, column int) diag.Pos { return diag.Pos{File: "garnix.yaml", Line: line, Column: column} }

	a := find(target.Commit{All: true}, "packages.x86_64-linux.a")
	assert.Equal(t, 0, a.Section)
	assert.Equal(t, pos(3, 15), a.Matcher.Pos)
	assert.False(t, a.AnyBranch)
	assert.Equal(t, []string{"dev", "main"}, a.Branches, "sorted, each once")
	assert.Equal(t, flake.X8664Linux, a.System)

	a = find(target.Commit{Branch: "main"}, "packages.x86_64-linux.a")
	assert.Equal(t, 1, a.Section, "the first section that takes part")
	assert.Equal(t, "*.*.*", a.Matcher.String())
	assert.Equal(t, []string{"dev", "main"}, a.Branches, "the branches do not depend on the commit")

	b := find(target.Commit{Branch: "main"}, "packages.x86_64-linux.b")
	assert.Equal(t, 1, b.Section)
	assert.True(t, b.AnyBranch)
	assert.Empty(t, b.Branches)

	b = find(target.Commit{Fork: true}, "packages.x86_64-linux.b")
	assert.Equal(t, 2, b.Section)
	assert.Equal(t, pos(7, 40), b.Matcher.Pos, "the first include that matches")

	web := find(target.Commit{Fork: true}, "nixosConfigurations.web")
	assert.Equal(t, flake.AArch64Linux, web.System, "the lock knows")
	host := find(target.Commit{Branch: "x"}, "nixosConfigurations.web")
	assert.Equal(t, web, host)
}

func TestTheFirstMatcherIsTheReason(t *testing.T) {
	t.Parallel()
	lock := outputs(t, everyFamily, "")
	for text, want := range map[string]int{
		"builds: {include: [packages.*.b, packages.x86_64-linux.b]}":              20,
		"builds: {include: ['*.*.*', packages.x86_64-linux.b]}":                   20,
		"builds: {include: [packages.x86_64-linux.b, packages.x86_64-linux.b]}":   20,
		"builds: {include: [checks.x86_64-linux.fmt, packages.x86_64-linux.b]}":   45,
		"builds: [{branch: '', include: [packages.*.b]}, {include: ['*.*.b']}]\n": 60,
	} {
		got, _ := target.Select(parse(t, text), lock, target.Commit{Branch: "main"})
		chosen := got.Targets[len(got.Targets)-1]
		assert.Equal(t, "packages.x86_64-linux.b", chosen.Attr.String())
		assert.Equal(t, want, chosen.Matcher.Pos.Column, text)
	}
}

func TestTheEmptyNameIsNoBranchOfATarget(t *testing.T) {
	t.Parallel()
	c := parse(t, "builds: [{branch: dev, include: [packages.*.b]}, {branch: '', include: [packages.*.b]}]")
	got, _ := target.Select(c, outputs(t, everyFamily, ""), target.Commit{All: true})
	require.Len(t, got.Targets, 1)
	assert.Equal(t, []string{"dev"}, got.Targets[0].Branches)
}

func TestASystemNobodyTellsIsUnknown(t *testing.T) {
	t.Parallel()
	got, _ := target.Select(config.Default(), outputs(t, `{"homeConfigurations":["me"]}`, ""), target.Commit{})
	require.Len(t, got.Targets, 1)
	assert.Equal(t, flake.System(""), got.Targets[0].System)
	assert.True(t, got.Targets[0].AnyBranch)
}

func TestWithoutALockTheLiteralMatchersAreTheTargets(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		at         target.Commit
		want       []string
	}{
		{name: "literals of every shape", text: "builds: {include: [packages.x86_64-linux.a, nixosConfigurations.web, devShell.aarch64-darwin]}", want: []string{
			"devShell.aarch64-darwin", "nixosConfigurations.web", "packages.x86_64-linux.a",
		}},
		{name: "wildcards name nothing", text: "builds: {include: ['packages.*.*', packages.x86_64-linux.a]}", want: []string{"packages.x86_64-linux.a"}},
		{name: "nobody wrote the default", text: "", want: []string{}},
		{name: "excludes count, wildcards among them", text: "builds: {include: [packages.x86_64-linux.a, checks.x86_64-linux.a], exclude: ['checks.*.*']}", want: []string{"packages.x86_64-linux.a"}},
		{name: "dead matchers name nothing", text: "builds: {include: [packages.x86_64-linux, apps.x86_64-linux.a, 'packages.x86_64-linux.f*', packages.riscv64-linux.a]}", want: []string{}},
		{name: "other branches do not count", text: "builds: [{branch: dev, include: [packages.x86_64-linux.a]}, {include: [packages.x86_64-linux.b]}]", at: target.Commit{Branch: "main"}, want: []string{"packages.x86_64-linux.b"}},
		{name: "the union counts them", text: "builds: [{branch: dev, include: [packages.x86_64-linux.a]}, {include: [packages.x86_64-linux.b]}]", at: target.Commit{All: true}, want: []string{"packages.x86_64-linux.a", "packages.x86_64-linux.b"}},
		{name: "twice named is once selected", text: "builds: [{include: [packages.x86_64-linux.a, packages.x86_64-linux.a]}, {include: [packages.x86_64-linux.a]}]", want: []string{"packages.x86_64-linux.a"}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, _ := target.Select(parse(t, tc.text), nil, tc.at)
			assert.Equal(t, tc.want, attrs(got))
		})
	}
}

func TestWithoutALockWildcardsAreOpen(t *testing.T) {
	t.Parallel()
	open := func(text string, lock *flake.Lock, at target.Commit) []string {
		got, _ := target.Select(parse(t, text), lock, at)
		var out []string
		for _, o := range got.Open {
			out = append(out, fmt.Sprint(o.Section, " ", o.Matcher))
		}
		return out
	}
	const sections = "builds: [{branch: dev, include: ['checks.*.*']}, {include: [packages.x86_64-linux.a, 'packages.*.*', 'packages.*', 'packages.*.f*', 'checks.*.b'], exclude: ['*.*.b']}]"
	assert.Equal(t, []string{
		"0 *.x86_64-linux.*", "0 defaultPackage.x86_64-linux", "0 devShell.x86_64-linux",
		"0 homeConfigurations.*", "0 darwinConfigurations.*", "0 nixosConfigurations.*",
	}, open("", nil, target.Commit{}), "whether there is a devShell is as open")
	assert.Equal(t, []string{"1 packages.*.*"}, open(sections, nil, target.Commit{Branch: "main"}), "but not what is dead or excluded")
	assert.Equal(t, []string{"0 checks.*.*", "1 packages.*.*"}, open(sections, nil, target.Commit{All: true}))
	assert.Empty(t, open(sections, outputs(t, everyFamily, ""), target.Commit{All: true}), "a lock leaves nothing open")
}

func TestActionsAreKeptAsTheyAre(t *testing.T) {
	t.Parallel()
	c := parse(t, "builds: []\nactions: [{run: \"b $(x)\", on: push}, {run: a.b, on: push}, {run: \"b $(x)\", on: push}]\n")
	for _, at := range []target.Commit{{All: true}, {Branch: "main"}, {Fork: true}} {
		got, diags := target.Select(c, outputs(t, everyFamily, ""), at)
		assert.Empty(t, diags)
		require.Len(t, got.Actions, 3)
		assert.Equal(t, "b $(x)", got.Actions[0].Run)
		assert.Equal(t, flake.AttrPath{First: "apps", Second: "x86_64-linux", Third: "b $(x)"}, got.Actions[0].Attr())
		assert.Equal(t, "a.b", got.Actions[1].Attr().Third)
		assert.Equal(t, got.Actions[0].Attr(), got.Actions[2].Attr())
	}
}

func TestAFlakeOutsideTheRepositoryIsRefused(t *testing.T) {
	t.Parallel()
	got, diags := target.Select(parse(t, "builds: []\nflakeDir: ../other\n"), nil, target.Commit{})
	require.Len(t, diags, 1)
	assert.Equal(t, diag.Error, diags[0].Severity)
	assert.Equal(t, "flake-dir-outside", diags[0].Code)
	assert.Equal(t, diag.Pos{File: "garnix.yaml", Line: 2, Column: 11}, diags[0].Pos)
	assert.Empty(t, got.Targets)

	_, diags = target.Select(parse(t, "flakeDir: nix/../sub\n"), nil, target.Commit{})
	assert.Empty(t, diags)
}
