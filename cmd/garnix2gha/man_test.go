package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestManualHoldsEveryCommand compares the pages with the help of each command, and lets roff look at them.
func TestManualHoldsEveryCommand(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "made", "man1")
	require.Zero(t, invocation{}.run(t, "man", dir).code)
	pages, err := filepath.Glob(filepath.Join(dir, "*.1"))
	require.NoError(t, err)

	var commands []string
	var visit func(*cobra.Command)
	visit = func(command *cobra.Command) {
		if command.Name() == "help" || command.Name() == "completion" || command.Hidden {
			return
		}
		commands = append(commands, command.CommandPath())
		for _, child := range command.Commands() {
			visit(child)
		}
	}
	visit(newRoot(&options{}))
	for _, command := range commands {
		page, err := os.ReadFile(filepath.Join(dir, strings.ReplaceAll(command, " ", "-")+".1"))
		require.NoError(t, err)
		text := strings.NewReplacer(`\-`, "-", `\(aq`, "'").Replace(string(page))
		help := invocation{}.run(t, append(strings.Fields(command)[1:], "--help")...).stdout
		for _, flag := range regexp.MustCompile(`(?m)^ +(?:-., )?(--\S+)`).FindAllStringSubmatch(help, -1) {
			assert.Contains(t, text, flag[1], command)
		}
	}
	assert.Greater(t, len(pages), len(commands), "these and completion's")
	assert.NoFileExists(t, filepath.Join(dir, "garnix2gha-man.1"))

	requireTool(t, "groff")
	out, err := exec.Command("groff", append([]string{"-man", "-ww", "-z", "-Tutf8"}, pages...)...).CombinedOutput()
	require.NoError(t, err)
	assert.Empty(t, string(out))
}

func TestManualShowsTextAsItIs(t *testing.T) {
	t.Parallel()
	page := string(manual(&cobra.Command{
		Use: "x", Short: "does -- it's `so`", Example: "  x 'a\\b'",
		Long: ".starts with a dot\nand 'goes on\n\n  typed   as is\n  .so file\n\n'quoted", Run: func(*cobra.Command, []string) {},
	}))
	assert.Contains(t, page, "x \\- does \\-\\- it\\(aqs \\(gaso\\(ga\n")
	assert.Contains(t, page, ".SH DESCRIPTION\n\\&.starts with a dot\nand \\(aqgoes on\n\n  typed   as is\n  .so file\n\n\\(aqquoted\n")
	assert.Contains(t, page, ".SH EXAMPLES\n  x \\(aqa\\eb\\(aq\n")
}
