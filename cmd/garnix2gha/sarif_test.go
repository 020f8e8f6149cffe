package main

import (
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sarifLog is what code scanning reads of a log.
type sarifLog struct {
	Schema  string `json:"$schema"`
	Version string
	Runs    []struct {
		Tool struct {
			Driver struct {
				Name, Version string
				Rules         []struct {
					ID                     string
					ShortDescription, Help struct{ Text string }
				}
			}
		}
		ColumnKind string
		Results    []struct {
			RuleID, Level string
			RuleIndex     int
			Message       struct{ Text string }
			Locations     []struct {
				PhysicalLocation struct {
					ArtifactLocation struct{ URI string }
				}
			}
		}
	}
}

func TestCommandsPrintSARIF(t *testing.T) {
	t.Parallel()
	dir := committed(t, map[string]string{
		"garnix.yaml":              "builds:\n  include: [apps.x86_64-linux.a, packages.x86_64-linux.b]\n",
		".github/workflows/ci.yml": "on: psuh\njobs: {}\n",
		"nix.conf":                 "extra-substituters = https://cache.garnix.io\n",
		settingsFile:               offline,
	})
	broken := folder(t, map[string]string{"garnix.yaml": "builds: 1\n"})
	for _, tc := range []struct {
		name  string
		args  []string
		code  int
		finds map[string]string // files by their findings' rules
		says  string            // how the first message begins
	}{
		{name: "check", args: []string{"-C", dir, "check"}, code: exitProblems, finds: map[string]string{
			"matcher-never-matches": "garnix.yaml", "missing": ".github/workflows/nix-build-cache.yml",
		}},
		{name: "lint", args: []string{"-C", dir, "lint"}, code: exitProblems, finds: map[string]string{"actionlint-events": ".github/workflows/ci.yml"}},
		{name: "generate", args: []string{"-C", dir, "generate", "--dry-run"}, finds: map[string]string{"matcher-never-matches": "garnix.yaml"}},
		{name: "leftovers", args: []string{"-C", dir, "leftovers"}, code: exitProblems, finds: map[string]string{"substituter": "nix.conf"}},
		{
			name: "a configuration elsewhere", args: []string{"-C", dir, "--config", filepath.Join(broken, "garnix.yaml"), "check"}, code: exitProblems,
			finds: map[string]string{"config-type": "garnix.yaml"}, says: filepath.Join(broken, "garnix.yaml") + ":1:9: builds: ",
		},
		{name: "a broken configuration", args: []string{"-C", broken, "generate"}, code: exitProblems, finds: map[string]string{"config-type": "garnix.yaml"}},
		{
			name: "what is in no file", args: []string{"-C", dir, "cache", "verify", "--url", newSubstituter(t, "").URL, "--paths", "-"}, code: exitProblems,
			finds: map[string]string{"signatures-unchecked": "garnix.yaml", "cache-missing": "garnix.yaml"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := invocation{stdin: storePath("h9")}.run(t, append(tc.args, "--format", "sarif")...)
			assert.Equal(t, tc.code, got.code, got.stderr)
			log := decoded[sarifLog](t, got) // one document, and nothing else
			assert.Equal(t, "2.1.0", log.Version)
			assert.Contains(t, log.Schema, "sarif-2.1.0")
			require.Len(t, log.Runs, 1)
			run := log.Runs[0]
			assert.Equal(t, "garnix2gha", run.Tool.Driver.Name)
			assert.Equal(t, buildVersion(), run.Tool.Driver.Version)
			assert.Equal(t, "unicodeCodePoints", run.ColumnKind)
			for _, rule := range run.Tool.Driver.Rules {
				assert.NotEmpty(t, rule.ShortDescription.Text, rule.ID)
				assert.NotEmpty(t, rule.Help.Text, rule.ID)
			}
			found := map[string]string{}
			for _, result := range run.Results {
				assert.Equal(t, result.RuleID, run.Tool.Driver.Rules[result.RuleIndex].ID)
				assert.NotEmpty(t, result.Message.Text)
				assert.Contains(t, []string{"error", "warning", "note"}, result.Level)
				require.Len(t, result.Locations, 1)
				found[result.RuleID] = result.Locations[0].PhysicalLocation.ArtifactLocation.URI
			}
			if tc.says != "" {
				assert.Regexp(t, "^"+regexp.QuoteMeta(tc.says), run.Results[0].Message.Text)
			}
			for rule, file := range tc.finds {
				assert.Equal(t, file, found[rule], "%s in %v", rule, found)
			}
		})
	}
}
