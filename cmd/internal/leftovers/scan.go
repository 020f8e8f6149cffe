package leftovers

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"garnix2gha/generator/diag"
)

// MaxFileBytes is the size over which a file is reported as skipped and not searched.
const MaxFileBytes = 1 << 20

// sniffBytes is how far a NUL is looked for that makes a file binary.
const sniffBytes = 8 << 10

// Options are what Scan has to know besides the files. Aggregate is the name of the check that the repository's
// generated workflows report: rules that wait for exactly this name may stay. Empty: no workflow is generated yet.
type Options struct {
	Aggregate string
}

// Scan finds the traces of garnix in files, which are tracked paths with slashes. Every line of a text file that holds
// "garnix" in any case is in exactly one trace; besides there are traces for file names and for files too large to
// search (Line 0). Binary files, symbolic links, folders (submodules), files missing from the work tree and .git are
// left out. The traces are sorted by file, line and column.
//
// fsys should be the FS of an os.Root, so that a link among the parents of a file cannot lead out of the repository.
func Scan(fsys fs.FS, files []string, opts Options) ([]Trace, error) {
	var out []Trace
	named := map[string]bool{}
	for _, name := range slices.Compact(slices.Sorted(slices.Values(files))) {
		if inGitFolder(name) {
			continue
		}
		src, state, err := read(fsys, name)
		if err != nil {
			return nil, err
		}
		if state == absent {
			continue
		}
		d := newDocument(name, src)
		if !d.own {
			out = append(out, nameTraces(name, named)...)
		}
		if state == large {
			out = append(out, skippedTrace(name))
			continue
		}
		out = append(out, d.traces(opts)...)
	}
	return sorted(out), nil
}

type state int

const (
	searched state = iota
	opaque         // binary or no regular file: nothing to search in it
	large
	absent
)

func read(fsys fs.FS, name string) ([]byte, state, error) {
	if !fs.ValidPath(name) {
		return nil, absent, fmt.Errorf("read %q: %w", name, fs.ErrInvalid)
	}
	info, err := fs.Lstat(fsys, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, absent, nil
	case err != nil:
		return nil, absent, fmt.Errorf("inspect %q: %w", name, err)
	case !info.Mode().IsRegular():
		return nil, opaque, nil
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, absent, fmt.Errorf("open %q: %w", name, err)
	}
	defer f.Close()
	src, err := io.ReadAll(io.LimitReader(f, MaxFileBytes+1))
	switch {
	case err != nil:
		return nil, absent, fmt.Errorf("read %q: %w", name, err)
	case bytes.IndexByte(src[:min(len(src), sniffBytes)], 0) >= 0:
		return nil, opaque, nil
	case len(src) > MaxFileBytes:
		return nil, large, nil
	}
	return src, searched, nil
}

func inGitFolder(name string) bool {
	for element := range strings.SplitSeq(name, "/") {
		if strings.EqualFold(element, ".git") {
			return true
		}
	}
	return false
}

// nameTraces reports each file and folder named after garnix once.
func nameTraces(name string, named map[string]bool) []Trace {
	if isConfigName(name) {
		mend, command := configFileMend(name)
		return []Trace{{Pos: diag.Pos{File: name}, Kind: KindConfigFile, Text: visible(name), Mend: mend, Fix: Manual, Command: command}}
	}
	var out []Trace
	for at := name; at != "."; at = path.Dir(at) {
		if !named[at] && mentionsGarnix(path.Base(at)) {
			named[at] = true
			out = append(out, Trace{
				Pos: diag.Pos{File: at}, Kind: KindFileName, Text: visible(at), Fix: Manual,
				Mend: "rename or remove it, and what refers to it",
			})
		}
	}
	return out
}

func skippedTrace(name string) Trace {
	return Trace{
		Pos: diag.Pos{File: name}, Kind: KindSkipped, Text: "larger than 1 MiB, not searched", Fix: Manual,
		Mend: "search the file by hand", Command: shellCommand("grep -n -i garnix --", name),
	}
}

// traces returns one trace for each line that holds "garnix".
func (d *document) traces(opts Options) []Trace {
	mentions := d.mentions()
	if len(mentions) == 0 {
		return nil
	}
	splices := d.plan(Replacement{}, func(span) bool { return true })
	var out []Trace
	for len(mentions) > 0 {
		line := d.line(mentions[0].at)
		n := 1
		for n < len(mentions) && d.line(mentions[n].at) == line {
			n++
		}
		out = append(out, d.trace(line, mentions[:n], splices, opts))
		mentions = mentions[n:]
	}
	return out
}

// trace judges one line by its mentions and by what the splices take away.
func (d *document) trace(line int, mentions []mention, splices []splice, opts Options) Trace {
	t := Trace{Pos: d.pos(mentions[0].at), Text: d.excerpt(line), Kind: KindOwn, Fix: Kept}
	first, total, covered, empties := -1, 0, 0, false
	for _, m := range mentions {
		if m.tool {
			continue
		}
		if total++; first < 0 {
			first = m.at
		}
		if s := covering(splices, m.at); s != nil {
			empties = empties || s.empties
			if covered++; covered == 1 {
				t.Kind = s.kind
			}
		}
	}
	if d.own || total == 0 {
		t.Mend = ownMend
		if d.own && total > 0 && opts.Aggregate != "" && bytes.Contains(d.text(line), []byte(opts.Aggregate)) {
			t.Mend = aggregateMend
		}
		return t
	}
	t.Pos = d.pos(first)
	switch {
	case covered == total:
		t.Fix = Safe
	case covered > 0:
		t.Fix = Partly
	default:
		t.Fix, t.Kind = Manual, d.kind(line, first)
		if d.satisfied(line, t.Kind, opts.Aggregate) {
			t.Fix, t.Mend = Kept, aggregateMend
			return t
		}
	}
	t.Mend, t.Command = d.mend(t.Kind, t.Fix, empties, line)
	return t
}
