package golden_test

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/generator"
)

// TestReadmeIsTrue runs the README's first command as it stands, and finds the second in CI. The program's own tests run
// the rest.
func TestReadmeIsTrue(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllSubmatch(readme, -1)
	require.Len(t, blocks, 2, "the two commands of the README")

	first := exec.Command("bash", "-c", string(blocks[0][1]))
	first.Dir = ".."
	var stdout, stderr bytes.Buffer
	first.Stdout, first.Stderr = &stdout, &stderr
	require.NoError(t, first.Run(), stderr.String())
	assert.Contains(t, stdout.String(), "+name: Nix Build Cache")
	assert.Contains(t, stdout.String(), `"devShells.*.default"`, "it is about the example")
	assert.NoDirExists(t, "example/.github")

	ci, err := os.ReadFile("../.ci/run")
	require.NoError(t, err)
	for _, part := range strings.Split(strings.TrimSpace(string(blocks[1][1])), "&&") {
		words := strings.Fields(part)
		assert.Contains(t, string(ci), words[0], "CI runs what the README says")
	}
}

// TestReadmeOverlayWorks applies the README's overlay as it stands: a limit changed, a step and a job added.
func TestReadmeOverlayWorks(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	overlay := regexp.MustCompile("(?s)```jsonnet\n(.*?)```").FindSubmatch(readme)
	require.NotNil(t, overlay)
	in := input("builds: {include: [packages.x86_64-linux.a]}\n", nil)
	in.Overlay = generator.Source{Path: "overlay.libsonnet", Content: overlay[1]}
	result, err := generator.Generate(in)
	require.NoError(t, err)
	require.Empty(t, result.Diags)
	for _, file := range result.Files {
		if strings.HasSuffix(file.Path, "/nix-build-cache.yml") {
			for _, line := range []string{
				"    timeout-minutes: 90\n", "      - name: Show the disk\n        run: df -h /\n      - name: Check out the commit\n",
				"\n  tell:\n    name: Tell somebody\n    needs: checks\n    if: failure()\n",
			} {
				assert.Contains(t, string(file.Data), line)
			}
		}
	}
}

// TestReadmeShowsTheWorkflow holds the README's outline against what the example gets.
func TestReadmeShowsTheWorkflow(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	config, err := os.ReadFile("example/garnix.yaml")
	require.NoError(t, err)
	result, err := generator.Generate(input(string(config), nil))
	require.NoError(t, err)
	lines := regexp.MustCompile(`(?m)^(jobs:|  [a-z]+:|    (needs|steps):.*|      - name: .*|        run: .*)$`)
	for _, file := range result.Files {
		if strings.HasSuffix(file.Path, "/nix-build-cache.yml") {
			_, jobs, _ := strings.Cut(string(file.Data), "\njobs:\n")
			outline := strings.Join(lines.FindAllString("jobs:\n"+jobs, -1), "\n")
			assert.Contains(t, string(readme), "```yaml\n"+outline+"\n```")
		}
	}
	assert.LessOrEqual(t, strings.Count(string(readme), "\n"), 200, "a maintainer under time pressure reads it")
}
