package lint_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/generator/lint"
)

const sound = `name: N
on: push
permissions: {}
jobs:
  a:
    name: A
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    steps:
      - name: Check out
        uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          persist-credentials: false
      - name: Run
        run: echo hello
`

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, old, new string
		want           []string
	}{
		{name: "a sound workflow has no findings"},
		{name: "an expression in a script", old: "echo hello", new: "echo ${{ github.sha }}", want: []string{"w.yml:15:14: an expression inside run: is pasted into the script before the shell reads it [expression-in-run]"}},
		{name: "a tag is no pin", old: "@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1", new: "@v7", want: []string{"w.yml:11:15: actions/checkout@v7 can change under you [unpinned-uses]"}},
		{name: "a pin without its version", old: " # v7.0.1", new: "", want: []string{"[unversioned-pin]"}},
		{name: "a local action", old: "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1", new: "./here", want: []string{"[local-uses]"}},
		{name: "an image without digest", old: "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1\n        with:\n          persist-credentials: false", new: "docker://alpine:3", want: []string{"[unpinned-uses]"}},
		{name: "credentials that stay", old: "persist-credentials: false", new: "fetch-depth: 0", want: []string{"w.yml:11:15: the checkout leaves the token where every later step can read it [persist-credentials]"}},
		{name: "pull_request_target", old: "on: push", new: "on: pull_request_target", want: []string{"w.yml:2:5: pull_request_target runs with secrets and a write token on what a fork controls [dangerous-trigger]"}},
		{name: "workflow_run", old: "on: push", new: "on:\n  workflow_run:\n    workflows: [x]\n    types: [completed]", want: []string{"[dangerous-trigger]"}},
		{name: "no permissions at all", old: "permissions: {}\n", new: "", want: []string{"w.yml: without permissions: the token may be able to write everything [permissions-missing]"}},
		{name: "permissions for every job", old: "permissions: {}", new: "permissions:\n  contents: write", want: []string{"[permissions-broad]"}},
		{name: "all permissions", old: "permissions: {}", new: "permissions: write-all", want: []string{"[permissions-broad]"}},
		{name: "a workflow without a name", old: "name: N\n", new: "", want: []string{"[unnamed-workflow]"}},
		{name: "a job without a name", old: "    name: A\n", new: "", want: []string{"[unnamed-job]"}},
		{name: "a step without a name", old: "      - name: Run\n        run", new: "      - run", want: []string{"[unnamed-step]"}},
		{name: "a job without a limit", old: "    timeout-minutes: 5\n", new: "", want: []string{"[no-timeout]"}},
		{name: "every secret", old: "run: echo hello", new: "env:\n          S: ${{ toJSON( secrets ) }}\n        run: echo hello", want: []string{"[every-secret]"}},
		{name: "a long script", old: "echo hello", new: "echo " + strings.Repeat("x", 16_000), want: []string{"[script-too-large]"}},
		{name: "a long value with an expression", old: "run: echo hello", new: "env:\n          S: ${{ github.sha }}" + strings.Repeat("x", 21_000) + "\n        run: echo hello", want: []string{"[expression-too-large]"}},
		{name: "a long value without one passes", old: "run: echo hello", new: "env:\n          S: " + strings.Repeat("x", 21_000) + "\n        run: echo hello"},
		{name: "a large file", old: "name: N\n", new: "name: N\n#" + strings.Repeat("x", 500_000) + "\n", want: []string{"[file-too-large]"}},
		{name: "secrets in a condition", old: "run: echo hello", new: "if: secrets.X != ''\n        run: echo hello", want: []string{"[actionlint-expression]"}},
		{name: "a label nobody has", old: "ubuntu-24.04", new: "ubuntu-25.99", want: []string{"[actionlint-runner-label]"}},
		{name: "a label that is declared", old: "ubuntu-24.04", new: "our-runner"},
		{name: "broken YAML", old: "jobs:", new: "jobs: [", want: []string{"[actionlint-syntax-check]"}},
		{name: "inherited secrets", old: "    runs-on: ubuntu-24.04\n    timeout-minutes: 5\n    steps:\n      - name: Check out\n        uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1\n        with:\n          persist-credentials: false\n      - name: Run\n        run: echo hello\n", new: "    uses: a/b/.github/workflows/c.yml@main\n    secrets: inherit\n", want: []string{"[secrets-inherit]", "[unpinned-uses]"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			require.Contains(t, sound, tc.old)
			source := sound
			if tc.old != "" {
				source = strings.Replace(sound, tc.old, tc.new, 1)
			}
			got, err := lint.Check("w.yml", []byte(source), []string{"our-runner"})
			require.NoError(t, err)
			var lines []string
			for _, d := range got {
				lines = append(lines, d.String())
			}
			require.Len(t, got, len(tc.want), "%s", strings.Join(lines, "\n"))
			for _, want := range tc.want {
				assert.Contains(t, strings.Join(lines, "\n"), want)
			}
		})
	}
}

func TestSoundAsksForNoMoreThanActionlint(t *testing.T) {
	t.Parallel()
	got, err := lint.Sound("w.yml", []byte("on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: actions/checkout@v6\n"), nil)
	require.NoError(t, err)
	assert.Empty(t, got)
	got, err = lint.Sound("w.yml", []byte("on: push\njobs:\n  a:\n    runs-on: ubuntu-25.99\n    steps:\n      - run: echo\n"), nil)
	require.NoError(t, err)
	require.Len(t, got, 1)
	assert.Equal(t, "actionlint-runner-label", got[0].Code)
}

func FuzzCheckNeverPanics(f *testing.F) {
	f.Add(sound)
	f.Add("on: push\njobs:\n  a:\n    uses: x\n")
	f.Add("jobs: {a: {steps: [{uses: }, {run: }]}}")
	f.Fuzz(func(t *testing.T, source string) {
		_, _ = lint.Check("w.yml", []byte(source), nil)
	})
}
