package config_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/generator/config"
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
		{name: "a key of nobody", text: "builds: {default: [x]}\n", line: 1, column: 10, code: "unknown-key", hint: "known here: include, exclude and branch"},
		{name: "a named section", text: "builds: {default: {include: [x], exclude: []}}\n", line: 1, column: 10, code: "unknown-key", hint: `move include and exclude up to where "default" stands`},
		{name: "a named section in a list", text: "builds: [{ci: {include: [x]}}]\n", line: 1, column: 11, code: "unknown-key", hint: `move include up to where "ci" stands`},
		{name: "a configuration under a key", text: "garnix: {builds: {include: []}}\n", line: 1, column: 1, code: "unknown-key", hint: `move builds up to where "garnix" stands`},
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
	assert.Equal(t, "c", c.FlakeDir)
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
	assert.True(t, c.FODChecks)
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
		c, diags := configParse(text)
		if c != nil {
			diags = append(diags, diagnostics(config.Findings(c.Sections, nil))...)
		}
		require.NotEmpty(t, diags)
		for _, d := range diags {
			assert.Less(t, len(d.Message), 400)
			assert.Less(t, len(d.Hint), 400)
			assert.NotContains(t, d.Message+d.Hint, "\x1b")
			assert.NotContains(t, d.Message+d.Hint, "\n")
		}
	}
}

func TestAnActionIsTheNameOfAnApp(t *testing.T) {
	t.Parallel()
	tests := []struct{ run, hint string }{ // no hint: no warning
		{run: "deploy"}, {run: "b $(x)"}, {run: "a.b"}, {run: "x86_64-linux"}, {run: "#"}, {run: "github:o/r#deploy"},
		{run: "apps.x86_64-linux.deploy", hint: `write "run: deploy"`},
		{run: "apps.aarch64-darwin.deploy", hint: `write "run: deploy"`},
		{run: "packages.x86_64-linux.deploy", hint: `write "run: deploy"`},
		{run: "apps.deploy", hint: `write "run: deploy"`},
		{run: "x86_64-linux.deploy", hint: `write "run: deploy"`},
		{run: ".#deploy", hint: `write "run: deploy"`},
		{run: "#deploy", hint: `write "run: deploy"`},
		{run: ".#apps.x86_64-linux.deploy", hint: `write "run: deploy"`},
		{run: "nix run .#deploy", hint: `write "run: deploy"`},
		{run: "apps.x86_64-linux.a.b", hint: `write "run: a.b"`},
	}
	for _, tc := range tests {
		t.Run(tc.run, func(t *testing.T) {
			t.Parallel()
			c, diags := parse(t, "actions: [{on: push, run: '"+tc.run+"'}]\n")
			assert.Equal(t, tc.run, c.Actions[0].Run, "kept as it is")
			if tc.hint == "" {
				assert.Empty(t, diags)
				return
			}
			require.Len(t, diags, 1)
			assert.Equal(t, diag.Warning, diags[0].Severity)
			assert.Equal(t, at(1, 27), diags[0].Pos)
			assert.Equal(t, "action-attribute", diags[0].Code)
			assert.Contains(t, diags[0].Message, "apps.x86_64-linux."+tc.run)
			assert.Equal(t, tc.hint, diags[0].Hint)
			fixed, diags := parse(t, "actions: [{on: push, "+strings.Trim(strings.TrimPrefix(tc.hint, "write "), `"`)+"}]\n")
			assert.Empty(t, diags, "what is advised is fine")
			assert.NotEqual(t, c.Actions[0].Attr(), fixed.Actions[0].Attr())
		})
	}
}
