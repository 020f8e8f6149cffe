// What a cache was found to hold, and how that is printed.

package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"garnix2gha/cmd/internal/bincache"
	"garnix2gha/cmd/internal/nix"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/target"
)

// verification is what a cache was found to hold. It is also the JSON of cache verify.
type verification struct {
	Cache struct {
		URL        string   `json:"url"`
		PublicKeys []string `json:"publicKeys"` // empty: signatures were not checked
	} `json:"cache"`
	Results  []verified      `json:"results"` // of store paths only what is missing or unknown; these come first
	Summary  verifiedSummary `json:"summary"`
	Warnings diag.List       `json:"warnings"`

	faults []verified // of the cache as a whole
}

// verified is the verdict on an output, on a store path, or on a target that cannot be evaluated.
type verified struct {
	Attr            string `json:"attr,omitempty"`
	System          string `json:"system,omitempty"`
	Drv             string `json:"drv,omitempty"`
	Output          string `json:"output,omitempty"`
	bincache.Result        // without a path if only building tells it
	Count           int    `json:"count,omitempty"` // stands for so many paths that the cache was not asked about

	pos diag.Pos // of the matcher
}

// verifiedSummary counts outputs and paths; a target that does not evaluate is one unknown.
type verifiedSummary struct {
	InCache  int `json:"inCache"`
	Upstream int `json:"upstream"`
	Missing  int `json:"missing"`
	Unknown  int `json:"unknown"`
}

// evaluated are the outputs of a target, or what keeps them from being known.
func evaluated(t target.Target, d nix.Described) []verified {
	out := verified{Attr: d.Attr.String(), System: string(cmp.Or(d.System, t.System)), Drv: d.Drv, pos: t.Matcher.Pos}
	out.Verdict = bincache.Unknown
	if failure := d.Failure; failure != nil {
		why := map[nix.Cause][2]string{
			nix.NeedsBuild: {"it cannot be evaluated here, because that takes a build on another machine", "verify it on a machine of its system, or let the workflow do it"},
			nix.Machine:    {"nix could not evaluate it", "try again"},
		}[failure.Cause]
		out.Cause = cmp.Or(why[0], "it does not evaluate") + ": " + failure.Message
		out.Next = cmp.Or(failure.Hint, why[1], "evaluate it with nix, which shows where")
		return []verified{out}
	}
	var outputs []verified
	for _, name := range slices.Sorted(maps.Keys(d.Outputs)) {
		output := out
		output.Output, output.Path = name, d.Outputs[name]
		if output.Path == "" {
			output.Cause = "content-addressed: only building it tells the path"
			output.Next = "build it, and verify the path that the build prints with --paths"
		}
		outputs = append(outputs, output)
	}
	return outputs
}

// add counts a result and keeps all but paths that are there, which may be many. What was not asked is one a cause.
func (f *verification) add(r verified) {
	switch r.Verdict {
	case bincache.InCache:
		f.Summary.InCache++
	case bincache.Upstream:
		f.Summary.Upstream++
	case bincache.Missing:
		f.Summary.Missing++
	default:
		f.Summary.Unknown++
	}
	if !r.Unasked {
		if r.Attr != "" || r.wanting() {
			f.Results = append(f.Results, r)
		}
		return
	}
	at := slices.IndexFunc(f.faults, func(known verified) bool { return known.Cause == r.Cause })
	if at < 0 {
		at = len(f.faults)
		one := bincache.Result{Verdict: bincache.Unknown, Cause: r.Cause, Next: r.Next}
		f.faults = append(f.faults, verified{Result: one})
	}
	f.faults[at].Count++
}

// wanting reports whether a result needs a person.
func (v verified) wanting() bool {
	return v.Verdict == bincache.Missing || v.Verdict == bincache.Unknown
}

// finish puts everything in order, first what needs a person.
func (f *verification) finish() {
	f.Results = append(f.faults, f.Results...)
	order := []bincache.Verdict{bincache.Missing, bincache.Unknown, bincache.Upstream, bincache.InCache}
	slices.SortStableFunc(f.Results, func(a, b verified) int {
		return cmp.Or(slices.Index(order, a.Verdict)-slices.Index(order, b.Verdict), cmp.Compare(a.Attr, b.Attr), cmp.Compare(a.Output, b.Output), cmp.Compare(a.Path, b.Path))
	})
	f.Warnings = f.Warnings.Sorted()
}

// verdict is nil if everything is there. Missing counts for more than unknown.
func (f *verification) verdict() error {
	switch n := f.Summary.Unknown; {
	case f.Summary.Missing > 0:
		return errProblems
	case n == 1:
		return fmt.Errorf("whether 1 output is in the cache could not be established")
	case n > 1:
		return fmt.Errorf("whether %d outputs are in the cache could not be established", n)
	}
	return nil
}

// what names what a verdict is on, for a table.
func (v verified) what() string {
	switch v.Count {
	case 0:
		return v.Attr
	case 1:
		return "1 output"
	}
	return fmt.Sprintf("each of %d outputs", v.Count)
}

// because is the cause, fit to print.
func (v verified) because() string {
	if v.From != "" {
		return cell(v.Cause + "; " + v.From + " refers to it")
	}
	return cell(v.Cause)
}

// findings are the results that need a person.
func (f *verification) findings() diag.List {
	const most = 50
	var list diag.List
	for i, r := range f.Results {
		if !r.wanting() {
			break
		}
		if i == most {
			list.Errorf(diag.Pos{}, "cache-incomplete", `"garnix2gha cache verify" lists them all`, "more outputs are missing or unknown")
			break
		}
		what := strings.TrimSpace(strings.Join([]string{r.what(), r.Output, r.Path}, " "))
		list.Errorf(r.pos, "cache-"+string(r.Verdict), diag.Printable(r.Next), "%s is %s: %s", cell(what), r.Verdict, r.because())
	}
	return list
}

func (o *options) printVerification(f verification) error {
	summary := fmt.Sprintf("%s: %d in the cache, %d upstream, %d missing, %d unknown",
		f.Cache.URL, f.Summary.InCache, f.Summary.Upstream, f.Summary.Missing, f.Summary.Unknown)
	switch o.format {
	case "json":
		f.Results, f.Warnings = nonNil(f.Results), nonNil(f.Warnings)
		return o.printJSON(f)
	case "github", "sarif":
		fmt.Fprintln(o.stderr, summary)
		return o.printDiagnostics(append(f.Warnings, f.findings()...))
	}
	if err := o.printDiagnostics(f.Warnings); err != nil {
		return err
	}
	w := table(o.stdout)
	var hints []string
	for _, r := range f.Results {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r.Verdict, cell(r.what()), cell(r.Output), cell(r.Path), r.because())
		if r.Next != "" && !slices.Contains(hints, r.Next) {
			hints = append(hints, r.Next)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(o.stdout, summary)
	if f.Summary == (verifiedSummary{}) {
		fmt.Fprintln(o.stderr, "no target is selected, so there was nothing to verify")
	}
	o.say("hint", hints)
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
