package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/cmd/internal/repo"
	"garnix2gha/cmd/internal/secretsource"
)

func TestHelpFitsAScreen(t *testing.T) {
	t.Parallel()
	help := invocation{}.run(t, "--help").stdout
	assert.Equal(t, invocation{}.run(t, "help").stdout, help)
	assert.LessOrEqual(t, strings.Count(help, "\n"), 45)
	for line := range strings.Lines(help) {
		assert.LessOrEqual(t, utf8.RuneCountInString(line), 81, "with its end: %s", line)
	}
	for _, title := range []string{"Convert:", "Keep current:", "Cache:", "Leave garnix, or this program:", "Other:"} {
		assert.Contains(t, help, "\n\n"+title+"\n  ")
	}
	assert.NotContains(t, help, "Additional Commands", "every command has a group")
}

// TestEveryPageHasItsCommand holds the pages against the commands that there are.
func TestEveryPageHasItsCommand(t *testing.T) {
	t.Parallel()
	root := newRoot(&options{})
	for _, page := range txtar.Parse(pages).Files {
		command, rest, err := root.Find(strings.Fields(page.Name)[1:])
		require.NoError(t, err)
		assert.Empty(t, rest, page.Name)
		assert.Equal(t, page.Name, command.CommandPath())
		assert.NotContains(t, command.Long, "\n$ ", "an example is none of the text")
		for line := range strings.Lines(command.Long) {
			if !strings.HasPrefix(line, "  ") { // a command
				assert.LessOrEqual(t, utf8.RuneCountInString(line), 81, "with its end: %s", line)
			}
		}
	}
	assert.Contains(t, invocation{}.run(t, "secrets", "sync", "--help").stdout, "A SOURCE is "+secretsource.Forms+":\n")
	assert.Contains(t, invocation{}.run(t, "retire", "--help").stdout, "it moves to\n"+repo.MovedConfigFile+", ")
}

// TestExamplesAreTrue holds two examples of every command against the commands and flags that there are.
func TestExamplesAreTrue(t *testing.T) {
	t.Parallel()
	root := newRoot(&options{})
	var visit func(*cobra.Command)
	visit = func(command *cobra.Command) {
		for _, child := range command.Commands() {
			if !child.Hidden && child.Name() != "help" && child.Name() != "completion" {
				lines := strings.Split(strings.TrimSpace(child.Example), "\n")
				require.GreaterOrEqual(t, len(lines), 2, child.CommandPath())
				for _, line := range lines {
					assert.Contains(t, parsed(t, line).CommandPath()+" ", child.CommandPath()+" ", line)
				}
				visit(child)
			}
		}
	}
	visit(root)
	assert.Contains(t, invocation{}.run(t, "check", "--help").stdout, "\n\nExamples:\n  garnix2gha check ")
}

// TestHelpNamesTheFormats also holds that a command prints no text where another format is asked for.
func TestHelpNamesTheFormats(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"check": "text, json, github or sarif", "report": "text, json or markdown", "targets": "text, json or github", "init": "text or json",
		"version": "text or json", "pins list": "text or json",
		"cache": "text", "secrets": "text", "eject": "text", "help": "text", "pins keep": "text", "completion": "text",
		"completion bash": "text", "completion fish": "text", "completion powershell": "text", "completion zsh": "text",
	} {
		words := strings.Fields(line)
		help := invocation{}.run(t, append(words, "--help")...).stdout
		if want != "text" {
			assert.Contains(t, help, "\n\nFormats: "+want+"\n", line)
		} else {
			assert.NotContains(t, help, "Formats: ", line)
			got := invocation{}.run(t, append(words, "--format", "json", "-C", t.TempDir())...)
			assert.Equal(t, exitUsage, got.code, line)
			assert.Contains(t, got.stderr, `--format "json": garnix2gha `+line+" prints text\n", line)
			assert.Empty(t, got.stdout, line)
		}
	}
	page := filepath.Join(t.TempDir(), "man")
	require.Zero(t, invocation{}.run(t, "man", page).code)
	content, err := os.ReadFile(filepath.Join(page, "garnix2gha-check.1"))
	require.NoError(t, err)
	assert.Contains(t, string(content), "\nFormats: text, json, github or sarif\n")
}

func TestInitPrintsJSON(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"garnix.yaml": "builds: []\n"})
	for _, tc := range []struct {
		args   []string
		action string
	}{{nil, "created"}, {[]string{"--cache", "acme"}, "updated"}, {[]string{"--cache", "acme"}, "unchanged"}} {
		got := invocation{}.run(t, append([]string{"init", "-C", dir, "--format", "json"}, tc.args...)...)
		assert.Zero(t, got.code, got.stderr)
		assert.JSONEq(t, `{"files": [{"path": "`+repo.SettingsFile+`", "action": "`+tc.action+`"}], "diagnostics": []}`, got.stdout)
	}
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestAResultThatCannotBeWrittenIsAFailure(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"", "report", "check", "check --format json", "generate --dry-run", "generate", "targets", "explain", "init", "lint --format sarif", "schema", "version", "help", "--version",
	} {
		dir := folder(t, map[string]string{"garnix.yaml": "builds: {include: [packages.x86_64-linux.a]}\n"})
		var stderr strings.Builder
		code := run(t.Context(), append(strings.Fields(line), "-C", dir), environment{
			stdin: strings.NewReader(""), stdout: full{}, stderr: &stderr, getenv: func(string) string { return "" },
		})
		assert.Equal(t, exitFailure, code, line)
		assert.Contains(t, stderr.String(), "garnix2gha: no space left on device\n", line)
	}
}

func TestAFileIsNoFolder(t *testing.T) {
	t.Parallel()
	file := filepath.Join(folder(t, map[string]string{"garnix.yaml": "builds: []\n"}), "garnix.yaml")
	for _, line := range []string{"", "check", "generate", "init"} {
		got := invocation{}.run(t, append(strings.Fields(line), "-C", file)...)
		assert.Equal(t, exitUsage, got.code, line)
		assert.Contains(t, got.stderr, "-C wants a folder, and "+file+" is none\n", line)
	}
}

func TestAWrongCommandIsToldWhichIsMeant(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"generat":                   "unknown command \"generat\"; did you mean \"garnix2gha generate\"?\n",
		"chekc":                     `did you mean "garnix2gha check"?`,
		"frobnicate":                "garnix2gha: unknown command \"frobnicate\"\nhint: run \"garnix2gha --help\"\n",
		"cache verfy":               "unknown command \"verfy\"; did you mean \"garnix2gha cache verify\"?\n",
		"pins lst":                  `did you mean "garnix2gha pins list"?`,
		"help nope":                 "unknown command \"nope\"\nhint: run \"garnix2gha --help\"\n",
		"help generat":              `did you mean "garnix2gha generate"?`,
		"help cache verfy":          `did you mean "garnix2gha cache verify"?`,
		"help check now":            `unexpected argument "now"`,
		"completion nope":           "unknown command \"nope\"\nhint: run \"garnix2gha completion --help\"\n",
		"completion bsh":            `did you mean "garnix2gha completion bash"?`,
		"completion bash now":       `unexpected argument "now"`,
		"check now":                 `unexpected argument "now"`,
		"targets --branch b --fork": "--branch or --fork, not both: a pull request from a fork counts as of no branch",
	} {
		got := invocation{}.run(t, strings.Fields(line)...)
		assert.Equal(t, exitUsage, got.code, line)
		assert.Contains(t, got.stderr, want, line)
		assert.Equal(t, !strings.Contains(want, "did you mean"), strings.Contains(got.stderr, "\nhint: "), "help is named where nothing else helps: %s", line)
		assert.Empty(t, got.stdout, line)
	}
}
