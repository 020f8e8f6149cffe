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
)

var update = flag.Bool("update", false, "rewrite the archives under testdata")

var successor = Replacement{
	CacheURL:   "https://meadow.cachix.org",
	PublicKeys: []string{"meadow.cachix.org-1:bWVhZG93bWVhZG93bWVhZG93bWVhZG93bWVhZG93bWU="},
}

// TestRepositories runs every archive of testdata: the files of a repository, then want/traces and want/summary, then
// the files that change as want/removed/PATH (nothing takes the cache's place) and want/swapped/PATH. Directives in
// the comment: "crlf: PATH" and "no-newline: PATH" shape an input, "aggregate: NAME" is an option.
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

			traces, err := Scan(repository, tracked(repository), opts)
			require.NoError(t, err)
			requireEveryLineOnce(t, repository, traces)
			got["want/traces"] = listing(traces)
			got["want/summary"] = summary(traces)

			for stage, r := range map[string]Replacement{"removed": {}, "swapped": successor} {
				edits, err := Fix(repository, traces, r)
				require.NoError(t, err)
				fixed := maps.Clone(repository)
				for _, e := range edits {
					require.Equal(t, string(repository[e.Path].Data), string(e.Old))
					fixed[e.Path] = &fstest.MapFile{Data: e.New, Mode: 0o644}
					got["want/"+stage+"/"+e.Path] = strings.ReplaceAll(string(e.New), "\r\n", "^M\n")
					requireNix(t, e)
				}
				requireDone(t, fixed, traces, r, opts)
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
	repository, want, opts := fstest.MapFS{}, map[string]string{}, Options{}
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
		case "aggregate":
			opts.Aggregate = value
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

func listing(traces []Trace) string {
	var b strings.Builder
	for _, t := range traces {
		fmt.Fprintf(&b, "%s: %s %s\n  | %s\n  > %s\n", t.Pos, t.Fix, t.Kind, t.Text, t.Mend)
		if t.Command != "" {
			fmt.Fprintf(&b, "  $ %s\n", t.Command)
		}
	}
	return b.String()
}

func summary(traces []Trace) string {
	var b strings.Builder
	for _, c := range Summary(traces) {
		fmt.Fprintf(&b, "%s %d: safe %d, partly %d, manual %d, kept %d\n", c.Kind, c.Total, c.Safe, c.Partly, c.Manual, c.Kept)
	}
	return b.String()
}

// requireEveryLineOnce counts lines with a search of its own.
func requireEveryLineOnce(t *testing.T, repository fs.FS, traces []Trace) {
	t.Helper()
	seen, files := map[string]int{}, map[string]bool{}
	for _, trace := range traces {
		if trace.Line > 0 {
			seen[fmt.Sprintf("%s:%d", trace.File, trace.Line)]++
		}
	}
	want := map[string]int{}
	require.NoError(t, fs.WalkDir(repository, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		files[name] = true
		src, err := fs.ReadFile(repository, name)
		for i, line := range strings.Split(string(src), "\n") {
			if strings.Contains(strings.ToLower(line), "garnix") {
				want[fmt.Sprintf("%s:%d", name, i+1)]++
			}
		}
		return err
	}))
	require.Equal(t, want, seen, "lines that name garnix, and lines with a trace")
}

// requireDone holds the promise of the remedies: what was safe is gone, what was not is still found, and there is
// nothing more to fix.
func requireDone(t *testing.T, fixed fstest.MapFS, before []Trace, r Replacement, opts Options) {
	t.Helper()
	after, err := Scan(fixed, tracked(fixed), opts)
	require.NoError(t, err)
	var left, want int
	for _, trace := range after {
		assert.NotEqual(t, Safe, trace.Fix, "%s is still safe", trace.Pos)
		assert.NotEqual(t, Partly, trace.Fix, "%s is still partly", trace.Pos)
		left++
	}
	for _, trace := range before {
		if trace.Fix != Safe {
			want++
		}
	}
	assert.Equal(t, want, left, "traces that stay")
	again, err := Fix(fixed, before, r)
	require.NoError(t, err)
	assert.Empty(t, again, "fix after fix")
}

func requireNix(t *testing.T, e Edit) {
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
	for side, src := range map[string][]byte{"before": e.Old, "after": e.New} {
		command := exec.Command(tool, "--parse", "-")
		command.Stdin = bytes.NewReader(src)
		out, err := command.CombinedOutput()
		require.NoError(t, err, "%s %s:\n%s", e.Path, side, out)
	}
}
