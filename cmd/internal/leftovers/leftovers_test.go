package leftovers

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/generator/diag"
	"garnix2gha/generator/output"
)

var update = flag.Bool("update", false, "rewrite the archives under testdata")

var successor = Replacement{
	CacheURL:   "https://meadow.cachix.org",
	PublicKeys: []string{"meadow.cachix.org-1:bWVhZG93bWVhZG93bWVhZG93bWVhZG93bWVhZG93bWU="},
}

// TestRepositories runs every archive of testdata: the files of a repository, then want/traces and want/summary with a
// new cache, in want/traces-without those that differ without one, then the files that change as want/removed/PATH
// (nothing takes the cache's place) and want/swapped/PATH. Directives in the comment: "crlf: PATH" and
// "no-newline: PATH" shape an input, "generated: NAME" says that workflows report the check NAME.
func TestRepositories(t *testing.T) {
	t.Parallel()
	archives, err := filepath.Glob("testdata/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, archives)
	for _, name := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(name)
			require.NoError(t, err)
			repository, opts, want := unpack(t, archive)
			got := map[string]string{}

			var swapped []string
			for _, stage := range []string{"swapped", "removed"} {
				opts.Replacement = map[string]Replacement{"swapped": successor}[stage]
				traces, edits, err := Scan(repository, tracked(repository), opts)
				require.NoError(t, err)
				requireEveryLineOnce(t, repository, traces)
				lines := listing(traces)
				if stage == "swapped" {
					swapped = lines
					got["want/traces"] = strings.Join(lines, "")
					got["want/summary"] = summary(traces)
				} else {
					got["want/traces-without"] = strings.Join(slices.DeleteFunc(lines, func(s string) bool { return slices.Contains(swapped, s) }), "")
				}
				fixed := maps.Clone(repository)
				for _, e := range edits {
					require.Equal(t, string(repository[e.Path].Data), string(e.Old))
					fixed[e.Path] = &fstest.MapFile{Data: e.New, Mode: 0o644}
					got["want/"+stage+"/"+e.Path] = strings.ReplaceAll(string(e.New), "\r\n", "^M\n")
					requireNix(t, e)
				}
				requireDone(t, repository, fixed, traces, opts)
			}
			if *update {
				rewrite(t, name, archive, got)
				return
			}
			require.Equal(t, slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got)), "sections")
			for section := range want {
				// An archive ends every file with a line break.
				got := strings.TrimSuffix(got[section], "\n")
				assert.Empty(t, string(diff.Diff("want", []byte(want[section]+"\n"), "got", []byte(got+"\n"))), section)
			}
		})
	}
}

func unpack(t *testing.T, a *txtar.Archive) (fstest.MapFS, Options, map[string]string) {
	t.Helper()
	repository, want, opts := fstest.MapFS{}, map[string]string{}, Options{Aggregate: "All Garnix checks"}
	for _, f := range a.Files {
		if strings.HasPrefix(f.Name, "want/") {
			want[f.Name] = strings.TrimSuffix(string(f.Data), "\n")
			continue
		}
		repository[f.Name] = &fstest.MapFile{Data: f.Data, Mode: 0o644}
	}
	for line := range strings.Lines(string(a.Comment)) {
		directive, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch directive {
		case "crlf":
			repository[value].Data = bytes.ReplaceAll(repository[value].Data, []byte("\n"), []byte("\r\n"))
		case "no-newline":
			repository[value].Data = bytes.TrimRight(repository[value].Data, "\r\n")
		case "generated":
			opts.Aggregate, opts.Generated = value, true
		}
	}
	return repository, opts, want
}

func rewrite(t *testing.T, name string, a *txtar.Archive, got map[string]string) {
	t.Helper()
	a.Files = slices.DeleteFunc(a.Files, func(f txtar.File) bool { return strings.HasPrefix(f.Name, "want/") })
	order := func(a, b string) int {
		rank := func(s string) int { return strings.Count(s, "/") }
		if r := min(rank(a), 2) - min(rank(b), 2); r != 0 {
			return r
		}
		return strings.Compare(a, b)
	}
	for _, section := range slices.SortedFunc(maps.Keys(got), order) {
		a.Files = append(a.Files, txtar.File{Name: section, Data: []byte(got[section])})
	}
	require.NoError(t, os.WriteFile(name, txtar.Format(a), 0o644))
}

func tracked(repository fstest.MapFS) []string { return slices.Collect(maps.Keys(repository)) }

func listing(traces []Trace) []string {
	var out []string
	for _, t := range traces {
		out = append(out, fmt.Sprintf("%s: %s %s\n  > %s\n", t.Pos, t.Fix, t.Kind, t.Advice))
	}
	return out
}

func summary(traces []Trace) string {
	counts := map[Kind]map[Remedy]int{}
	for _, t := range traces {
		if counts[t.Kind] == nil {
			counts[t.Kind] = map[Remedy]int{}
		}
		counts[t.Kind][t.Fix]++
	}
	var b strings.Builder
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		c := counts[kind]
		fmt.Fprintf(&b, "%s %d: safe %d, partly %d, manual %d, kept %d\n", kind, c[Safe]+c[Partly]+c[Manual]+c[Kept], c[Safe], c[Partly], c[Manual], c[Kept])
	}
	return b.String()
}

// places are the lines that a trace speaks of; none for a path.
func places(trace Trace) []int {
	switch {
	case trace.Lines != nil:
		return trace.Lines
	case trace.Line > 0:
		return []int{trace.Line}
	}
	return nil
}

// requireEveryLineOnce looks for lines with a search of its own.
func requireEveryLineOnce(t *testing.T, repository fs.FS, traces []Trace) {
	t.Helper()
	seen := map[diag.Pos]int{}
	for _, trace := range traces {
		for _, line := range places(trace) {
			at := diag.Pos{File: trace.File, Line: line}
			seen[at]++
			require.Equal(t, 1, seen[at], "%s has two traces", at)
		}
	}
	require.NoError(t, fs.WalkDir(repository, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		src, err := fs.ReadFile(repository, name)
		for i, line := range strings.Split(string(src), "\n") {
			if strings.Contains(strings.ToLower(line), "garnix") || strings.Contains(line, keyStart) {
				require.Equal(t, 1, seen[diag.Pos{File: name, Line: i + 1}], "%s:%d: %s", name, i+1, line)
			}
		}
		return err
	}))
}

// requireDone holds the promise of the remedies: what was safe is gone, what was not is still listed, a line left alone
// with the same words, and there is nothing more to fix.
func requireDone(t *testing.T, repository, fixed fstest.MapFS, before []Trace, opts Options) {
	t.Helper()
	after, edits, err := Scan(fixed, tracked(fixed), opts)
	require.NoError(t, err)
	require.Empty(t, edits, "fix after fix")
	requireEveryLineOnce(t, fixed, after)
	texts := func(files fstest.MapFS, traces []Trace, fix ...Remedy) []string {
		out := []string{}
		for _, trace := range traces {
			for _, line := range places(trace) {
				if slices.Contains(fix, trace.Fix) {
					out = append(out, trace.File+": "+strings.Split(string(files[trace.File].Data), "\n")[line-1])
				}
			}
		}
		return out
	}
	assert.Empty(t, texts(fixed, after, Safe, Partly))
	left := texts(fixed, after, Manual)
	assert.Len(t, left, len(texts(repository, before, Manual, Partly)), "lines that stay for a person")
	assert.Subset(t, left, texts(repository, before, Manual))
}

func requireNix(t *testing.T, e output.Change) {
	t.Helper()
	if filepath.Ext(e.Path) != ".nix" {
		return
	}
	tool, err := exec.LookPath("nix-instantiate")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("nix-instantiate is not installed")
		}
		t.Log("not parsed with nix: nix-instantiate is not installed")
		return
	}
	parse := func(src []byte) error {
		command := exec.Command(tool, "--parse", "-")
		command.Stdin = bytes.NewReader(src)
		out, err := command.CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s:\n%s", e.Path, out)
		}
		return nil
	}
	if parse(e.Old) == nil {
		require.NoError(t, parse(e.New))
	}
}
