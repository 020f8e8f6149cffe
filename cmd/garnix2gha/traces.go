package main

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/rogpeppe/go-internal/diff"

	"garnix2gha/cmd/internal/leftovers"
	"garnix2gha/generator/diag"
)

// replacementJSON is the new cache in the JSON of leftovers --fix and of retire.
type replacementJSON struct {
	URL        string   `json:"url"`
	PublicKeys []string `json:"publicKeys"`
}

// editJSON is one file in the JSON of leftovers --fix and of retire.
type editJSON struct {
	Path   string `json:"path"`
	Action string `json:"action"` // changed, created, updated or removed
	Diff   string `json:"diff,omitempty"`
}

// edited describes an edit; only what is not carried out has a diff.
func edited(edit leftovers.Edit, withDiff bool) editJSON {
	e := editJSON{Path: edit.Path, Action: "changed"}
	if withDiff {
		e.Diff = string(diff.Diff("a/"+diag.Printable(edit.Path), edit.Old, "b/"+diag.Printable(edit.Path), edit.New))
	}
	return e
}

// printEdit prints a file that changed, or the diff of one that would.
func (o *options) printEdit(e editJSON, dryRun bool) {
	switch {
	case !dryRun:
		fmt.Fprintf(o.stdout, "%-9s %s\n", e.Action, diag.Printable(e.Path))
	case o.terminal(o.stdout):
		fmt.Fprint(o.stdout, harmless(e.Diff))
	default:
		fmt.Fprint(o.stdout, e.Diff) // as it is, for patch
	}
}

// harmless is a diff fit for a terminal: its lines come from files that may hold anything. Tabs stay.
func harmless(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		line, end := strings.CutSuffix(line, "\n")
		for i, part := range strings.Split(line, "\t") {
			if i > 0 {
				b.WriteByte('\t')
			}
			b.WriteString(diag.Printable(part))
		}
		if end {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// requiredCheckHint names what no file tells.
const requiredCheckHint = `hint: required checks are no files: "garnix2gha required-check" shows them, and moves them from garnix's app`

func (o *options) printLeftovers(found cleanup) error {
	files := []editJSON{}
	for _, edit := range found.edits {
		files = append(files, edited(edit, found.dryRun))
	}
	switch o.format {
	case "json":
		value := map[string]any{"traces": nonNil(found.left), "summary": nonNil(leftovers.Summary(found.left))}
		if found.fixed {
			value["files"] = files
			value["replacement"] = replacementJSON{URL: found.with.CacheURL, PublicKeys: nonNil(found.with.PublicKeys)}
		}
		return o.printJSON(value)
	case "github":
		if err := diag.Annotations(o.stdout, findings(found.left)); err != nil {
			return err
		}
	}
	for _, file := range files {
		o.printEdit(file, found.dryRun)
	}
	if o.format == "github" {
		return nil
	}
	traces := o.stdout
	if found.dryRun {
		traces = o.stderr // stdout is a diff
	}
	for _, t := range found.left {
		if t.Fix != leftovers.Kept {
			fmt.Fprintln(traces, spoken(t))
		}
	}
	return o.printSummary(found)
}

// spoken is a trace as one line.
func spoken(t leftovers.Trace) string {
	return fmt.Sprintf("%s: %s: %s", place(t.Pos), t.Kind, advised(t))
}

func advised(t leftovers.Trace) string {
	return diag.Printable(t.Advice) + map[leftovers.Remedy]string{leftovers.Safe: " (--fix does it)", leftovers.Partly: " (--fix does a part)"}[t.Fix]
}

// place is where a trace is, for the start of a line: a file's name shall neither harm the terminal nor be taken for a
// command by the runner of a workflow.
func place(pos diag.Pos) string {
	text := strings.ReplaceAll(diag.Printable(pos.String()), "##[", "#\uFFFD[")
	if strings.HasPrefix(strings.TrimSpace(text), "::") {
		return "./" + text
	}
	return text
}

// printSummary tells how many traces there are of each kind, what is kept where, and what to do next.
func (o *options) printSummary(found cleanup) error {
	if len(found.left) > 0 {
		w := tabwriter.NewWriter(o.stderr, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "kind\ttraces\t--fix\tpartly\tby hand\tkept")
		for _, c := range leftovers.Summary(found.left) {
			fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\n", c.Kind, c.Total, c.Safe, c.Partly, c.Manual, c.Kept)
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	for _, line := range kept(found.left) {
		fmt.Fprintln(o.stderr, line)
	}
	by := func(fix ...leftovers.Remedy) bool {
		return slices.ContainsFunc(found.left, func(t leftovers.Trace) bool { return slices.Contains(fix, t.Fix) })
	}
	switch {
	case !slices.ContainsFunc(found.left, leftovers.Trace.Counted):
		fmt.Fprintln(o.stderr, "nothing is left to do")
	case !found.fixed && by(leftovers.Safe, leftovers.Partly):
		fmt.Fprintln(o.stderr, "hint: garnix2gha leftovers --fix --dry-run shows what can be fixed without judgement")
	}
	if !found.fixed && found.with.CacheURL == "" && slices.ContainsFunc(found.left, swaps) {
		fmt.Fprintln(o.stderr, "hint: no new cache is known that --fix could put in garnix's place; "+nameCacheHint)
	}
	if !found.fixed {
		fmt.Fprintln(o.stderr, requiredCheckHint)
	}
	return nil
}

// kept are lines that tell which files may go on naming garnix, and why.
func kept(traces []leftovers.Trace) []string {
	type reason struct{ file, advice string }
	var order []reason
	count := map[reason]int{}
	for _, t := range traces {
		if t.Fix != leftovers.Kept {
			continue
		}
		r := reason{file: t.File, advice: t.Advice}
		if count[r] == 0 {
			order = append(order, r)
		}
		count[r]++
	}
	var lines []string
	for _, r := range order {
		lines = append(lines, fmt.Sprintf("kept      %s (%s): %s", diag.Printable(r.file), plural(count[r], "line"), diag.Printable(r.advice)))
	}
	return lines
}

// findings are the traces as diagnostics: an error is something left to do. What is kept is none.
func findings(traces []leftovers.Trace) diag.List {
	var l diag.List
	for _, t := range traces {
		severity := diag.Error
		switch {
		case t.Fix == leftovers.Kept:
			continue
		case !t.Counted():
			severity = diag.Notice
		}
		pos := t.Pos
		pos.File = diag.Printable(pos.File)
		l.Add(severity, pos, string(t.Kind), "", "%s", advised(t))
	}
	return l
}
