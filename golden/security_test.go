package golden_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"garnix2gha/generator"
	"garnix2gha/generator/output"
	"garnix2gha/generator/plan"
	"garnix2gha/generator/settings"
	"garnix2gha/templates"
)

// securityFile is a generated workflow as GitHub reads it.
type securityFile struct {
	name     string // scenario or variant, and the file's base name
	text     string
	manifest plan.Manifest // what its programs are told
	targets  string        // the same as a file

	Name        string
	On          map[string]any
	Permissions map[string]string
	Concurrency map[string]string
	Env         map[string]string
	Jobs        map[string]securityJob
}

type securityJob struct {
	Name        string
	If          string
	Needs       any
	RunsOn      any `yaml:"runs-on"`
	Permissions map[string]string
	Minutes     int `yaml:"timeout-minutes"`
	Env         map[string]string
	Outputs     map[string]string
	Steps       []securityStep
}

type securityStep struct {
	Name, ID, If, Uses, Run, Shell string
	With                           map[string]any
	Env                            map[string]string
}

// securityVariants are settings that change what is generated, by what they are about.
func securityVariants() map[string]string {
	return map[string]string{
		"defaults":      "",
		"named cache":   "cache: { name: ours }\n",
		"private cache": "cache: { name: ours, private: true }\n",
		"own signing":   "cache: { name: ours, signing-key-secret: SIGNING }\n",
		"s3":            "cache: { backend: nix, url: 'https://c.example', push-url: 's3://b?region=r', public-key: 'c-1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=', signing-key-secret: SIGNING }\n",
		"attic":         "cache: { backend: attic, url: 'https://a.example/c', server: 'https://a.example', private: true }\n",
		"all pulls":     "cache: { name: ours, push-refs: [main] }\ntriggers: { push-branches: [main], pull-requests: all }\n",
		"no pulls":      "triggers: { pull-requests: none, merge-group: false, dispatch: false }\n",
		"statuses":      "statuses: true\n",
		"by target":     "granularity: target\ndisk-space: free\nschedule: off\n",
		"own runners":   "runners: { x86_64-linux: [large, linux] }\nplan-runner: small\ntriggers: { pull-requests: none }\n",
		"determinate":   "nix: { installer: determinate, access-token-secret: READER, extra-features: [ca-derivations] }\n",
		"quick":         "nix: { installer: quick, extra-config: 'keep-outputs = true' }\n",
		"quoted check":  "names: { aggregate: \"It's all\" }\n",
		"shards":        "strategy: dynamic\nshards: 3\n",
		"branches":      "cancel: branches\n",
		"never":         "cancel: never\nstale: off\n",
		"private store": "cache: { backend: nix, url: 'https://c.example', push-url: 's3://b?region=r', public-key: 'c-1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=', private: true, token-secret: READS }\n",
		"everything":    everySetting,
	}
}

// everySetting makes the longest workflows.
const everySetting = `cancel: branches
cache: { backend: nix, url: 'https://c.example', push-url: 's3://b?region=r', public-key: 'c-1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
  signing-key-secret: SIGNING, private: true, token-secret: READS }
nix: { access-token-secret: READER, install-url: 'https://releases.example/nix/install' }
disk-space: free
statuses: true
`

const securityConfig = `builds:
  - include: ["packages.*.*", "nixosConfigurations.*"]
  - branch: ${{ github.token }}
    include: ["checks.x86_64-linux.*"]
actions:
  - { on: push, run: deploy }
  - { on: push, run: "$(x)", withRepoContents: true }
`

// securityFiles renders every variant and every scenario of this folder and of executed/, once.
var securityFiles = sync.OnceValues(func() ([]securityFile, error) {
	var files []securityFile
	render := func(name string, in generator.Input, mustRender bool) error {
		result, err := generator.Generate(in)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if mustRender && result.Diags.HasErrors() {
			return fmt.Errorf("%s: %s", name, result.Diags[0])
		}
		targets := ""
		for _, file := range result.Files {
			if file.Path == output.Targets {
				targets = string(file.Data)
			}
		}
		for _, file := range result.Files {
			if !strings.HasPrefix(file.Path, output.Dir+"/") {
				continue
			}
			parsed := securityFile{name: name + " " + filepath.Base(file.Path), text: string(file.Data), manifest: result.Plan.Manifest, targets: targets}
			if err := yaml.Unmarshal(file.Data, &parsed); err != nil {
				return fmt.Errorf("%s: %w", parsed.name, err)
			}
			files = append(files, parsed)
		}
		return nil
	}
	variants := securityVariants()
	for _, name := range slices.Sorted(maps.Keys(variants)) {
		err := render(name, generator.Input{
			Config:    generator.Source{Path: "garnix.yaml", Content: []byte(securityConfig)},
			Settings:  generator.Source{Path: ".github/garnix2gha/config.yaml", Content: []byte(variants[name])},
			Templates: templates.FS,
		}, true)
		if err != nil {
			return nil, err
		}
	}
	for _, pattern := range []string{"*.txtar", "executed/*.txtar"} {
		scenarios, err := filepath.Glob(pattern)
		if err != nil || len(scenarios) == 0 {
			return nil, fmt.Errorf("%s: no scenarios (%w)", pattern, err)
		}
		for _, scenario := range scenarios {
			archive, err := txtar.ParseFile(scenario)
			if err != nil {
				return nil, err
			}
			for i := range archive.Files {
				text := strings.NewReplacer("@CACHE@", "http://127.0.0.1:9", "@CANARY@", "/canary").Replace(string(archive.Files[i].Data))
				archive.Files[i].Data = []byte(text)
			}
			in := inputOf(archive)
			if in.Overlay.Content != nil {
				continue // what an overlay adds is its author's
			}
			if err := render(strings.TrimSuffix(scenario, ".txtar"), in, pattern != "*.txtar"); err != nil {
				return nil, err
			}
		}
	}
	return files, nil
})

// securityEach runs a check on every generated workflow.
func securityEach(t *testing.T, check func(*testing.T, securityFile)) {
	t.Helper()
	files, err := securityFiles()
	require.NoError(t, err)
	for _, file := range files {
		check(t, file)
	}
}

// securitySteps runs a check on every step.
func securitySteps(t *testing.T, check func(t *testing.T, file securityFile, job securityJob, step securityStep, where string)) {
	t.Helper()
	securityEach(t, func(t *testing.T, file securityFile) {
		for id, job := range file.Jobs {
			for _, step := range job.Steps {
				check(t, file, job, step, file.name+": "+id+": "+step.Name)
			}
		}
	})
}

// builds reports whether the file is the build workflow.
func (f securityFile) builds() bool { _, ok := f.Jobs["checks"]; return ok }

func securityVariant(t *testing.T, name, base string) securityFile {
	t.Helper()
	files, err := securityFiles()
	require.NoError(t, err)
	for _, file := range files {
		if file.name == name+" "+base {
			return file
		}
	}
	t.Fatalf("nothing renders %s %s", name, base)
	return securityFile{}
}

func TestSecurityEventsStartWhatGarnixBuilt(t *testing.T) {
	t.Parallel()
	pull := map[string]any{"types": []any{"opened", "synchronize", "reopened"}}
	every := map[string]any{"branches": []any{"**", "!gh-readonly-queue/**"}}
	for _, tc := range []struct {
		name, file string
		want       map[string]any
	}{
		{name: "defaults", file: "nix-build-cache.yml", want: map[string]any{"push": every, "pull_request": pull, "merge_group": nil, "workflow_dispatch": nil}},
		{name: "defaults", file: "garnix-actions.yml", want: map[string]any{"push": every, "pull_request": pull, "merge_group": nil, "workflow_dispatch": nil}},
		{name: "no pulls", file: "nix-build-cache.yml", want: map[string]any{"push": every}},
		{name: "all pulls", file: "nix-build-cache.yml", want: map[string]any{
			"push": map[string]any{"branches": []any{"main", "!gh-readonly-queue/**"}}, "pull_request": pull, "merge_group": nil, "workflow_dispatch": nil}},
	} {
		assert.Equal(t, tc.want, securityVariant(t, tc.name, tc.file).On, "%s %s", tc.name, tc.file)
	}
	scheduled := securityVariant(t, "defaults", "cache-only.yml").On
	assert.Equal(t, []any{map[string]any{"cron": "23 4 * * *"}}, scheduled["schedule"])
	assert.Contains(t, scheduled, "workflow_dispatch")
	assert.Len(t, scheduled, 2)
	assert.NotContains(t, securityVariant(t, "by target", "cache-only.yml").On, "schedule")
}

// A skipped job counts as success for a required check, so the run of a pull request that its push already builds must
// not show a check of the required name, evaluated or not. A pull request that GITHUB_TOKEN opened has no such push.
func TestSecuritySkippedJobsDoNotPassForTheRequiredCheck(t *testing.T) {
	t.Parallel()
	securityEach(t, func(t *testing.T, file securityFile) {
		assert.NotContains(t, file.text, "github.actor", "%s: whoever pushes again is not who opened", file.name)
		if !file.builds() {
			return
		}
		job := file.Jobs["checks"]
		pull, ok := file.On["pull_request"]
		if !ok || file.Jobs["plan"].If == "" {
			assert.Equal(t, "always()", job.If, file.name)
			assert.NotContains(t, job.Name, "${{", file.name)
			return
		}
		require.NotNil(t, pull, file.name)
		const wanted = "github.event_name != 'pull_request' || github.event.pull_request.head.repo.full_name != github.repository" +
			" || github.event.pull_request.user.login == 'github-actions[bot]'"
		assert.Equal(t, "always() && needs.plan.result != 'skipped'", job.If, file.name)
		assert.Equal(t, wanted, oneLine(file.Jobs["plan"].If), file.name)
		assert.Regexp(t, `^\$\{\{ needs\.plan\.result != 'skipped' && '(.*)' \|\| 'Built by its push' \}\}$`, job.Name, file.name)
		assert.LessOrEqual(t, len(job.Name), 120, "%s: it is shown as it stands", file.name)
		for _, other := range file.Jobs {
			assert.NotEqual(t, settings.Default().Names.Aggregate, other.Name, file.name)
		}
	})
	quoted := securityVariant(t, "quoted check", "nix-build-cache.yml")
	assert.Contains(t, quoted.Jobs["checks"].Name, "'It''s all'")
	assert.Equal(t, "All Garnix checks", securityVariant(t, "all pulls", "nix-build-cache.yml").Jobs["checks"].Name)
}

// oneLine is an expression without the ends of its lines, which mean nothing.
func oneLine(expression string) string { return strings.Join(strings.Fields(expression), " ") }

func TestSecurityEveryWorkflowJobAndStepHasANameAndEveryJobALimit(t *testing.T) {
	t.Parallel()
	securityEach(t, func(t *testing.T, file securityFile) {
		assert.NotEmpty(t, file.Name, file.name)
		for id, job := range file.Jobs {
			assert.NotEmpty(t, job.Name, "%s: %s", file.name, id)
			assert.Positive(t, job.Minutes, "%s: %s", file.name, id)
			for _, step := range job.Steps {
				assert.NotEmpty(t, step.Name, "%s: %s", file.name, id)
			}
		}
	})
}
