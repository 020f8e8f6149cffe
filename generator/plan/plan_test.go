package plan_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/generator/config"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/flake"
	"garnix2gha/generator/plan"
	"garnix2gha/generator/settings"
	"garnix2gha/generator/target"
)

// decide plans a configuration; settings and lock may be "".
func decide(t testing.TB, yaml, own, lock string) (*plan.Plan, plan.Strategy, diag.List) {
	t.Helper()
	c, diags := config.Parse("garnix.yaml", []byte(yaml))
	require.NotNil(t, c, "%v", diags)
	s, diags := settings.Parse("config.yaml", []byte(own))
	require.NotNil(t, s, "%v", diags)
	var l *flake.Lock
	if lock != "" {
		l, diags = flake.DecodeLock("lock.json", []byte(lock))
		require.NotNil(t, l, "%v", diags)
	}
	selection, _ := target.Select(c, l, target.Commit{All: true})
	return plan.New(plan.Input{Config: c, ConfigDigest: "digest", Settings: s, Lock: l, Selection: selection})
}

func TestStrategy(t *testing.T) {
	t.Parallel()
	const lock = `{"version":1,"outputs":{"packages":{"x86_64-linux":["a","b"]}}}`
	for _, tc := range []struct {
		name, yaml, settings, lock string
		want                       plan.Strategy
		code                       string
	}{
		{name: "literal matchers are static", yaml: "builds: {include: [packages.x86_64-linux.a, devShell.aarch64-darwin]}", want: plan.Static},
		{name: "a wildcard is dynamic", yaml: "builds: {include: ['packages.x86_64-linux.*']}", want: plan.Dynamic},
		{name: "a wildcard with a lock is static", yaml: "builds: {include: ['packages.x86_64-linux.*']}", lock: lock, want: plan.Static},
		{name: "a configuration without a lock has no known system", yaml: "builds: {include: [nixosConfigurations.web]}", want: plan.Dynamic},
		{name: "a wildcard in an exclude does no harm", yaml: "builds: {include: [packages.x86_64-linux.a], exclude: ['*.*.b']}", want: plan.Static},
		{name: "the setting makes it dynamic", yaml: "builds: {include: [packages.x86_64-linux.a]}", settings: "strategy: dynamic", lock: lock, want: plan.Dynamic},
		{name: "static without a lock is refused for wildcards", yaml: "builds: {include: ['packages.x86_64-linux.*']}", settings: "strategy: static", want: plan.Static, code: "static-unknown"},
		{name: "garnix's defaults are dynamic", yaml: "", want: plan.Dynamic},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p, strategy, diags := decide(t, tc.yaml, tc.settings, tc.lock)
			assert.Equal(t, tc.want, strategy)
			if tc.code == "" {
				require.NotNil(t, p, "%v", diags)
				assert.Empty(t, diags)
				return
			}
			require.Len(t, diags, 1)
			assert.Equal(t, tc.code, diags[0].Code)
			assert.Nil(t, p)
		})
	}
}

func TestTargetLinesAreReadableAndInert(t *testing.T) {
	t.Parallel()
	p, _, _ := decide(t, `
builds:
  - include: ["*.x86_64-linux.*"]
    exclude: ["*.*.only-main"]
  - {branch: main, include: ["packages.x86_64-linux.only-main"]}
`, "", `{"version":1,"outputs":{"packages":{"x86_64-linux":["plain","only-main","${{ evil }}","new\nline","😀","é","quo\"te"]}}}`)
	require.NotNil(t, p)
	assert.Equal(t, strings.Join([]string{
		`{"path":["packages","x86_64-linux","\u0024{{ evil }}"]}`,
		`{"path":["packages","x86_64-linux","new\nline"]}`,
		`{"path":["packages","x86_64-linux","only-main"],"branches":["main"]}`,
		`packages.x86_64-linux.plain`,
		`{"path":["packages","x86_64-linux","quo\"te"]}`,
		`{"path":["packages","x86_64-linux","\u00e9"]}`,
		`{"path":["packages","x86_64-linux","\ud83d\ude00"]}`,
	}, "\n")+"\n", p.Common.Source["TARGETS"])
}

func TestManyTargets(t *testing.T) {
	t.Parallel()
	many := func(n int) string {
		names := make([]string, n)
		for i := range names {
			names[i] = fmt.Sprintf(`"some-package-%05d"`, i)
		}
		return `{"version":1,"outputs":{"packages":{"x86_64-linux":[` + strings.Join(names, ",") + `]}}}`
	}
	const wildcard = "builds: {include: ['packages.x86_64-linux.*']}"
	t.Run("what one variable cannot hold is spread over several", func(t *testing.T) {
		t.Parallel()
		p, strategy, _ := decide(t, wildcard, "", many(3_000))
		assert.Equal(t, plan.Static, strategy)
		lines := 0
		for name, text := range p.Common.Source {
			assert.Less(t, len(text), 131_072, name)
			lines += strings.Count(text, "\n")
		}
		assert.Len(t, p.Common.Source, 2)
		assert.Equal(t, 3_000, lines)
	})
	t.Run("what a workflow cannot hold is listed at run time", func(t *testing.T) {
		t.Parallel()
		p, strategy, _ := decide(t, wildcard, "", many(10_000))
		assert.Equal(t, plan.Dynamic, strategy)
		assert.Contains(t, p.Common.Source["RULES"], "packages.x86_64-linux.*")
	})
	t.Run("static on request is refused", func(t *testing.T) {
		t.Parallel()
		_, _, diags := decide(t, wildcard, "strategy: static", many(10_000))
		require.Len(t, diags, 1)
		assert.Equal(t, "too-many-targets", diags[0].Code)
	})
	t.Run("too many literal matchers are refused", func(t *testing.T) {
		t.Parallel()
		var b strings.Builder
		b.WriteString("builds:\n  include:\n")
		for i := range 10_000 {
			fmt.Fprintf(&b, "    - packages.x86_64-linux.some-package-%05d\n", i)
		}
		_, _, diags := decide(t, b.String(), "", "")
		require.Len(t, diags, 1)
		assert.Equal(t, "too-many-matchers", diags[0].Code)
	})
}

func TestRunnersNameOnlyPossibleSystems(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, yaml, settings, lock string
		want                       []string
	}{
		{name: "one literal system", yaml: "builds: {include: [packages.x86_64-linux.a]}", want: []string{"x86_64-linux"}},
		{name: "a wildcard system without excluded ones", yaml: "builds: {include: ['packages.*.*'], exclude: ['*.*-darwin.*', '*.x86_64-darwin.*', '*.aarch64-darwin.*', 'packages.i686-linux.*']}", want: []string{"aarch64-linux", "x86_64-linux"}},
		{name: "hosts of NixOS may be any Linux", yaml: "builds: {include: ['nixosConfigurations.*']}", want: []string{"aarch64-linux", "i686-linux", "x86_64-linux"}},
		{name: "a lock knows the system of a host", yaml: "builds: {include: ['nixosConfigurations.*']}", lock: `{"version":1,"outputs":{"nixosConfigurations":["web"]},"systems":{"nixosConfigurations.web":"aarch64-linux"}}`, want: []string{"aarch64-linux"}},
		{name: "Macs", yaml: "builds: {include: ['darwinConfigurations.*']}", want: []string{"aarch64-darwin", "x86_64-darwin"}},
		{name: "a runner that is given is there", yaml: "builds: {include: [packages.x86_64-linux.a]}", settings: "runners: {aarch64-linux: big}", want: []string{"aarch64-linux", "x86_64-linux"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p, _, diags := decide(t, tc.yaml, tc.settings, tc.lock)
			require.NotNil(t, p, "%v", diags)
			assert.Equal(t, tc.want, p.Systems())
		})
	}
}

func TestDeadMatchersKeepTheCheck(t *testing.T) {
	t.Parallel()
	for _, yaml := range []string{
		"builds: {branch: ''}", "builds: {include: ['apps.*.*', 'packages.*', 'packages.riscv64-linux.*']}",
		"builds: {include: ['packages.x86_64-linux.*'], exclude: ['packages.*.*']}", "builds: {include: [packages.x86_64-linux]}",
	} {
		p, _, diags := decide(t, yaml, "", "")
		require.NotNil(t, p, "%v", diags)
		require.NotNil(t, p.Build, yaml)
		assert.Empty(t, p.Systems(), yaml)
	}
}

func TestSwitchedOffNeedsNoWorkflow(t *testing.T) {
	t.Parallel()
	for _, yaml := range []string{"builds: []", "builds: {include: []}", "builds: [{include: []}, {branch: main, include: []}]"} {
		p, _, diags := decide(t, yaml, "", "")
		require.NotNil(t, p, "%v", diags)
		assert.Nil(t, p.Build, yaml)
		assert.Nil(t, p.Cache, yaml)
		assert.Nil(t, p.Actions, yaml)
	}
}

func TestActions(t *testing.T) {
	t.Parallel()
	p, _, _ := decide(t, `
builds: []
actions:
  - {on: push, run: deploy}
  - {on: push, run: Deploy, withRepoContents: true}
  - {on: push, run: a b}
  - {on: push, run: a.b}
`, "", "")
	require.NotNil(t, p)
	require.NotNil(t, p.Actions)
	var ids, secrets []string
	for _, job := range p.Actions.Jobs {
		ids, secrets = append(ids, job.ID), append(secrets, job.Secret)
	}
	assert.Equal(t, []string{"action-deploy", "action-Deploy-2", "action-a_b", "action-a_b-2"}, ids)
	assert.Equal(t, []string{"GARNIX_ACTION_KEY_DEPLOY", "GARNIX_ACTION_KEY_DEPLOY_2", "GARNIX_ACTION_KEY_A_B", "GARNIX_ACTION_KEY_A_B_2"}, secrets)
	assert.True(t, p.Actions.Jobs[1].WithRepo)
}

func TestWhatAWorkflowCannotCarryIsRefused(t *testing.T) {
	t.Parallel()
	for yaml, code := range map[string]string{
		`flakeDir: "${{ github.token }}"`:                "expression",
		`actions: [{on: push, run: "${{ secrets.X }}"}]`: "expression",
		`actions: [{on: push, run: "a\nb"}]`:             "control-character",
	} {
		_, _, diags := decide(t, yaml, "", "")
		require.Len(t, diags, 1, yaml)
		assert.Equal(t, code, diags[0].Code)
	}
}
