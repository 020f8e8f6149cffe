// Package leftovers finds what is left of garnix in the tracked files of a repository, and what the files look like
// once everything is fixed that needs no judgement: garnix's URL and key give way to the new cache's wherever they
// stand as literals, and lines that hold nothing else go. It reads and never writes.
package leftovers

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"garnix2gha/generator/diag"
	"garnix2gha/generator/output"
)

// Kind says what sort of trace a line is.
type Kind string

// The kinds.
const (
	KindConfigFile   Kind = "config-file"   // garnix.yaml, other spellings of it, and the lines in them
	KindConfigOutput Kind = "config-output" // the flake output garnix.config
	KindSubstituter  Kind = "substituter"   // the cache's URL
	KindKey          Kind = "key"           // the cache's public key, with its name or without
	KindHost         Kind = "cache-host"    // the cache in any other form
	KindNetrc        Kind = "netrc"         // credentials for the cache
	KindBadge        Kind = "badge"
	KindProse        Kind = "prose"
	KindCheckWait    Kind = "check-wait" // a workflow or script that waits for garnix's checks
	KindProtection   Kind = "branch-protection"
	KindAutomerge    Kind = "automerge"
	KindProgram      Kind = "program" // garnix's actions and programs, outside of Nix
	KindFlakeInput   Kind = "flake-input"
	KindSchema       Kind = "schema"    // the schema of garnix.yaml, for editors
	KindFileName     Kind = "file-name" // a file or folder called after garnix; Line is 0
	KindOther        Kind = "other"     // one trace for all such lines of a file
	KindSkipped      Kind = "skipped"   // a file over maxFileBytes, not searched; Line is 0
	KindOwn          Kind = "own"       // what garnix2gha itself wrote or is named by, the new cache, licences, changelogs
)

// Remedy says who fixes a trace.
type Remedy string

// The remedies. Safe: the edits clear the line. Partly: they change the line and a mention stays. Manual: they leave the
// line alone. Kept: nothing is to be done, the mention may stay.
const (
	Safe   Remedy = "safe"
	Partly Remedy = "partly"
	Manual Remedy = "manual"
	Kept   Remedy = "kept"
)

// Trace is one line that names garnix, or one path (Line 0), or all lines of a file of KindOther, which Lines then lists.
// Advice is what to do, in lower case without a full stop.
type Trace struct {
	diag.Pos
	Kind   Kind   `json:"kind"`
	Fix    Remedy `json:"fix"`
	Advice string `json:"advice"`
	Lines  []int  `json:"lines,omitempty"`
}

// Counted reports whether the trace is something left to do: neither kept nor a file that was not searched.
func (t Trace) Counted() bool { return t.Fix != Kept && t.Kind != KindSkipped }

// ByHand reports whether a mention stays after the edits that a person has to see to.
func (t Trace) ByHand() bool { return t.Counted() && t.Fix != Safe }

const (
	maxFileBytes = 1 << 20 // a larger file is reported as skipped and not searched
	sniffBytes   = 8 << 10 // how far a NUL is looked for that makes a file binary
)

var gitFolder = lazily(`(?i)(?:^|/)\.git(?:/|$)`)

// Options are what Scan has to know besides the files. Aggregate is the name of the check that the generated workflows
// report; Generated, that they are there.
type Options struct {
	Aggregate   string
	Generated   bool
	Replacement Replacement
}

// Scan finds the traces of garnix in files, which are tracked paths with slashes, and what to change about them. Every
// line of a text file that holds "garnix" in any case, the cache's key or, where checks are named, the name of one of
// garnix's is in exactly one trace; besides there are traces for file names and for files too large to search (Line 0).
// Binary files, symbolic links, folders (submodules), files missing from the work tree and .git are left out. The traces
// are sorted by file, line and column, the edits by path; a file that does not change has none.
//
// fsys should be the FS of an os.Root, so that a link among the parents of a file cannot lead out of the repository.
func Scan(fsys fs.FS, files []string, opts Options) ([]Trace, []output.Change, error) {
	if err := opts.Replacement.Check(); err != nil {
		return nil, nil, err
	}
	files = slices.Compact(slices.Sorted(slices.Values(files)))
	known := knownTexts(files, opts.Replacement)
	var traces []Trace
	var edits []output.Change
	names := map[string]int{} // by path, where in traces
	for _, name := range files {
		if gitFolder().MatchString(name) {
			continue
		}
		src, err := read(fsys, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		d := newDocument(name, string(src), opts, known)
		if d.class != classOwn {
			traces = d.named(traces, names)
		}
		if len(src) > maxFileBytes {
			traces = append(traces, Trace{
				Pos: diag.Pos{File: name}, Kind: KindSkipped, Fix: Manual, Advice: "larger than 1 MiB and not searched: search it by hand",
			})
			continue
		}
		d.fix()
		traces = append(traces, d.traces()...)
		if !slices.Equal(d.fixed, d.lines) {
			edits = append(edits, output.Change{Path: name, Old: src, New: []byte(strings.Join(d.fixed, ""))})
		}
	}
	slices.SortStableFunc(traces, func(a, b Trace) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return traces, edits, nil
}

// knownTexts are what may hold the word garnix, in lower case and the longest first where one holds another.
func knownTexts(files []string, r Replacement) []string {
	var known []string
	for _, name := range []string{movedConfig, rootConfig} {
		if slices.Contains(files, name) {
			known = append(known, name)
		}
	}
	known = append(known, "garnix2gha")
	if r.CacheURL != "" {
		_, host, _ := strings.Cut(r.CacheURL, "://")
		known = append(known, lowered(host))
	}
	for _, key := range r.PublicKeys {
		known = append(known, lowered(key))
	}
	return known
}

// named adds a trace for each part of the path called after garnix, once a folder; a file that holds the mark is wanted.
func (d *document) named(traces []Trace, names map[string]int) []Trace {
	fix, advice := Manual, "rename or remove it, and what refers to it"
	if slices.ContainsFunc(d.lines, func(line string) bool { return strings.Contains(line, keepMark) }) {
		fix, advice = Kept, markedAdvice
	}
	if d.class == classConfig {
		if fix == Manual {
			advice = configAdvice(d.path)
		}
		return append(traces, Trace{Pos: diag.Pos{File: d.path}, Kind: KindConfigFile, Fix: fix, Advice: advice})
	}
	for at := d.path; at != "."; at = path.Dir(at) {
		if !strings.Contains(strings.ReplaceAll(lowered(path.Base(at)), "garnix2gha", ""), "garnix") {
			continue
		}
		i, seen := names[at]
		switch {
		case !seen:
			names[at] = len(traces)
			traces = append(traces, Trace{Pos: diag.Pos{File: at}, Kind: KindFileName, Fix: fix, Advice: advice})
		case fix == Kept:
			traces[i].Fix, traces[i].Advice = fix, advice
		}
	}
	return traces
}

// read returns what a file holds, one byte too much of a large one, and nothing of what is binary or no regular file.
// What is not in the work tree, or behind a link, where git sees nothing either, is an fs.ErrNotExist.
func read(fsys fs.FS, name string) ([]byte, error) {
	if !fs.ValidPath(name) {
		return nil, fmt.Errorf("read %q: %w", name, fs.ErrInvalid)
	}
	for parent := path.Dir(name); parent != "."; parent = path.Dir(parent) {
		if info, err := fs.Lstat(fsys, parent); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			return nil, fs.ErrNotExist
		}
	}
	info, err := fs.Lstat(fsys, name)
	if err != nil {
		return nil, fmt.Errorf("inspect %q: %w", name, err)
	}
	if !info.Mode().IsRegular() {
		return nil, nil
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open %q: %w", name, err)
	}
	defer f.Close()
	src, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", name, err)
	}
	if bytes.IndexByte(src[:min(len(src), sniffBytes)], 0) >= 0 {
		return nil, nil
	}
	return src, nil
}
