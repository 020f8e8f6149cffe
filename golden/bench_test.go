package golden_test

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/generator"
	"garnix2gha/templates"
)

// manyNames is a repository whose lock has n packages, all selected by one wildcard.
func manyNames(n int) generator.Input {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("package-%05d", i)
	}
	lock, _ := json.Marshal(map[string]any{
		"version": 1, "outputs": map[string]any{"packages": map[string]any{"x86_64-linux": names}},
	})
	return input("builds: {include: ['packages.*.*']}\n", lock)
}

// manyMatchers is a repository with n literal matchers. More than a workflow can carry end in an error, which takes the
// same way through decoding and selection.
func manyMatchers(n int) generator.Input {
	var b strings.Builder
	b.WriteString("builds:\n  include:\n")
	for i := range n {
		fmt.Fprintf(&b, "    - packages.x86_64-linux.package-%05d\n", i)
	}
	return input(b.String(), nil)
}

func input(yaml string, lock []byte) generator.Input {
	return generator.Input{
		Config:    generator.Source{Path: "garnix.yaml", Content: []byte(yaml)},
		Lock:      generator.Source{Path: "lock.json", Content: lock},
		Templates: templates.FS,
	}
}

// BenchmarkGenerate shows that time and memory grow with the number of targets and no faster: ns/target stays level
// once the fixed cost of the templates is paid.
func BenchmarkGenerate(b *testing.B) {
	for _, bench := range []struct {
		name string
		in   func(int) generator.Input
	}{{"names", manyNames}, {"matchers", manyMatchers}} {
		for _, n := range []int{10, 100, 1_000, 10_000} {
			b.Run(fmt.Sprintf("%s=%d", bench.name, n), func(b *testing.B) {
				in := bench.in(n)
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				for b.Loop() {
					_, err := generator.Generate(in)
					require.NoError(b, err)
				}
				runtime.ReadMemStats(&after)
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/target")
				b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/float64(b.N)/(1<<20), "MB-allocated/op")
			})
		}
	}
}

// BenchmarkProcess holds the whole program against its two engines run alone in the same run: a bare go-jsonnet program
// on the same templates and plan, and the actionlint program on the output, without shellcheck. It reports the ratio of
// the median processor times, which say the same on a busy machine, and the program's peak memory.
func BenchmarkProcess(b *testing.B) {
	dir := b.TempDir()
	program, bare, linter := filepath.Join(dir, "garnix2gha"), filepath.Join(dir, "bare"), filepath.Join(dir, "actionlint")
	for out, pkg := range map[string]string{
		program: "garnix2gha/cmd/garnix2gha", bare: "./testdata/engines", linter: "github.com/rhysd/actionlint/cmd/actionlint",
	} {
		build := exec.Command("go", "build", "-o", out, pkg)
		build.Env = append(os.Environ(), "CGO_ENABLED=0") // as releases are built
		text, err := build.CombinedOutput()
		require.NoError(b, err, "%s", text)
	}
	archive, err := txtar.ParseFile("openclaw-like.txtar")
	require.NoError(b, err)
	repository := filepath.Join(dir, "repository")
	require.NoError(b, os.Mkdir(repository, 0o755))
	require.NoError(b, os.WriteFile(filepath.Join(repository, "garnix.yaml"), inputOf(archive).Config.Content, 0o644))
	result, err := generator.Generate(inputOf(archive))
	require.NoError(b, err)
	plan, err := json.Marshal(result.Plan)
	require.NoError(b, err)
	planFile := filepath.Join(dir, "plan.json")
	require.NoError(b, os.WriteFile(planFile, plan, 0o644))
	outputs := []string{"-shellcheck=", "-pyflakes="}
	for _, file := range result.Files {
		if filepath.Ext(file.Path) != ".yml" {
			continue
		}
		name := filepath.Join(dir, filepath.Base(file.Path))
		require.NoError(b, os.WriteFile(name, file.Data, 0o644))
		outputs = append(outputs, name)
	}
	peak := int64(0)
	var whole, engines []time.Duration
	for b.Loop() {
		took, memory := timed(b, exec.Command(program, "-C", repository, "generate"))
		whole, peak = append(whole, took), max(peak, memory)
		jsonnet, _ := timed(b, exec.Command(bare, "../templates", planFile))
		lint, _ := timed(b, exec.Command(linter, outputs...))
		engines = append(engines, jsonnet+lint)
	}
	ratio := float64(median(whole)) / float64(median(engines))
	b.ReportMetric(ratio, "of-its-engines")
	assert.LessOrEqual(b, ratio, 1.2)
	b.ReportMetric(float64(median(whole).Microseconds())/1000, "ms-of-processor/run")
	b.ReportMetric(float64(peak)/(1<<20), "MB-peak")
}

func timed(b *testing.B, command *exec.Cmd) (time.Duration, int64) {
	b.Helper()
	command.Stdout, command.Stderr = io.Discard, io.Discard
	require.NoError(b, command.Run())
	state := command.ProcessState
	return state.UserTime() + state.SystemTime(), peakMemory(state)
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}
