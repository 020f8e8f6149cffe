package config_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"garnix2gha/generator/config"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/flake"
)

// lineCount counts lines as YAML does, which breaks them at more than line feeds.
func lineCount(text string) int {
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n").Replace(text)
	return strings.Count(text, "\n") + 1
}

func requireSound(t *testing.T, c *config.Config, diags diag.List) {
	t.Helper()
	require.Equal(t, diags.HasErrors(), c == nil)
	require.Equal(t, diags.Sorted(), append(diag.List(nil), diags...))
	for _, d := range diags {
		require.NotEmpty(t, d.Code)
		require.NotEmpty(t, d.Message)
		require.False(t, strings.ContainsAny(d.Message+d.Hint, "\x00\x1b\n\r"), "%q", d)
	}
	if c == nil {
		return
	}
	dir, ok := c.FlakePath()
	require.Equal(t, ok, dir != "")
	for _, s := range c.Sections {
		for _, m := range append(s.Include, s.Exclude...) {
			require.Contains(t, []int{2, 3}, len(m.Parts()))
		}
	}
	full := randomLock(rand.New(rand.NewPCG(1, 1)), 1, "foo")
	for _, lock := range []*flake.Lock{nil, full} {
		for _, finding := range config.Findings(c.Sections, lock) {
			require.NotEqual(t, diag.Error, finding.Severity)
			require.NotEmpty(t, finding.Hint)
			require.False(t, strings.ContainsAny(finding.Message+finding.Hint, "\x00\x1b\n\r"), "%q", finding)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "~", "builds:\n", "builds: []\n", "builds: {include: ['*.*', packages.x86_64-linux.*], exclude: [a.b], branch: main}\n",
		"builds:\n  - include:\n      - \"*.*.*\"\n  - branch: on\n", "actions:\n  - on: push\n    run: a\n    sandboxType: x\n",
		"servers: [{configuration: a, deployment: {type: on-branch, branch: b, machine: i2x4, isPrimary: no}}]\n",
		"incrementalizeBuilds: {excludeBranches: [a]}\nmodules: {publish: y}\nfodChecks: on\nflakeDir: ../x\n",
		"x: &x [*x]\n", "x: &x {a: b}\n<<: [*x, *x]\n", "a: 1\na: 2\n", "---\n---\n", "- *.x\n", "a:\n\t- b\n", "%YAML 1.2\n---\n", "[fo?]",
		"\xff\xfea\x00", "\ufeffa: b", "a: \x00", "!!str 5", "|-\n on", "\"\\e\": \"\\0\"\n", "builds: {include: ['packages.{a,b}.f*', '.*a.*', '=.#packages', 'checks.\"a.b\".*', '*.web.*', devshell.fo?], exclude: ['*']}",
		"builds: [{include: ['packages.*-linux.{a,b}', 'nixosConfigurations.*.config', packages.foo]}, {exclude: ['packages.*', '*.x.*']}]", "a\u0085b: c\u2028d", "? [a]\n: b\n", "&a a: *a\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		c, diags := config.Parse("garnix.yaml", src)
		requireSound(t, c, diags)
		lines := lineCount(string(src))
		for _, d := range diags {
			require.Equal(t, "garnix.yaml", d.File)
			if utf8.Valid(src) {
				require.LessOrEqual(t, d.Line, lines)
				require.LessOrEqual(t, d.Column, len(src)+1)
			}
		}
		again, _ := config.Parse("garnix.yaml", bytes.Clone(src))
		require.Equal(t, c, again)
	})
}

func FuzzParseFlakeConfig(f *testing.F) {
	for _, seed := range []string{
		"null", "{}", `{"builds":{"include":["*.*"],"exclude":["a"]}}`, `{"builds":[null],"actions":[{"run":1}]}`,
		`{"servers":[{"deployment":{"type":"on-branch"}}]}`, "[", `{"\u0000":"\u001b"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		c, diags := config.ParseFlakeConfig("flake.nix", json.RawMessage(src))
		requireSound(t, c, diags)
		for _, d := range diags {
			require.Equal(t, diag.Pos{File: "flake.nix"}, d.Pos)
		}
	})
}
