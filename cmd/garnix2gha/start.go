// Start: where a repository stands on its way, for whoever names no command.

package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"garnix2gha/cmd/internal/repo"
	"garnix2gha/generator"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/output"
)

// start says where the repository stands, in six lines at most. Nothing is written.
func (o *options) start(ctx context.Context) error {
	lines := []string{"there is " + repo.ErrNoRoot.Error(), "next: change into a repository, or name one with -C"}
	err := o.anywhere(func(r *repo.Repo) error {
		if r == nil {
			return nil
		}
		result, onDisk, err := o.rendered(r)
		if err == nil {
			result.Diags = append(result.Diags, contradictions(onDisk, result.Settings, false)...)
			lines = standing(result, o.compare(result.Files, onDisk), func() []string { return o.next(ctx, r, result, false) })
		}
		return err
	})
	if err != nil {
		return err
	}
	if o.format == "json" {
		return o.printJSON(map[string]any{"standing": lines[0], "next": lines[1:]})
	}
	for _, line := range append(lines, "garnix2gha help lists the commands") {
		fmt.Fprintln(o.stdout, diag.Printable(line))
	}
	return nil
}

// standing tells what there is and what comes next; git is asked about it where the files are current.
func standing(result generator.Result, changes []output.Change, asGitKnows func() []string) []string {
	found := func(code string) bool {
		return slices.ContainsFunc(result.Diags, func(d diag.Diagnostic) bool { return d.Code == code })
	}
	var foreign, ours, edited, stale bool
	for _, change := range changes {
		foreign = foreign || change.Status == output.Foreign && change.New != nil
		ours = ours || change.Status != output.Foreign && change.Old != nil
		edited = edited || change.Status == output.Edited
		stale = stale || !change.Status.OK(true)
	}
	have := "this repository has " + result.Config.File
	switch {
	case found("flake-missing") && !ours:
		return []string{"this repository has no garnix.yaml and no flake.nix, so there is nothing to build", "next: change into another one, or name it with -C"}
	case result.Config.File == "":
		have = "this repository has no garnix.yaml, so garnix's defaults hold"
	case !filepath.IsLocal(result.Config.File):
		have = "the configuration is read from " + result.Config.File
	}
	var next []string
	switch {
	case found("config-removed"):
		next = []string{"next: git checkout HEAD -- " + repo.ConfigFile + ", for what it said is not built any more"}
	case foreign:
		have, next = have+"; workflows of the names that would be written are its own", []string{"next: nothing, if they were ejected; else garnix2gha check, which says what is in the way"}
	case edited:
		have, next = have+", and generated files that somebody edited", []string{"next: garnix2gha check --diff, which shows the change"}
	case !ours && result.Settings.Cache.Name != "":
		have, next = have+", and no generated workflows yet", []string{"next: garnix2gha generate, which writes them"}
	case !ours:
		have, next = have+", and no generated workflows yet", []string{"next: garnix2gha report, which tells what they will do"}
	case stale:
		have, next = have+", and generated workflows that are not current", []string{"next: garnix2gha check, which tells why, and garnix2gha generate"}
	default:
		have += ", and generated workflows that are current"
		if next = asGitKnows(); len(next) == 0 {
			next = []string{"what may be left to do, such as proving the cache: garnix2gha report"}
		}
	}
	if n := len(result.Diags); n > 0 {
		next = append(next, plural(n, "warning")+": garnix2gha check")
	}
	return append([]string{have}, next...)
}
