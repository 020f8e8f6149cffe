// Leftovers: the traces of garnix in the tracked files, and what is changed about them.

package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"garnix2gha/cmd/internal/git"
	"garnix2gha/cmd/internal/leftovers"
	"garnix2gha/cmd/internal/repo"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/output"
	"garnix2gha/generator/settings"
)

func newLeftovers(o *options) *cobra.Command {
	var f cleanup
	command := &cobra.Command{
		Use:   "leftovers",
		Short: "Find what is left of garnix, and fix it",
		Long: `List every trace of garnix in the files that git tracks: where it is, of what kind, and what to
do about it. The exit code is 1 while there is something left to do, so that CI can run it. A
line that holds "garnix2gha: keep", say in a comment, counts as wanted.

With --fix, what needs no judgement is fixed. The cache in the settings ("garnix2gha init --cache
NAME" names it there) takes the place of garnix's: its URL and public key, wherever they stand as
literals; a key that the settings lack is asked for at Cachix. Without a cache only elements of
lists and settings go that have their line to themselves, and no list is left empty. What is left
then is for a person. garnix.yaml is left to "garnix2gha retire", and rules on GitHub to
"garnix2gha required-check".`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.dryRun && !f.fix {
				return usagef("--dry-run belongs to --fix")
			}
			return o.within(func(r *repo.Repo) error { return o.leftovers(cmd.Context(), r, f) })
		},
	}
	flags := command.Flags()
	flags.BoolVar(&f.fix, "fix", false, "fix what needs no judgement")
	flags.BoolVar(&f.dryRun, "dry-run", false, "with --fix: print the unified diff and write nothing")
	flags.BoolVar(&f.keepConfig, "keep-config", false, "count garnix.yaml as kept: it is the list of targets")
	return command
}

// cleanup is what leftovers is to do, and what it found.
type cleanup struct {
	fix, dryRun, keepConfig bool

	with  leftovers.Replacement // without a fix as far as it is known without asking anybody
	edits []output.Change
	left  []leftovers.Trace // what is there now, or with dryRun would be
}

func (o *options) leftovers(ctx context.Context, r *repo.Repo, found cleanup) error {
	s, err := o.survey(ctx, r)
	if err != nil {
		return err
	}
	s.keepConfig = found.keepConfig
	if err := s.prepare(ctx, &found); err != nil {
		return err
	}
	switch {
	case found.dryRun:
		found.left = slices.DeleteFunc(found.left, func(t leftovers.Trace) bool { return t.Fix == leftovers.Safe })
	case found.fix:
		if err := write(r, found.edits); err != nil {
			return err
		}
		if found.left, _, err = s.scan(ctx, found.with); err != nil {
			return err
		}
	}
	if err := o.printLeftovers(found); err != nil {
		return err
	}
	if slices.ContainsFunc(found.left, leftovers.Trace.Counted) {
		return errProblems
	}
	return nil
}

// survey is a repository and how its traces are judged.
type survey struct {
	*options
	repo     *repo.Repo
	tree     *git.WorkTree
	settings *settings.Settings
	judged   leftovers.Options

	keepConfig bool // count garnix.yaml as kept
	moveConfig bool // judge as if garnix.yaml had left the root
}

// survey opens git and reads the settings, whose problems have been printed when it returns errProblems.
func (o *options) survey(ctx context.Context, r *repo.Repo) (*survey, error) {
	tree, err := git.Open(ctx, r.Dir())
	if err != nil {
		return nil, err
	}
	s := &survey{options: o, repo: r, tree: tree}
	if s.settings, err = o.settingsOf(r); err != nil {
		return nil, err
	}
	build, err := r.Read(output.Path(s.settings.Files.Build))
	s.judged = leftovers.Options{Aggregate: s.settings.Names.Aggregate, Generated: output.Generated(build)}
	return s, err
}

// scan searches the tracked files as they are now, for a cache that takes garnix's place.
func (s *survey) scan(ctx context.Context, with leftovers.Replacement) ([]leftovers.Trace, []output.Change, error) {
	tracked, err := s.tree.Tracked(ctx)
	if err != nil {
		return nil, nil, err
	}
	if i := slices.Index(tracked, repo.ConfigFile); s.moveConfig && i >= 0 {
		tracked[i] = repo.MovedConfigFile
	}
	s.judged.Replacement = with
	traces, edits, err := leftovers.Scan(s.repo.FS(), tracked, s.judged)
	for i, t := range traces {
		if s.keepConfig && t.Kind == leftovers.KindConfigFile && t.File == repo.ConfigFile {
			traces[i].Fix, traces[i].Advice = leftovers.Kept, "stays: garnix2gha reads it"
		}
	}
	var changes []output.Change
	for _, edit := range edits {
		changes = append(changes, output.Change{Path: edit.Path, Old: edit.Old, New: edit.New})
	}
	return traces, changes, err
}

// prepare finds the traces and the edits. For a fix, Cachix is asked about the new cache if something is to be swapped.
func (s *survey) prepare(ctx context.Context, found *cleanup) error {
	var err error
	if found.with, err = s.options.expected(s.settings); err != nil {
		return err
	}
	if found.left, found.edits, err = s.scan(ctx, found.with); err != nil {
		return err
	}
	if !found.fix || !slices.ContainsFunc(found.left, swaps) {
		return nil
	}
	if found.with, err = s.options.replacement(ctx, s.settings); err != nil {
		return err
	}
	found.left, found.edits, err = s.scan(ctx, found.with)
	return err
}

// swaps reports whether a trace is for the new cache to replace.
func swaps(t leftovers.Trace) bool {
	return t.Counted() && (t.Kind == leftovers.KindSubstituter || t.Kind == leftovers.KindKey)
}

// requiredCheckHint names what no file tells.
const requiredCheckHint = `hint: required checks are no files: "garnix2gha required-check" shows them, and moves them from garnix's app`

func (o *options) printLeftovers(found cleanup) error {
	files := filesOf(found.edits, found.dryRun)
	switch o.format {
	case "json":
		value := map[string]any{"traces": nonNil(found.left)}
		if found.fix {
			value["files"] = files
		}
		return o.printJSON(value)
	case "github", "sarif":
		return o.printDiagnostics(findings(found.left))
	}
	traces := o.stdout
	if found.fix {
		for _, file := range files {
			o.printFile(file, found.dryRun)
		}
		if found.dryRun {
			traces = o.stderr // stdout is a diff
		}
	}
	for _, t := range found.left {
		if t.Fix != leftovers.Kept {
			fmt.Fprintln(traces, spoken(t))
		}
	}
	o.printRest(found)
	return nil
}

// printRest tells what is kept where, and what to do next.
func (o *options) printRest(found cleanup) {
	kept := map[[2]string]int{} // by file and reason
	own := map[string]bool{}    // files that a person need not see by name
	fixable := false
	for _, t := range found.left {
		switch {
		case t.Kind == leftovers.KindOwn && o.terminal(o.stderr):
			own[t.File] = true
		case t.Fix == leftovers.Kept:
			kept[[2]string{t.File, t.Advice}]++
		}
		fixable = fixable || t.Fix == leftovers.Safe || t.Fix == leftovers.Partly
	}
	for _, k := range slices.SortedFunc(maps.Keys(kept), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) }) {
		fmt.Fprintf(o.stderr, "kept      %s (%s): %s\n", diag.Printable(k[0]), plural(kept[k], "line"), diag.Printable(k[1]))
	}
	if len(own) > 0 {
		fmt.Fprintf(o.stderr, "kept      what garnix2gha wrote or reads (%s)\n", plural(len(own), "file"))
	}
	if !slices.ContainsFunc(found.left, leftovers.Trace.Counted) {
		fmt.Fprintln(o.stderr, "nothing is left to do")
	}
	if found.fix {
		return
	}
	if fixable {
		fmt.Fprintln(o.stderr, "hint: garnix2gha leftovers --fix --dry-run shows what can be fixed without judgement")
	}
	if found.with.CacheURL == "" && slices.ContainsFunc(found.left, swaps) {
		fmt.Fprintln(o.stderr, "hint: no new cache is known that --fix could put in garnix's place; "+nameCacheHint)
	}
	fmt.Fprintln(o.stderr, requiredCheckHint)
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
