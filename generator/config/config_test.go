package config_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/generator/config"
	"garnix2gha/generator/diag"
)

// defaultIncludes is the default include as texts.
var defaultIncludes = []string{
	"*.x86_64-linux.*", "defaultPackage.x86_64-linux", "devShell.x86_64-linux",
	"homeConfigurations.*", "darwinConfigurations.*", "nixosConfigurations.*",
}

// parse decodes a text that is valid.
func parse(t *testing.T, text string) (*config.Config, diag.List) {
	t.Helper()
	c, diags := config.Parse("garnix.yaml", []byte(text))
	require.NotNil(t, c, "%v", diags)
	require.False(t, diags.HasErrors(), "%v", diags)
	return c, diags
}

func texts(matchers []config.Matcher) []string {
	out := []string{}
	for _, m := range matchers {
		out = append(out, m.String())
	}
	return out
}

func at(line, column int) diag.Pos {
	return diag.Pos{File: "garnix.yaml", Line: line, Column: column}
}

func TestDefaultIsGarnixs(t *testing.T) {
	t.Parallel()
	c := config.Default()
	assert.Empty(t, c.File)
	require.Len(t, c.Sections, 1)
	assert.Equal(t, defaultIncludes, texts(c.Sections[0].Include))
	assert.True(t, c.Sections[0].IncludeIsDefault)
	assert.Empty(t, c.Sections[0].Exclude)
	assert.Nil(t, c.Sections[0].Branch)
	assert.Empty(t, c.Actions)
	assert.Empty(t, c.Servers)
	assert.False(t, c.FODChecks || c.PublishModules || c.Incrementalize.Enabled)
	assert.Equal(t, ".", c.FlakeDir)
	for _, m := range c.Sections[0].Include {
		assert.Zero(t, m.Pos.Line, "no line is invented")
		assert.False(t, m.Dead)
	}
}

func TestEveryFieldIsDecodedWithItsPlace(t *testing.T) {
	t.Parallel()
	c, diags := parse(t, `builds:
  - include: [packages.x86_64-linux.a, "*.*"]
    exclude:
      - checks.*.b
    branch: main
  - branch: other
incrementalizeBuilds:
  excludeBranches: [main]
actions:
  - {on: push, run: "lint it", sandboxType: shared-resources, withRepoContents: true}
modules: {publish: true}
fodChecks: yes
flakeDir: nix/dir
servers:
  - configuration: web
    deployment: {type: on-branch, branch: main, machine: i4x8, isPrimary: on}
  - configuration: web
    deployment: {type: on-pull-request}
`)
	assert.Empty(t, diags)
	assert.Equal(t, "garnix.yaml", c.File)

	require.Len(t, c.Sections, 2)
	first, second := c.Sections[0], c.Sections[1]
	assert.Equal(t, at(2, 5), first.Pos)
	assert.Equal(t, []string{"packages.x86_64-linux.a", "*.*"}, texts(first.Include))
	assert.Equal(t, at(2, 15), first.Include[0].Pos)
	assert.Equal(t, at(2, 40), first.Include[1].Pos)
	assert.Equal(t, at(4, 9), first.Exclude[0].Pos)
	require.NotNil(t, first.Branch)
	assert.Equal(t, "main", *first.Branch)
	assert.False(t, first.IncludeIsDefault)
	assert.True(t, second.IncludeIsDefault)
	assert.Equal(t, defaultIncludes, texts(second.Include))

	assert.Equal(t, config.Incrementalize{Enabled: true, ExcludeBranches: []string{"main"}}, c.Incrementalize)
	assert.Equal(t, []config.Action{{
		Run: "lint it", RunPos: at(10, 21), Sandbox: "shared-resources", WithRepoContents: true,
	}}, c.Actions)
	assert.Equal(t, "apps.x86_64-linux.lint it", c.Actions[0].Attr().String())
	assert.True(t, c.PublishModules)
	assert.True(t, c.FODChecks)
	assert.Equal(t, "nix/dir", c.FlakeDir)
	assert.Equal(t, at(13, 11), c.FlakeDirPos)
	require.Len(t, c.Servers, 2)
	assert.Equal(t, "web", c.Servers[0].Configuration)
	assert.Equal(t, config.Deployment{
		Type: "on-branch", Branch: "main", Machine: "i4x8", IsPrimary: true,
	}, c.Servers[0].Deployment)
	assert.Equal(t, config.Deployment{Type: "on-pull-request"}, c.Servers[1].Deployment)
}

func TestAbsentFieldsTakeGarnixsDefaults(t *testing.T) {
	t.Parallel()
	c, diags := parse(t, `actions: [{on: push, run: a}]
servers: [{configuration: web, deployment: {type: on-branch, branch: b}}]
modules: {}
`)
	assert.Empty(t, diags)
	assert.Equal(t, "fast-startup", c.Actions[0].Sandbox)
	assert.False(t, c.Actions[0].WithRepoContents)
	assert.Equal(t, "i2x4", c.Servers[0].Deployment.Machine)
	assert.False(t, c.Servers[0].Deployment.IsPrimary)
	assert.False(t, c.PublishModules)
	assert.Equal(t, ".", c.FlakeDir)
	assert.True(t, c.Sections[0].IncludeIsDefault)
}

func TestBuilds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		includes   [][]string
	}{
		{name: "no builds are one default section", text: "fodChecks: no\n", includes: [][]string{defaultIncludes}},
		{name: "an empty mapping is one default section", text: "builds: {}\n", includes: [][]string{defaultIncludes}},
		{name: "a list of an empty mapping is one default section", text: "builds: [{}]\n", includes: [][]string{defaultIncludes}},
		{name: "an empty list builds nothing", text: "builds: []\n", includes: [][]string{}},
		{name: "an empty include builds nothing", text: "builds: {include: []}\n", includes: [][]string{{}}},
		{name: "a mapping is the one section", text: "builds: {include: [a.b]}\n", includes: [][]string{{"a.b"}}},
		{name: "a list is several sections", text: "builds: [{include: [a.b]}, {}]\n", includes: [][]string{{"a.b"}, defaultIncludes}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c, _ := parse(t, tc.text)
			includes := [][]string{}
			for _, s := range c.Sections {
				includes = append(includes, texts(s.Include))
			}
			assert.Equal(t, tc.includes, includes)
		})
	}
}

func TestKeysListsEveryKeyInFileOrder(t *testing.T) {
	t.Parallel()
	c, _ := parse(t, `flakeDir: .
builds:
  - include: []
    includ: []
actions: [{run: a, on: push, githubToken: repo}]
enableGithubOrgAccessTokens: true
mine: {include: [x]}
artifacts: []
`)
	type key struct {
		path string
		kind config.KeyKind
	}
	var got []key
	for _, k := range c.Keys {
		got = append(got, key{k.Path, k.Kind})
		assert.NotZero(t, k.Pos.Line)
	}
	assert.Equal(t, []key{
		{"flakeDir", config.KeyRead},
		{"builds", config.KeyRead},
		{"builds[0].include", config.KeyRead},
		{"builds[0].includ", config.KeyUnknown},
		{"actions", config.KeyRead},
		{"actions[0].run", config.KeyRead},
		{"actions[0].on", config.KeyRead},
		{"actions[0].githubToken", config.KeyFork},
		{"enableGithubOrgAccessTokens", config.KeyHosted},
		{"mine", config.KeyUnknown},
		{"artifacts", config.KeyFork},
	}, got)
}

func TestKeysOfABuildsMappingHaveNoIndex(t *testing.T) {
	t.Parallel()
	c, _ := parse(t, "builds: {exclude: []}\n")
	require.Len(t, c.Keys, 2)
	assert.Equal(t, config.Key{Path: "builds.exclude", Pos: at(1, 10), Kind: config.KeyRead}, c.Keys[1])
}

func TestFlakePath(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, dir, want string
		ok              bool
	}{
		{name: "a dot is the root", dir: ".", want: ".", ok: true},
		{name: "an empty text is the root", dir: "", want: ".", ok: true},
		{name: "a subdirectory is inside", dir: "some/nested/dir", want: "some/nested/dir", ok: true},
		{name: "a trailing slash does not matter", dir: "nix/", want: "nix", ok: true},
		{name: "a detour is inside", dir: "a/../b/./c", want: "b/c", ok: true},
		{name: "up and down to the root", dir: "a/..", want: ".", ok: true},
		{name: "the parent is outside", dir: "..", ok: false},
		{name: "a sibling is outside", dir: "../repo-evil", ok: false},
		{name: "a detour may leave", dir: "a/../../b", ok: false},
		{name: "an absolute path is outside", dir: "/etc", ok: false},
		{name: "the root of the machine is outside", dir: "/", ok: false},
		{name: "two dots may begin a name", dir: "..a", want: "..a", ok: true},
		{name: "no file name holds NUL", dir: "a\x00b", ok: false},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := config.Default()
			c.FlakeDir = tc.dir
			dir, ok := c.FlakePath()
			assert.Equal(t, tc.ok, ok)
			assert.Equal(t, tc.want, dir)
		})
	}
}
