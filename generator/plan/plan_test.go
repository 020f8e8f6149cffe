package plan_test

import (
	"fmt"
	"maps"
	"slices"
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
func decide(t testing.TB, yaml, own, lock string) (*plan.Plan, diag.List) {
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
	return plan.New(plan.Input{
		Config: c, Settings: s, Lock: l, Selection: selection, Inputs: map[string]string{"garnix.yaml": "digest"}, Version: "v1",
	})
}

func TestProgramsComeWithEveryInput(t *testing.T) {
	t.Parallel()
	c, _ := config.Parse("nix/garnix.yaml", []byte("builds: {include: [packages.x86_64-linux.a]}"))
	s, _ := settings.Parse("config.yaml", nil)
	p, diags := plan.New(plan.Input{Config: c, Settings: s, Inputs: map[string]string{
		"nix/garnix.yaml": "d", ".github/garnix2gha/config.yaml": "", ".github/garnix2gha/lock.json": "",
	}})
	require.False(t, diags.HasErrors(), "%v", diags)
	assert.Equal(t, ".github/garnix2gha\nnix", p.Common.Sparse)
}

func TestStrategy(t *testing.T) {
	t.Parallel()
	const lock = `{"version":1,"outputs":{"packages":{"x86_64-linux":["a","b"]}}}`
	for _, tc := range []struct {
		name, yaml, settings, lock string
		want                       string
		code                       string
	}{
		{name: "literal matchers are static", yaml: "builds: {include: [packages.x86_64-linux.a, devShell.aarch64-darwin]}", want: settings.Static},
		{name: "a wildcard is dynamic", yaml: "builds: {include: ['packages.x86_64-linux.*']}", want: settings.Dynamic},
		{name: "a wildcard with a lock is static", yaml: "builds: {include: ['packages.x86_64-linux.*']}", lock: lock, want: settings.Static},
		{name: "a configuration without a lock has no known system", yaml: "builds: {include: [nixosConfigurations.web]}", want: settings.Dynamic},
		{name: "a wildcard in an exclude does no harm", yaml: "builds: {include: [packages.x86_64-linux.a], exclude: ['*.*.b']}", want: settings.Static},
		{name: "the setting makes it dynamic", yaml: "builds: {include: [packages.x86_64-linux.a]}", settings: "strategy: dynamic", lock: lock, want: settings.Dynamic},
		{name: "static without a lock is refused for wildcards", yaml: "builds: {include: ['packages.x86_64-linux.*']}", settings: "strategy: static", want: settings.Static, code: "static-unknown"},
		{name: "garnix's defaults are dynamic", yaml: "", want: settings.Dynamic},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p, diags := decide(t, tc.yaml, tc.settings, tc.lock)
			assert.Equal(t, tc.want, p.Strategy)
			if tc.code == "" {
				assert.Empty(t, diags)
				return
			}
			require.Len(t, diags, 1)
			assert.Equal(t, tc.code, diags[0].Code)
			assert.True(t, diags.HasErrors())
		})
	}
}

func TestTargetsStandByTheirPath(t *testing.T) {
	t.Parallel()
	p, _ := decide(t, `
builds:
  - include: ["*.x86_64-linux.*"]
    exclude: ["*.*.only-main"]
  - {branch: main, include: ["packages.x86_64-linux.only-main"]}
`, "", `{"version":1,"outputs":{"packages":{"x86_64-linux":["plain","only-main","${{ evil }}","new\nline","😀","a.b"]}}}`)
	require.NotNil(t, p)
	assert.Equal(t, map[string]any{
		"packages.x86_64-linux.plain": true, "packages.x86_64-linux.only-main": []string{"main"},
		"packages.x86_64-linux.${{ evil }}": true, "packages.x86_64-linux.new\nline": true, "packages.x86_64-linux.😀": true,
	}, p.Manifest.Targets, "a name with a dot is selected by nothing")
	assert.Len(t, p.Manifest.Rules, 2, "with a lock the run can name what the lock lacks")
}

func TestManyTargetsStayListed(t *testing.T) {
	t.Parallel()
	const n = 10_000
	names := make([]string, n)
	var literals strings.Builder
	literals.WriteString("builds:\n  include:\n")
	for i := range names {
		names[i] = fmt.Sprintf(`"some-package-%05d"`, i)
		fmt.Fprintf(&literals, "    - packages.x86_64-linux.some-package-%05d\n", i)
	}
	lock := `{"version":1,"outputs":{"packages":{"x86_64-linux":[` + strings.Join(names, ",") + `]}}}`
	for name, given := range map[string]struct{ yaml, lock string }{
		"by a wildcard":      {yaml: "builds: {include: ['packages.x86_64-linux.*']}", lock: lock},
		"by literal matches": {yaml: literals.String()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, _ := decide(t, given.yaml, "", given.lock)
			assert.Equal(t, settings.Static, p.Strategy)
			assert.Len(t, p.Manifest.Targets, n)
		})
	}
}

func TestManifest(t *testing.T) {
	t.Parallel()
	branch := "main"
	for _, tc := range []struct {
		name, yaml, settings string
		want                 func(t *testing.T, m plan.Manifest)
	}{
		{name: "rules keep what can select", yaml: "builds: [{include: ['packages.*.*', 'apps.*.*'], exclude: ['*.*.b', 'apps.*.c']}, {branch: main, include: ['checks.x86_64-linux.*']}]",
			want: func(t *testing.T, m plan.Manifest) {
				assert.Nil(t, m.Targets)
				assert.Equal(t, []plan.Rule{{Include: []string{"packages.*.*"}, Exclude: []string{"*.*.b"}}, {Branch: &branch, Include: []string{"checks.x86_64-linux.*"}}}, m.Rules)
			}},
		{name: "literal targets need no rules", yaml: "builds: {include: [packages.x86_64-linux.a]}", want: func(t *testing.T, m plan.Manifest) {
			assert.Equal(t, map[string]any{"packages.x86_64-linux.a": true}, m.Targets)
			assert.Nil(t, m.Rules)
			assert.Equal(t, "fail", m.Stale)
			assert.Equal(t, "v1", m.Generator)
			assert.Equal(t, map[string]string{"garnix.yaml": "digest"}, m.Inputs)
			assert.Equal(t, map[string]int{"build": 330, "verify": 60}, m.Minutes)
		}},
		{name: "dead matchers leave a list of nothing", yaml: "builds: {include: [apps.x86_64-linux.a]}", want: func(t *testing.T, m plan.Manifest) {
			assert.NotNil(t, m.Targets)
			assert.Empty(t, m.Targets)
		}},
		{name: "the cache by a variable", yaml: "", want: func(t *testing.T, m plan.Manifest) {
			assert.Equal(t, "CACHIX_CACHE_NAME", m.Cache.Variable)
			assert.Empty(t, m.Cache.Name+m.Cache.URL)
			assert.Nil(t, m.Cache.PushRefs)
			assert.Equal(t, []string{"CACHIX_AUTH_TOKEN"}, m.Cache.Secrets)
			assert.Regexp(t, `^github:NixOS/nixpkgs/[0-9a-f]{40}\?narHash=sha256-[\w%]+#cachix$`, m.Cache.Client)
		}},
		{name: "a named cache has its address", yaml: "", settings: "cache: {name: ours, push-refs: [main]}", want: func(t *testing.T, m plan.Manifest) {
			assert.Equal(t, "ours", m.Cache.Name)
			assert.Empty(t, m.Cache.Variable+m.Cache.URL)
			assert.Equal(t, []string{"main"}, m.Cache.PushRefs)
		}},
		{name: "attic", yaml: "", settings: "cache: {backend: attic, url: 'https://a.example/c', server: 'https://a.example', private: true}", want: func(t *testing.T, m plan.Manifest) {
			assert.Equal(t, "attic c https://a.example https://a.example/c", strings.Join([]string{m.Cache.Backend, m.Cache.Name, m.Cache.Server, m.Cache.URL}, " "))
			assert.True(t, m.Cache.Private)
			assert.Regexp(t, `#attic-client$`, m.Cache.Client)
		}},
		{name: "shards, limits and lines of nix.conf", yaml: "builds: {include: ['packages.x86_64-linux.*']}",
			settings: "shards: 3\nstale: warn\ntimeouts: {build: 60}\nnix: {installer: quick, extra-config: 'cores = 2'}", want: func(t *testing.T, m plan.Manifest) {
				assert.Equal(t, map[string]int{"x86_64-linux": 3}, m.Shards, "of systems that have targets")
				assert.Equal(t, map[string]int{"build": 60, "verify": 60}, m.Minutes)
				assert.Equal(t, "warn", m.Stale)
				assert.True(t, m.Quick)
				assert.Contains(t, m.Nix, "cores = 2")
				assert.Contains(t, m.Nix, "accept-flake-config = false")
			}},
		{name: "actions alone", yaml: "flakeDir: sub\nbuilds: []\nactions: [{on: push, run: a}, {on: push, run: b, withRepoContents: true}, {on: push, run: b}]", want: func(t *testing.T, m plan.Manifest) {
			assert.Equal(t, map[string]plan.RunAction{"action-a": {App: "a"}, "action-b": {App: "b", WithRepo: true}, "action-b-2": {App: "b"}}, m.Actions)
			assert.Nil(t, m.Cache)
			assert.Equal(t, "sub", m.FlakeDir)
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p, diags := decide(t, tc.yaml, tc.settings, "")
			require.False(t, diags.HasErrors(), "%v", diags)
			tc.want(t, p.Manifest)
		})
	}
}

// The job ends 30 minutes after building has to stop, so that what was built can be pushed.
func TestBuildJobsHaveTimeToPush(t *testing.T) {
	t.Parallel()
	p, _ := decide(t, "", "timeouts: {build: 60}", "")
	assert.Equal(t, 90, p.Build.Minutes.Build)
	p, _ = decide(t, "", "", "")
	assert.Equal(t, 360, p.Build.Minutes.Build)
}

func TestOnlyWantedProgramsAreThere(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, yaml, settings string
		want                 []string
	}{
		{name: "defaults", want: []string{"plan.py", "cachix.py"}},
		{name: "a store", settings: "cache: {backend: nix, url: 'https://c.example', push-url: 'file:///srv', public-key: 'c-1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='}", want: []string{"plan.py", "nix_copy.py"}},
		{name: "attic, statuses and room", settings: "{statuses: true, disk-space: free, cache: {backend: attic, url: 'https://a.example/c', server: 'https://a.example'}}", want: []string{"plan.py", "attic.py", "statuses.py", "disk.py"}},
		{name: "actions besides", yaml: "actions: [{on: push, run: a}]", want: []string{"plan.py", "cachix.py", "action.py"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p, diags := decide(t, tc.yaml, tc.settings, "")
			require.False(t, diags.HasErrors(), "%v", diags)
			var got []string
			for _, program := range []string{"plan.py", "cachix.py", "nix_copy.py", "attic.py", "statuses.py", "disk.py", "action.py"} {
				if p.Wants(program) {
					got = append(got, program)
				}
			}
			assert.Equal(t, tc.want, got)
		})
	}
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
			p, diags := decide(t, tc.yaml, tc.settings, tc.lock)
			require.False(t, diags.HasErrors(), "%v", diags)
			assert.Equal(t, tc.want, slices.Sorted(maps.Keys(p.Manifest.Runners)))
		})
	}
}

func TestDeadMatchersKeepTheCheck(t *testing.T) {
	t.Parallel()
	for _, yaml := range []string{
		"builds: {branch: ''}", "builds: {include: ['apps.*.*', 'packages.*', 'packages.riscv64-linux.*']}",
		"builds: {include: ['packages.x86_64-linux.*'], exclude: ['packages.*.*']}", "builds: {include: [packages.x86_64-linux]}",
	} {
		p, diags := decide(t, yaml, "", "")
		require.False(t, diags.HasErrors(), "%v", diags)
		require.NotNil(t, p.Build, yaml)
		assert.Empty(t, slices.Sorted(maps.Keys(p.Manifest.Runners)), yaml)
	}
}

func TestSwitchedOffNeedsNoWorkflow(t *testing.T) {
	t.Parallel()
	for _, yaml := range []string{"builds: []", "builds: {include: []}", "builds: [{include: []}, {branch: main, include: []}]"} {
		p, diags := decide(t, yaml, "", "")
		require.False(t, diags.HasErrors(), "%v", diags)
		assert.Nil(t, p.Build, yaml)
		assert.Empty(t, p.Files(), yaml)
		assert.Nil(t, p.Actions, yaml)
	}
}

func TestActions(t *testing.T) {
	t.Parallel()
	p, _ := decide(t, `
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
	assert.Equal(t, plan.RunAction{App: "Deploy", WithRepo: true}, p.Manifest.Actions["action-Deploy-2"])
}

func TestWhatAWorkflowCannotCarryIsRefused(t *testing.T) {
	t.Parallel()
	for yaml, code := range map[string]string{
		`flakeDir: "${{ github.token }}"`:                "expression",
		`actions: [{on: push, run: "${{ secrets.X }}"}]`: "expression",
		`actions: [{on: push, run: "a\nb"}]`:             "control-character",
	} {
		_, diags := decide(t, yaml, "", "")
		require.Len(t, diags, 1, yaml)
		assert.Equal(t, code, diags[0].Code)
		assert.True(t, diags.HasErrors())
	}
}
