package main

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"garnix2gha/cmd/internal/git"
	"garnix2gha/cmd/internal/leftovers"
	"garnix2gha/cmd/internal/repo"
	"garnix2gha/generator/output"
	"garnix2gha/generator/settings"
)

// leftoversFlags are the flags of leftovers.
type leftoversFlags struct {
	fix, dryRun, keepConfig bool
	cache                   replacementFlags
}

func newLeftovers(o *options) *cobra.Command {
	var f leftoversFlags
	command := &cobra.Command{
		Use:   "leftovers",
		Short: "Find what is left of garnix, and fix it",
		Long: `List every trace of garnix in the files that git tracks: where it is, of what kind, and what to
do about it. The exit code is 1 while there is something left to do, so that CI can run it. A
line that holds "garnix2gha: keep", say in a comment, counts as wanted.

With --fix, what needs no judgement is fixed. The cache in the settings takes the place of
garnix's: its URL and public key, wherever they stand as literals; a key that the settings
lack is asked for at Cachix. --url and --public-key name another cache, and --remove none at
all; without a cache only elements of lists and settings go that have their line to
themselves, and no list is left empty. What is left then is for a person. garnix.yaml is left
to "garnix2gha retire", and rules on GitHub to "garnix2gha required-check".`,
		Example: `  garnix2gha leftovers
  garnix2gha leftovers --fix --dry-run
  garnix2gha leftovers --fix`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(); err != nil {
				return err
			}
			return runLeftovers(cmd.Context(), o, f)
		},
	}
	flags := command.Flags()
	flags.BoolVar(&f.fix, "fix", false, "fix what needs no judgement")
	flags.BoolVar(&f.dryRun, "dry-run", false, "with --fix: print the unified diff and write nothing")
	flags.BoolVar(&f.keepConfig, "keep-config", false, "count garnix.yaml as kept: it is the list of targets")
	f.cache.register(command)
	return command
}

func (f leftoversFlags) check() error {
	switch {
	case !f.fix && f.dryRun:
		return usagef("--dry-run belongs to --fix")
	case !f.fix && f.cache.given():
		return usagef("--url, --public-key and --remove belong to --fix")
	}
	return f.cache.check()
}

// survey is a repository and how its traces are judged.
type survey struct {
	repo     *repo.Repo
	tree     *git.WorkTree
	settings *settings.Settings
	options  leftovers.Options

	keepConfig bool // count garnix.yaml as kept
	moveConfig bool // judge as if garnix.yaml had left the root
}

// survey opens git and reads the settings, whose problems have been printed when it returns errProblems.
func (o *options) survey(ctx context.Context, r *repo.Repo) (*survey, error) {
	tree, err := git.Open(ctx, r.Dir())
	if err != nil {
		return nil, err
	}
	s := &survey{repo: r, tree: tree}
	if s.settings, err = o.settingsOf(r); err != nil {
		return nil, err
	}
	build, err := r.Read(output.Path(s.settings.Files.Build))
	s.options.Aggregate, s.options.Generated = s.settings.Names.Aggregate, output.Generated(build)
	return s, err
}

// scan searches the tracked files as they are now, for a cache that takes garnix's place.
func (s *survey) scan(ctx context.Context, with leftovers.Replacement) ([]leftovers.Trace, []leftovers.Edit, error) {
	tracked, err := s.tree.Tracked(ctx)
	if err != nil {
		return nil, nil, err
	}
	if i := slices.Index(tracked, repo.ConfigFile); s.moveConfig && i >= 0 {
		tracked[i] = repo.MovedConfigFile
	}
	s.options.Replacement = with
	traces, edits, err := leftovers.Scan(s.repo.FS(), tracked, s.options)
	for i, t := range traces {
		if s.keepConfig && t.Kind == leftovers.KindConfigFile && t.File == repo.ConfigFile {
			traces[i].Fix, traces[i].Advice = leftovers.Kept, "stays: garnix2gha reads it"
		}
	}
	return traces, edits, err
}

func runLeftovers(ctx context.Context, o *options, f leftoversFlags) error {
	r, _, err := o.open()
	if err != nil {
		return err
	}
	defer r.Close()
	s, err := o.survey(ctx, r)
	if err != nil {
		return err
	}
	s.keepConfig = f.keepConfig
	found := cleanup{fixed: f.fix, dryRun: f.dryRun}
	if f.fix {
		err = o.fix(ctx, s, f.cache, &found)
	} else if found.with, err = o.expected(s.settings, f.cache); err == nil {
		found.left, _, err = s.scan(ctx, found.with)
	}
	if err != nil {
		return err
	}
	if err := o.printLeftovers(found); err != nil {
		return err
	}
	if slices.ContainsFunc(found.left, leftovers.Trace.Counted) {
		return errProblems
	}
	return nil
}

// cleanup is what leftovers found, and with --fix what it did.
type cleanup struct {
	fixed  bool
	dryRun bool
	with   leftovers.Replacement // without --fix as far as it is known without asking anybody
	edits  []leftovers.Edit
	left   []leftovers.Trace // what is there now, or with dryRun would be
}

func (o *options) fix(ctx context.Context, s *survey, f replacementFlags, found *cleanup) error {
	err := o.prepareFix(ctx, s, f, found)
	if err != nil {
		return err
	}
	if found.dryRun {
		found.left = slices.DeleteFunc(found.left, func(t leftovers.Trace) bool { return t.Fix == leftovers.Safe })
		return nil
	}
	if err := s.repo.Mend(asMends(found.edits)); err != nil {
		return err
	}
	found.left, _, err = s.scan(ctx, found.with)
	return err
}

// prepareFix finds the edits, and the cache that they put in. Cachix is asked only if something is to be swapped.
func (o *options) prepareFix(ctx context.Context, s *survey, f replacementFlags, found *cleanup) error {
	expected, err := o.expected(s.settings, f)
	if err != nil {
		return err
	}
	traces, _, err := s.scan(ctx, expected)
	if err != nil {
		return err
	}
	found.with = leftovers.Replacement{CacheURL: expected.CacheURL}
	if !f.remove && slices.ContainsFunc(traces, swaps) {
		if found.with, err = o.replacement(ctx, s.settings, f); err != nil {
			return err
		}
	}
	found.left, found.edits, err = s.scan(ctx, found.with)
	return err
}

func asMends(edits []leftovers.Edit) []repo.Mend {
	mends := make([]repo.Mend, len(edits))
	for i, edit := range edits {
		mends[i] = repo.Mend{Path: edit.Path, Old: edit.Old, New: edit.New}
	}
	return mends
}
