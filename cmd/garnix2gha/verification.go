package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"garnix2gha/cmd/internal/bincache"
	"garnix2gha/generator/diag"
)

// verification is what a cache was found to hold. It is also the JSON of cache verify.
type verification struct {
	Cache    verifiedCache    `json:"cache"`
	Targets  []verifiedTarget `json:"targets"` // sorted by attribute
	Paths    []verifiedPath   `json:"paths"`   // of the paths asked about, what is missing or unknown
	Closure  []verifiedPath   `json:"closure"` // of what they refer to, what is missing or unknown
	Faults   []verifiedFault  `json:"faults"`  // of caches as a whole; paths not asked about are counted here and not listed
	Summary  verifiedSummary  `json:"summary"`
	Warnings diag.List        `json:"warnings"`
}

type verifiedCache struct {
	URL        string   `json:"url"`
	PublicKeys []string `json:"publicKeys"` // empty: signatures were not checked
}

// verifiedTarget is a target with its outputs, or the error that keeps them from being known.
type verifiedTarget struct {
	Attr    string           `json:"attr"`
	System  string           `json:"system"`
	Drv     string           `json:"drv"`
	Outputs []verifiedOutput `json:"outputs"` // sorted by name
	Error   string           `json:"error"`

	next string
	pos  diag.Pos // of the matcher
}

type verifiedOutput struct {
	Name    string           `json:"name"`
	Path    string           `json:"path"` // "" if only building tells it
	Verdict bincache.Verdict `json:"verdict"`
	Cause   string           `json:"cause"`
	Next    string           `json:"next"`

	unasked bool // one of the faults is the cause
}

// verifiedFault is why a cache could not be asked about anything.
type verifiedFault struct {
	Cause string `json:"cause"`
	Next  string `json:"next"`
	Count int    `json:"count"` // of the outputs and paths that are unknown for it
}

type verifiedPath struct {
	Path    string           `json:"path"`
	From    string           `json:"from,omitempty"` // the path that refers to it
	Verdict bincache.Verdict `json:"verdict"`
	Cause   string           `json:"cause"`
	Next    string           `json:"next"`
}

// verifiedSummary counts outputs and paths; a target that does not evaluate is one unknown.
type verifiedSummary struct {
	InCache  int `json:"inCache"`
	Upstream int `json:"upstream"`
	Missing  int `json:"missing"`
	Unknown  int `json:"unknown"`
}

func (s *verifiedSummary) add(v bincache.Verdict) {
	switch v {
	case bincache.InCache:
		s.InCache++
	case bincache.Upstream:
		s.Upstream++
	case bincache.Missing:
		s.Missing++
	default:
		s.Unknown++
	}
}

func newVerification(a access) verification {
	return verification{
		Cache:   verifiedCache{URL: shown(a.url), PublicKeys: nonNil(a.keys)},
		Targets: []verifiedTarget{}, Paths: []verifiedPath{}, Closure: []verifiedPath{}, Faults: []verifiedFault{}, Warnings: nonNil(a.warnings),
	}
}

// byPath returns the outputs that have a path, by it, and the paths, each once.
func (f *verification) byPath() (map[string][]*verifiedOutput, []string) {
	outputs, paths := map[string][]*verifiedOutput{}, []string{}
	for i := range f.Targets {
		for j := range f.Targets[i].Outputs {
			output := &f.Targets[i].Outputs[j]
			if output.Path == "" {
				continue
			}
			if outputs[output.Path] == nil {
				paths = append(paths, output.Path)
			}
			outputs[output.Path] = append(outputs[output.Path], output)
		}
	}
	return outputs, paths
}

// note counts a result and keeps it if it is not as it should be.
func (f *verification) note(list *[]verifiedPath, r bincache.Result) {
	f.Summary.add(r.Verdict)
	if r.Unasked {
		f.blame(r)
	} else if r.Verdict == bincache.Missing || r.Verdict == bincache.Unknown {
		*list = append(*list, verifiedPath{Path: r.Path, From: r.From, Verdict: r.Verdict, Cause: r.Cause, Next: r.Next})
	}
}

// blame counts a path with the fault that kept it from being asked about.
func (f *verification) blame(r bincache.Result) {
	at := slices.IndexFunc(f.Faults, func(known verifiedFault) bool { return known.Cause == r.Cause })
	if at < 0 {
		at = len(f.Faults)
		f.Faults = append(f.Faults, verifiedFault{Cause: r.Cause, Next: r.Next})
	}
	f.Faults[at].Count++
}

// finish counts the targets and puts everything in order.
func (f *verification) finish() {
	for _, t := range f.Targets {
		if t.Error != "" {
			f.Summary.add(bincache.Unknown)
		}
		for _, output := range t.Outputs {
			f.Summary.add(output.Verdict)
		}
	}
	order := func(a, b verifiedPath) int {
		return cmp.Or(cmp.Compare(rank(a.Verdict), rank(b.Verdict)), cmp.Compare(a.Path, b.Path))
	}
	slices.SortFunc(f.Paths, order)
	slices.SortFunc(f.Closure, order)
	f.Warnings = f.Warnings.Sorted()
}

// rank puts what needs a person first.
func rank(v bincache.Verdict) int {
	return slices.Index([]bincache.Verdict{bincache.Missing, bincache.Unknown, bincache.Upstream, bincache.InCache}, v)
}

// verdict is nil if everything is there. Missing counts for more than unknown.
func (f *verification) verdict() error {
	switch {
	case f.Summary.Missing > 0:
		return errProblems
	case f.Summary.Unknown > 0:
		return fmt.Errorf("whether %s in the cache could not be established", isOrAre(f.Summary.Unknown))
	}
	return nil
}

func isOrAre(n int) string {
	if n == 1 {
		return "1 output is"
	}
	return fmt.Sprintf("%d outputs are", n)
}

// verdictRow is one line of the table.
type verdictRow struct {
	verdict                         bincache.Verdict
	attr, output, path, cause, next string
	pos                             diag.Pos
}

// rows are the lines of the table, what is missing first, then what is unknown. A cache's fault is one line.
func (f *verification) rows() []verdictRow {
	var rows []verdictRow
	for _, fault := range f.Faults {
		what := "1 output"
		if fault.Count > 1 {
			what = fmt.Sprintf("each of %d outputs", fault.Count)
		}
		rows = append(rows, verdictRow{verdict: bincache.Unknown, attr: what, cause: fault.Cause, next: fault.Next})
	}
	for _, t := range f.Targets {
		if t.Error != "" {
			rows = append(rows, verdictRow{verdict: bincache.Unknown, attr: t.Attr, cause: t.Error, next: t.next, pos: t.pos})
		}
		for _, o := range t.Outputs {
			if o.unasked {
				continue
			}
			rows = append(rows, verdictRow{verdict: o.Verdict, attr: t.Attr, output: o.Name, path: o.Path, cause: o.Cause, next: o.Next, pos: t.pos})
		}
	}
	for _, p := range slices.Concat(f.Paths, f.Closure) {
		row := verdictRow{verdict: p.Verdict, path: p.Path, cause: p.Cause, next: p.Next}
		if p.From != "" {
			row.cause += "; " + p.From + " refers to it"
		}
		rows = append(rows, row)
	}
	slices.SortStableFunc(rows, func(a, b verdictRow) int {
		return cmp.Or(cmp.Compare(rank(a.verdict), rank(b.verdict)), cmp.Compare(a.attr, b.attr))
	})
	return rows
}

func (o *options) printVerification(f verification) error {
	rows := f.rows()
	summary := fmt.Sprintf("%s: %d in the cache, %d upstream, %d missing, %d unknown",
		f.Cache.URL, f.Summary.InCache, f.Summary.Upstream, f.Summary.Missing, f.Summary.Unknown)
	switch o.format {
	case "json":
		return o.printJSON(f)
	case "github":
		fmt.Fprintln(o.stderr, summary)
		return diag.Annotations(o.stdout, append(f.Warnings, annotations(rows)...))
	}
	if err := o.printDiagnostics(f.Warnings); err != nil {
		return err
	}
	w := tabwriter.NewWriter(o.stdout, 0, 0, 2, ' ', 0)
	var hints []string
	for _, row := range rows {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", row.verdict, cell(row.attr), cell(row.output), cell(row.path), cell(row.cause))
		if row.next != "" && !slices.Contains(hints, row.next) {
			hints = append(hints, row.next)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(o.stdout, summary)
	if f.Summary == (verifiedSummary{}) {
		fmt.Fprintln(o.stderr, "no target is selected, so there was nothing to verify")
	}
	for _, hint := range hints {
		fmt.Fprintf(o.stderr, "hint: %s\n", diag.Printable(hint))
	}
	return nil
}

// cell is a text in a table that may hold anything.
func cell(text string) string {
	const most = 300
	if text == "" {
		return "-"
	}
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return diag.Printable(text)
}

// annotations are the rows that need a person. GitHub shows a few of a step and drops the rest.
func annotations(rows []verdictRow) diag.List {
	const most = 20
	var list diag.List
	for i, row := range rows {
		if row.verdict != bincache.Missing && row.verdict != bincache.Unknown {
			break
		}
		if i == most {
			list.Add(diag.Notice, diag.Pos{}, "cache-verify", "", "and more; see the log")
			break
		}
		what := strings.TrimSpace(strings.Join([]string{row.attr, row.output, row.path}, " "))
		list.Errorf(row.pos, "cache-"+string(row.verdict), diag.Printable(row.next), "%s is %s: %s", cell(what), row.verdict, cell(row.cause))
	}
	return list
}
