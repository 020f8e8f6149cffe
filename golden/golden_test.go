// Package golden holds scenarios: one txtar each, with the inputs of a repository and, below out/, what every stage
// makes of them. Scenarios that can be run are executed as well.
package golden_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/generator"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/output"
	"garnix2gha/templates"
)

var update = flag.Bool("update", false, "rewrite the out/ sections of the scenarios, and the hash in flake.nix")

// TestMain lets twice as many tests run at once as there are processors: most of them wait for nix, servers and limits.
func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		if err := flag.Set("test.parallel", strconv.Itoa(2*runtime.GOMAXPROCS(0))); err != nil {
			panic(err) // the flag is the testing package's own
		}
	}
	os.Exit(m.Run())
}

// TestScenarios holds every stage's output against its section. A stage without a section is not compared, so that a
// scenario shows only what it is about; with -update the sections that exist are rewritten.
func TestScenarios(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(file, ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(file)
			require.NoError(t, err)
			require.NotEmpty(t, bytes.TrimSpace(archive.Comment), "the first line says why the scenario exists")
			got := stages(t, archive)
			if *update {
				rewrite(t, file, archive, got)
				return
			}
			for _, section := range archive.Files {
				if !strings.HasPrefix(section.Name, "out/") {
					continue
				}
				content, ok := got[section.Name]
				if assert.True(t, ok, "%s: nothing renders it any more", section.Name) && content != string(section.Data) {
					t.Errorf("%s", diff.Diff("want "+section.Name, section.Data, "got "+section.Name, []byte(content)))
				}
			}
			for name := range got {
				if strings.HasPrefix(name, "out/.github/") && hasWorkflows(archive) {
					assert.Contains(t, names(archive), name, "an unexpected file")
				}
			}
		})
	}
}

// inputOf reads the repository a scenario describes.
func inputOf(archive *txtar.Archive) generator.Input {
	in := generator.Input{
		Config:    generator.Source{Path: "garnix.yaml"},
		Settings:  generator.Source{Path: ".github/garnix2gha/config.yaml"},
		Lock:      generator.Source{Path: ".github/garnix2gha/lock.json"},
		Overlay:   generator.Source{Path: ".github/garnix2gha/overlay.libsonnet"},
		Templates: templates.FS,
		Version:   "v0.0.0-golden",
	}
	for _, file := range archive.Files {
		for _, source := range []*generator.Source{&in.Config, &in.Settings, &in.Lock, &in.Overlay} {
			if file.Name == source.Path {
				source.Content = file.Data
			}
		}
		if file.Name == ".github/garnix2gha/garnix.yaml" {
			in.Config = generator.Source{Path: file.Name, Content: file.Data}
		}
		if strings.HasSuffix(strings.ToLower(file.Name), "garnix.yml") || strings.HasSuffix(file.Name, "/garnix.yaml") && in.Config.Path != file.Name {
			in.Misnamed = append(in.Misnamed, file.Name)
		}
	}
	return in
}

// stages runs the generator on a scenario and returns what each stage says, by section name.
func stages(t *testing.T, archive *txtar.Archive) map[string]string {
	t.Helper()
	result, err := generator.Generate(inputOf(archive))
	require.NoError(t, err)
	out := map[string]string{}

	var text bytes.Buffer
	require.NoError(t, diag.Text(&text, result.Diags, diag.Style{}))
	out["out/diagnostics"] = text.String()
	if result.Diags.HasErrors() {
		require.Empty(t, result.Files, "errors and files at once")
		return out
	}
	out["out/targets"] = targetTable(result)
	var plan bytes.Buffer
	encoder := json.NewEncoder(&plan)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	require.NoError(t, encoder.Encode(result.Plan))
	out["out/plan.json"] = plan.String()
	out["out/report.md"] = result.Report().Markdown()
	for _, file := range result.Files {
		if shown(file.Path) {
			out["out/"+file.Path] = string(file.Data)
		}
	}
	return out
}

func targetTable(result generator.Result) string {
	var b strings.Builder
	for _, target := range result.Selection.Targets {
		branches := "every branch"
		if !target.AnyBranch {
			branches = strings.Join(target.Branches, ",")
		}
		fmt.Fprintf(&b, "%s %s [%s] %s\n", target.Attr, target.System, target.Matcher, branches)
	}
	for _, action := range result.Selection.Actions {
		fmt.Fprintf(&b, "action %s\n", action.Attr())
	}
	return b.String()
}

// shown reports whether scenarios show a file: the programs have tests of their own.
func shown(name string) bool { return !strings.HasPrefix(name, output.Programs+"/") }

// rewrite replaces the out/ sections that a scenario has; a scenario that shows any workflow shows them all.
func rewrite(t *testing.T, file string, archive *txtar.Archive, got map[string]string) {
	t.Helper()
	shows := hasWorkflows(archive)
	wanted := map[string]bool{}
	var kept []txtar.File
	for _, section := range archive.Files {
		if !strings.HasPrefix(section.Name, "out/") {
			kept = append(kept, section)
		} else {
			wanted[section.Name] = true
		}
	}
	var sections []string
	for name := range got {
		if wanted[name] || shows && strings.HasPrefix(name, "out/.github/") {
			sections = append(sections, name)
		}
	}
	sort.Strings(sections)
	for _, name := range sections {
		kept = append(kept, txtar.File{Name: name, Data: []byte(got[name])})
	}
	archive.Files = kept
	require.NoError(t, os.WriteFile(file, txtar.Format(archive), 0o644))
}

func hasWorkflows(archive *txtar.Archive) bool {
	for _, name := range names(archive) {
		if strings.HasPrefix(name, "out/.github/workflows/") {
			return true
		}
	}
	return false
}

func names(archive *txtar.Archive) []string {
	var out []string
	for _, section := range archive.Files {
		out = append(out, section.Name)
	}
	return out
}
