// Leftovers: the traces of garnix in the tracked files, and what is changed about them.

package main

import (
	"cmp"
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
	s := &survey{options: o}
	command := &cobra.Command{
		Use: "leftovers",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if s.dryRun && !s.fix {
				return usagef("--dry-run belongs to --fix")
			}
			return s.of(func() error { return s.leftovers(cmd.Context()) })
		},
	}
	flags := command.Flags()
	flags.BoolVar(&s.fix, "fix", false, "fix what needs no judgement")
	flags.BoolVar(&s.dryRun, "dry-run", false, "with --fix: print the unified diff and write nothing")
	flags.BoolVar(&s.keepConfig, "keep-config", false, "count garnix.yaml as kept: it is the list of targets")
	return command
}

// survey is a repository, what is to be done about its traces of garnix, and what was found.
type survey struct {
	*options
	fix, dryRun bool
	keepConfig  bool // count garnix.yaml as kept
	moveConfig  bool // judge as if garnix.yaml had left the root

	repo     *repo.Repo
	tree     git.WorkTree
	settings *settings.Settings
	judged   leftovers.Options // with the new cache, without a fix as far as it is known without asking anybody

	edits []output.Change
	left  []leftovers.Trace // what is there now, or in a dry run would be
}

// of opens the repository and reads the settings, whose problems have been printed when it returns errProblems.
func (s *survey) of(do func() error) error {
	return s.within(func(r *repo.Repo) (err error) {
		s.repo, s.tree = r, git.WorkTree(r.Dir())
		if s.settings, err = s.settingsOf(r); err != nil {
			return err
		}
		build, err := r.Read(output.Path(s.settings.Files.Build))
		if err != nil {
			return err
		}
		s.judged = leftovers.Options{Aggregate: s.settings.Names.Aggregate, Generated: output.Generated(build)}
		return do()
	})
}

func (s *survey) leftovers(ctx context.Context) error {
	if err := s.prepare(ctx); err != nil {
		return err
	}
	switch {
	case s.dryRun:
		s.left = slices.DeleteFunc(s.left, func(t leftovers.Trace) bool { return t.Fix == leftovers.Safe })
	case s.fix:
		edits := s.edits
		if err := s.repo.Apply(edits); err != nil {
			return err
		}
		if err := s.scan(ctx); err != nil {
			return err
		}
		s.edits = edits
	}
	return cmp.Or(s.printLeftovers(), failing(slices.ContainsFunc(s.left, leftovers.Trace.Counted)))
}

// prepare finds the traces and the edits. For a fix, Cachix is asked about the new cache if something is to be swapped.
func (s *survey) prepare(ctx context.Context) (err error) {
	if s.judged.Replacement, err = s.expected(s.settings); err != nil {
		return err
	}
	if err := s.scan(ctx); err != nil || !s.fix || !slices.ContainsFunc(s.left, swaps) {
		return err
	}
	if s.judged.Replacement, err = s.replacement(ctx, s.settings); err != nil {
		return err
	}
	return s.scan(ctx)
}

// scan searches the tracked files as they are now.
func (s *survey) scan(ctx context.Context) error {
	tracked, err := s.tree.Tracked(ctx)
	if err != nil {
		return err
	}
	if i := slices.Index(tracked, repo.ConfigFile); s.moveConfig && i >= 0 {
		tracked[i] = repo.MovedConfigFile
	}
	s.left, s.edits, err = leftovers.Scan(s.repo.FS(), tracked, s.judged)
	for i, t := range s.left {
		if s.keepConfig && t.Kind == leftovers.KindConfigFile && t.File == repo.ConfigFile {
			s.left[i].Fix, s.left[i].Advice = leftovers.Kept, "stays: garnix2gha reads it"
		}
	}
	return err
}

// swaps reports whether a trace is for the new cache to replace.
func swaps(t leftovers.Trace) bool {
	return t.Counted() && (t.Kind == leftovers.KindSubstituter || t.Kind == leftovers.KindKey)
}

const requiredCheckHint = `hint: required checks are no files: "garnix2gha required-check" shows them, and moves them from garnix's app`

func (s *survey) printLeftovers() error {
	files := filesOf(s.edits, s.dryRun)
	switch s.format {
	case "json":
		value := map[string]any{"traces": nonNil(s.left)}
		if s.fix {
			value["files"] = files
		}
		return s.printJSON(value)
	case "github", "sarif":
		return s.printDiagnostics(findings(s.left))
	}
	traces := s.stdout
	if s.fix {
		for _, file := range files {
			s.printFile(file, s.dryRun)
		}
		if s.dryRun {
			traces = s.stderr // stdout is a diff
		}
	}
	for _, t := range s.left {
		if t.Fix != leftovers.Kept {
			fmt.Fprintln(traces, spoken(t))
		}
	}
	s.printRest()
	return nil
}

// printRest tells what is kept where, and what to do next.
func (s *survey) printRest() {
	kept := map[[2]string]int{} // by file and reason
	own := map[string]bool{}    // files that a person need not see by name
	fixable := false
	for _, t := range s.left {
		switch {
		case t.Kind == leftovers.KindOwn && s.terminal(s.stderr):
			own[t.File] = true
		case t.Fix == leftovers.Kept:
			kept[[2]string{t.File, t.Advice}]++
		}
		fixable = fixable || t.Fix == leftovers.Safe || t.Fix == leftovers.Partly
	}
	for _, k := range slices.SortedFunc(maps.Keys(kept), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) }) {
		fmt.Fprintf(s.stderr, "kept      %s (%s): %s\n", diag.Printable(k[0]), plural(kept[k], "line"), diag.Printable(k[1]))
	}
	if len(own) > 0 {
		fmt.Fprintf(s.stderr, "kept      what garnix2gha wrote or reads (%s)\n", plural(len(own), "file"))
	}
	if !slices.ContainsFunc(s.left, leftovers.Trace.Counted) {
		fmt.Fprintln(s.stderr, "nothing is left to do")
	}
	if s.fix {
		return
	}
	if fixable {
		fmt.Fprintln(s.stderr, "hint: garnix2gha leftovers --fix --dry-run shows what can be fixed without judgement")
	}
	if s.judged.Replacement.CacheURL == "" && slices.ContainsFunc(s.left, swaps) {
		fmt.Fprintln(s.stderr, "hint: no new cache is known that --fix could put in garnix's place; "+nameCacheHint)
	}
	fmt.Fprintln(s.stderr, requiredCheckHint)
}

func spoken(t leftovers.Trace) string {
	return fmt.Sprintf("%s: %s: %s", place(t.Pos), t.Kind, advised(t))
}

func advised(t leftovers.Trace) string {
	return diag.Printable(t.Advice) + map[leftovers.Remedy]string{leftovers.Safe: " (--fix does it)", leftovers.Partly: " (--fix does a part)"}[t.Fix]
}

// place starts a line: a file's name shall neither harm the terminal nor be taken for a command by a workflow's runner.
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
