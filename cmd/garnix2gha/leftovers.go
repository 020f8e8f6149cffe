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
		Short: "Find what is left of garnix, and mend it",
		Long: `List every trace of garnix in the files that git tracks: where it is, of what kind, and what to
do about it. The exit code is 1 while there is something left to do.

With --fix, what needs no judgement is mended. The cache in the settings takes the place of
garnix's, with its URL and public key; a key that the settings lack is asked for at Cachix.
--url and --public-key name another cache, and --remove none at all; without any cache
garnix's is only taken out. What is left then is for a person: the exit code tells whether
there is something. garnix.yaml is left to "garnix2gha retire".`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(); err != nil {
				return err
			}
			return runLeftovers(cmd.Context(), o, f)
		},
	}
	flags := command.Flags()
	flags.BoolVar(&f.fix, "fix", false, "mend what can be mended without judgement")
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

	// keepConfig counts garnix.yaml as kept.
	keepConfig bool
}

// survey opens git and reads the settings, whose problems have been printed when it returns errProblems.
func (o *options) survey(ctx context.Context, r *repo.Repo, keepConfig bool) (survey, error) {
	s := survey{repo: r, keepConfig: keepConfig}
	var err error
	if s.tree, err = git.Open(ctx, r.Dir()); err != nil {
		return s, err
	}
	if s.settings, err = o.settingsOf(r); err != nil {
		return s, err
	}
	s.options.Aggregate, err = aggregate(r, s.settings)
	return s, err
}

// aggregate is the name of the check that the committed workflows report; "" if they report none.
func aggregate(r *repo.Repo, s *settings.Settings) (string, error) {
	file, err := r.Read(output.Path(s.Files.Build))
	if err != nil || !output.Generated(file) {
		return "", err
	}
	return s.Names.Aggregate, nil
}

// traces scans the tracked files as they are now.
func (s survey) traces(ctx context.Context) ([]leftovers.Trace, error) {
	tracked, err := s.tree.Tracked(ctx)
	if err != nil {
		return nil, err
	}
	traces, err := leftovers.Scan(s.repo.FS(), tracked, s.options)
	if err != nil {
		return nil, err
	}
	for i, t := range traces {
		if s.keepConfig && t.Kind == leftovers.KindConfigFile && t.File == repo.ConfigFile {
			traces[i].Fix, traces[i].Mend, traces[i].Command = leftovers.Kept, "stays: garnix2gha reads it", ""
		}
	}
	return traces, nil
}

func runLeftovers(ctx context.Context, o *options, f leftoversFlags) error {
	r, _, err := o.open()
	if err != nil {
		return err
	}
	defer r.Close()
	s, err := o.survey(ctx, r, f.keepConfig)
	if err != nil {
		return err
	}
	traces, err := s.traces(ctx)
	if err != nil {
		return err
	}
	found := mended{left: traces, dryRun: f.dryRun}
	if f.fix {
		if found, err = o.mend(ctx, s, traces, f); err != nil {
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

// mended is what leftovers found, and with --fix what it did.
type mended struct {
	fixed  bool
	dryRun bool
	with   leftovers.Replacement
	edits  []leftovers.Edit
	left   []leftovers.Trace // what is there now, or with dryRun would be
	stale  bool              // the committed workflows depend on what changed
}

func (o *options) mend(ctx context.Context, s survey, traces []leftovers.Trace, f leftoversFlags) (mended, error) {
	found := mended{fixed: true, dryRun: f.dryRun}
	var err error
	if found.with, err = o.replacement(ctx, s.settings, traces, f.cache); err != nil {
		return found, err
	}
	if found.edits, err = leftovers.Fix(s.repo.FS(), traces, found.with); err != nil {
		return found, err
	}
	if f.dryRun {
		found.left = slices.DeleteFunc(traces, func(t leftovers.Trace) bool { return t.Fix == leftovers.Safe })
		return found, nil
	}
	if err := s.repo.Mend(asMends(found.edits)); err != nil {
		return found, err
	}
	found.stale = s.options.Aggregate != "" && slices.ContainsFunc(found.edits, func(e leftovers.Edit) bool { return e.Path == repo.ConfigFile })
	found.left, err = s.traces(ctx)
	return found, err
}

func asMends(edits []leftovers.Edit) []repo.Mend {
	mends := make([]repo.Mend, len(edits))
	for i, edit := range edits {
		mends[i] = repo.Mend{Path: edit.Path, Old: edit.Old, New: edit.New}
	}
	return mends
}
