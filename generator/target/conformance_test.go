package target_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/generator/config"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/flake"
	"garnix2gha/generator/target"
)

// conformanceCase is one case of the collection that was written against garnix's source.
type conformanceCase struct {
	ID         string          `json:"id"`
	Why        string          `json:"why"`
	GarnixYAML *string         `json:"garnix_yaml"` // null: no such file
	Outputs    json.RawMessage `json:"outputs"`
	Throws     []string        `json:"throws"`
	Branch     *string         `json:"branch"` // null: a pull request from a fork
	Variant    string          `json:"variant"`
	Quirk      bool            `json:"quirk"`
	Expect     struct {
		Targets []string                   `json:"targets"`
		Error   string                     `json:"error"`
		Stage   string                     `json:"stage"`
		Config  map[string]json.RawMessage `json:"config"`
		Actions []string                   `json:"actions"`
	} `json:"expect"`

	flakeConfig json.RawMessage // nil: the flake has no such output
}

func readCases(t *testing.T, path string) []conformanceCase {
	t.Helper()
	src, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("the conformance cases are not beside this checkout")
	}
	require.NoError(t, err)
	var cases []conformanceCase
	require.NoError(t, json.Unmarshal(src, &cases))
	var keys []map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(src, &keys))
	for i := range cases {
		cases[i].flakeConfig = keys[i]["flake_config"] // absent is not the same as null
	}
	return cases
}

// lock builds the lock that listing the case's flake gives, by way of its file format.
func (c conformanceCase) lock(t *testing.T) *flake.Lock {
	t.Helper()
	failed := map[string]string{}
	for _, path := range c.Throws {
		failed[path] = "error: thrown by the case"
	}
	file := map[string]any{"version": 1, "outputs": c.Outputs, "errors": failed}
	if c.flakeConfig != nil {
		file["garnixConfig"] = c.flakeConfig
	}
	src, err := json.Marshal(file)
	require.NoError(t, err)
	lock, diags := flake.DecodeLock("lock.json", src)
	require.Empty(t, diags)
	return lock
}

func TestConformance(t *testing.T) {
	t.Parallel()
	for _, c := range readCases(t, "../../../shared/conformance/cases.json") {
		if c.Quirk || c.Variant == "fork" {
			continue
		}
		t.Run(c.ID, func(t *testing.T) {
			t.Parallel()
			c.check(t)
		})
	}
}

func (c conformanceCase) check(t *testing.T) {
	t.Helper()
	lock := c.lock(t)
	var src []byte
	if c.GarnixYAML != nil {
		src = []byte(*c.GarnixYAML)
	}
	cfg, diags := config.Resolve("garnix.yaml", src, lock)
	if c.Expect.Stage == "config" {
		assert.Nil(t, cfg, c.Why)
		assert.True(t, diags.HasErrors(), c.Why)
		return
	}
	require.NotNil(t, cfg, "%s: %v", c.Why, diags)
	require.False(t, diags.HasErrors(), "%v", diags)
	got := configJSON(t, cfg)
	for key, want := range c.Expect.Config {
		assert.JSONEq(t, string(want), string(got[key]), "%s: %s", key, c.Why)
	}

	at := target.Commit{Fork: c.Branch == nil}
	if c.Branch != nil {
		at.Branch = *c.Branch
	}
	selection, diags := target.Select(cfg, lock, at)
	if c.Expect.Error != "" {
		assert.True(t, diags.HasErrors(), c.Why)
		return
	}
	require.False(t, diags.HasErrors(), "%v", diags)
	attrs := []string{}
	for _, selected := range selection.Targets {
		attrs = append(attrs, selected.Attr.String())
	}
	assert.Equal(t, c.Expect.Targets, attrs, c.Why)
	if c.Expect.Actions != nil {
		actions := []string{}
		for _, action := range selection.Actions {
			actions = append(actions, action.Attr().String())
		}
		assert.Equal(t, c.Expect.Actions, actions, c.Why)
	}
}

// configJSON spells a configuration as the cases do.
func configJSON(t *testing.T, c *config.Config) map[string]json.RawMessage {
	t.Helper()
	texts := func(matchers []config.Matcher) []string {
		out := []string{}
		for _, m := range matchers {
			out = append(out, m.String())
		}
		return out
	}
	builds, actions, servers := []any{}, []any{}, []any{}
	for _, s := range c.Sections {
		builds = append(builds, map[string]any{"include": texts(s.Include), "exclude": texts(s.Exclude), "branch": s.Branch})
	}
	for _, a := range c.Actions {
		actions = append(actions, map[string]any{
			"run": a.Run, "on": "push", "sandboxType": a.Sandbox, "withRepoContents": a.WithRepoContents,
		})
	}
	for _, s := range c.Servers {
		deployment := map[string]any{"type": s.Deployment.Type}
		if s.Deployment.Type == "on-branch" {
			deployment["branch"], deployment["machine"] = s.Deployment.Branch, s.Deployment.Machine
			deployment["isPrimary"] = s.Deployment.IsPrimary
		}
		servers = append(servers, map[string]any{"configuration": s.Configuration, "deployment": deployment})
	}
	var incrementalize any = c.Incrementalize.Enabled
	if c.Incrementalize.ExcludeBranches != nil {
		incrementalize = map[string]any{"excludeBranches": c.Incrementalize.ExcludeBranches}
	}
	fields := map[string]any{
		"builds": builds, "actions": actions, "servers": servers, "incrementalizeBuilds": incrementalize,
		"modules": map[string]any{"publish": c.PublishModules}, "fodChecks": c.FODChecks, "flakeDir": c.FlakeDir,
	}
	out := map[string]json.RawMessage{}
	for key, value := range fields {
		src, err := json.Marshal(value)
		require.NoError(t, err)
		out[key] = src
	}
	return out
}

func TestCorpusAgreesWithGarnix(t *testing.T) {
	t.Parallel()
	const corpus = "../../../shared/corpus"
	files, err := filepath.Glob(corpus + "/*/*.yaml")
	require.NoError(t, err)
	if len(files) == 0 {
		t.Skip("the corpus of real files is not beside this checkout")
	}
	verdicts := readVerdicts(t, corpus)
	for _, file := range files {
		name, err := filepath.Rel(corpus, file)
		require.NoError(t, err)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			src, err := os.ReadFile(file)
			require.NoError(t, err)
			cfg, diags := config.Parse("garnix.yaml", src)
			assert.Equal(t, cfg == nil, diags.HasErrors())
			if valid, known := verdicts[name]; known {
				assert.Equal(t, valid, cfg != nil, "%v", diags)
			}
			if cfg != nil {
				assertDeadAreTold(t, cfg)
			}
		})
	}
}

// assertDeadAreTold checks that every dead matcher is in exactly one finding, which is among the diagnostics.
func assertDeadAreTold(t *testing.T, cfg *config.Config) {
	t.Helper()
	_, diags := target.Select(cfg, nil, target.Commit{All: true})
	told := map[diag.Pos]int{}
	for _, f := range config.Findings(cfg.Sections, nil) {
		assert.Contains(t, diags, f.Diagnostic)
		for _, place := range f.Places {
			told[place.Matcher.Pos]++
		}
	}
	for _, s := range cfg.Sections {
		for _, m := range append(s.Include, s.Exclude...) {
			assert.LessOrEqual(t, told[m.Pos], 1, m.String())
			assert.True(t, !m.Dead || told[m.Pos] == 1, m.String())
		}
	}
}
