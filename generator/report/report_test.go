package report_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/generator"
	"garnix2gha/generator/report"
)

func of(t *testing.T, config, settings string) report.Report {
	t.Helper()
	return model(t, config, settings).Report()
}

func model(t *testing.T, config, settings string) generator.Model {
	t.Helper()
	in := generator.Input{Config: generator.Source{Path: "garnix.yaml", Content: []byte(config)}}
	if config == "" {
		in.Config.Content = nil
	}
	in.Settings = generator.Source{Path: "config.yaml", Content: []byte(settings)}
	model := generator.Decide(in)
	require.False(t, model.Diags.HasErrors(), "%v", model.Diags)
	return model
}

func TestKeysShareARow(t *testing.T) {
	t.Parallel()
	servers := ""
	for i := range 5 {
		servers += fmt.Sprintf("  - {configuration: s%d, deployment: {type: on-pull-request}}\n", i)
	}
	r := of(t, "builds: {include: [packages.x86_64-linux.a]}\nservers:\n"+servers, "")
	require.Len(t, r.Keys, 2)
	assert.Equal(t, "servers", r.Keys[1].Path)
	assert.Equal(t, 16, r.Keys[1].Count)
	assert.Equal(t, report.Lost, r.Keys[1].Fate)
	assert.Contains(t, r.Markdown(), "| `servers` and 15 more | 2 | lost | GitHub hosts no servers")
	assert.False(t, r.Complete)
}

func TestOnlyAListOfDeadMatchersIsIgnored(t *testing.T) {
	t.Parallel()
	r := of(t, "builds:\n  - include: [packages.x86_64-linux.a]\n  - include:\n      - apps.x86_64-linux.a\n      - packages.x86_64-linux.b\n"+
		"  - include: [packages.x86_64-linux.b]\n    exclude: [apps.*.*, checks.*.*]\n", "")
	fates := map[string]report.Fate{}
	for _, key := range r.Keys {
		fates[key.Path] = key.Fate
	}
	assert.Equal(t, map[string]report.Fate{"builds": report.Carried, "builds[1].include": report.Carried, "builds[2].exclude": report.Ignored}, fates)
	assert.Contains(t, r.Markdown(), "| `builds[1].include` | 3 | carried | 1 of its 2 matchers, below, never had an effect |")
	assert.Contains(t, r.Markdown(), "| `builds[2].exclude` | 7 | ignored | none of its matchers, below, ever had an effect |")
	assert.False(t, r.Complete)
}

func TestNothingIsSaidOfWhatIsNotBuilt(t *testing.T) {
	t.Parallel()
	r := of(t, "builds: {include: []}\n", "")
	assert.True(t, r.Complete)
	assert.Empty(t, r.Checks)
	assert.Empty(t, r.Steps)
	for _, absent := range []string{"## Checks", "## Left to do", "mermaid"} {
		assert.NotContains(t, r.Markdown(), absent)
	}
}

func TestTheDefaultIncludeIsNamed(t *testing.T) {
	t.Parallel()
	for _, config := range []string{"", "fodChecks: false\n"} {
		text := of(t, config, "").Summary()
		assert.Contains(t, text, "garnix's default holds")
		assert.Equal(t, 1, strings.Count(text, "*.x86_64-linux.*, defaultPackage.x86_64-linux,"))
	}
	assert.NotContains(t, of(t, "builds: {include: []}\n", "").Summary(), "garnix's default holds")
}

// A flake whose outputs nobody has listed gets no numbers and no systems.
func TestWhatIsNotKnownIsNotCounted(t *testing.T) {
	t.Parallel()
	text := of(t, "builds: {include: ['packages.*.*', packages.x86_64-linux.a]}\n", "").Markdown()
	assert.Contains(t, text, "every run lists what the flake has for packages.\\*.\\*, besides what is named (1)")
	assert.NotContains(t, text, "1 in all")
	assert.NotContains(t, text, "darwin")
}

func TestSecretsHaveOneStory(t *testing.T) {
	t.Parallel()
	for _, settings := range []string{"", "cache: {name: n}", "cache: {backend: attic, server: 'https://a.example.org', url: 'https://a.example.org/c'}",
		"cache: {backend: nix, push-url: 's3://b', url: 'https://c.example.org'}"} {
		text := of(t, "builds: {include: [packages.x86_64-linux.a]}\nactions: [{on: push, run: deploy}]\n", settings).Markdown()
		assert.Equal(t, 1, strings.Count(text, "garnix2gha secrets sync"), text)
		assert.Equal(t, settings == "", strings.Contains(text, "garnix2gha init --cache NAME"), text)
		assert.Contains(t, text, "`garnix2gha required-check`")
		for _, shell := range []string{"gh secret", "gh variable", "gh workflow", "age-keygen", "```"} {
			assert.NotContains(t, text, shell)
		}
	}
}

// GitHub takes 65,536 characters as a pull request's body, whatever the repository; a terminal shows some 25 lines.
func TestSizesAreBounded(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("builds:\n")
	for i := range 500 {
		fmt.Fprintf(&b, "  - {include: [packages.x86_64-linux.a%d, 'apps.x.%s'], odd%d: 1}\n", i, strings.Repeat("<|`_", 30), i)
	}
	b.WriteString("actions:\n")
	for i := range 300 {
		fmt.Fprintf(&b, "  - {on: push, run: action%d}\n", i)
	}
	for i := range 300 {
		fmt.Fprintf(&b, "'%s%d': 1\n", strings.Repeat("`<", 50), i)
	}
	r := of(t, b.String(), "")
	assert.Less(t, len(r.Markdown()), 60_000)
	assert.Regexp(t, `\n\d+ more: see`, r.Markdown())
	assert.LessOrEqual(t, strings.Count(r.Summary(), "\n"), 25)
}

// What "generate" ends with is decided by what is there.
func TestNextIsTheFirstThingLeft(t *testing.T) {
	t.Parallel()
	const builds, named, variable = "builds: {include: [packages.x86_64-linux.a]}\n", "cache: {name: n}", "cache: {name-variable: OURS}"
	for name, tc := range map[string]struct {
		config, settings string
		at               report.Standing
		want             string // "" is nothing
	}{
		"no cache is named, whatever else is left": {builds, "", report.Standing{}, "garnix2gha init --cache NAME, and generate again"},
		"no cache is named, and nothing else left": {builds, "", report.Standing{Committed: true, Pushed: true, Merged: true}, "garnix2gha init --cache NAME, and generate again"},
		"the variable is meant to name it":         {builds, variable, report.Standing{Committed: true, Pushed: true, Merged: true}, ""},
		"another backend has its name":             {builds, "cache: {backend: nix, push-url: 's3://b', url: 'https://c.example.org'}", report.Standing{Committed: true, Pushed: true, Merged: true}, ""},
		"not committed":                            {builds, named, report.Standing{}, `commit the files and open a pull request, with "garnix2gha report" as its text`},
		"on the default branch":                    {builds, named, report.Standing{Trunk: true}, "commit the files on a branch (git switch -c github-actions) and open a pull request, with"},
		"converted before":                         {builds, named, report.Standing{Converted: true}, "commit the files and open a pull request"},
		"not pushed":                               {builds, named, report.Standing{Committed: true}, "push the commit"},
		"not pushed, and a token needs a scope":    {builds, named, report.Standing{Committed: true, HTTPS: true}, "push the commit; a token that may not push workflows gets the right to by: gh auth refresh --scopes workflow"},
		"pushed to a branch":                       {builds, named, report.Standing{Committed: true, Pushed: true}, `open a pull request if there is none (garnix2gha report | gh pr create --title TITLE --body-file -), and merge it once "garnix2gha secrets sync" shows`},
		"all is done":                              {builds, named, report.Standing{Committed: true, Pushed: true, Merged: true}, ""},
		"actions alone need no cache":              {"builds: {include: []}\nactions: [{on: push, run: a}]\n", "", report.Standing{Committed: true}, "push the commit"},
		"nothing is selected":                      {"builds: {include: []}\n", "", report.Standing{Committed: true, Pushed: true, Merged: true}, ""},
		"nothing is selected, and files went":      {"builds: {include: []}\n", "", report.Standing{Pushed: true, Merged: true}, "commit the result; the configuration selects no target"},
	} {
		got := model(t, tc.config, tc.settings).Next(tc.at)
		assert.LessOrEqual(t, len(got), 3, name)
		if tc.want == "" {
			assert.Empty(t, got, name)
			continue
		}
		require.NotEmpty(t, got, name)
		assert.True(t, strings.HasPrefix(got[0], "next: "+tc.want), "%s: %s", name, got[0])
		if tc.at.Converted {
			assert.NotContains(t, got[0], "as its text", "the report is a migration's text")
		}
	}
}
