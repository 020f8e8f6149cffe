// Lint: the repository's workflows under actionlint and our own rules.

package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"garnix2gha/cmd/internal/repo"
	"garnix2gha/generator/lint"
	"garnix2gha/generator/output"
	"garnix2gha/generator/settings"
)

func newLint(o *options) *cobra.Command {
	var strict bool
	command := o.command("lint", func(_ context.Context, r *repo.Repo) error { return o.lint(r, strict) })
	command.Flags().BoolVar(&strict, "strict", false, "hold hand-written workflows to garnix2gha's own rules too")
	return command
}

func (o *options) lint(r *repo.Repo, strict bool) error {
	in, err := o.input(r)
	if err != nil {
		return err
	}
	var labels []string
	own, diags := settings.Parse(in.Settings.Path, in.Settings.Content)
	if own != nil {
		labels = append(slices.Concat(slices.Collect(maps.Values(own.Runners))...), own.PlanRunner...)
	}
	for _, name := range slices.Sorted(maps.Keys(in.Workflows)) {
		check := lint.Sound
		if strict || output.Generated(in.Workflows[name]) {
			check = lint.Check
		}
		found, err := check(name, in.Workflows[name], labels)
		if err != nil {
			return err
		}
		diags = append(diags, found...)
	}
	for name, why := range o.unread {
		diags.Warnf(posOf(name), "unread-workflow", "GitHub runs regular files only", "%s", why)
	}
	diags = append(diags, contradictions(in.Workflows, own, strict)...).Sorted()
	if err := o.printDiagnostics(diags); err != nil {
		return err
	}
	if o.format == "text" {
		fmt.Fprintf(o.stderr, "%s checked, %s\n", plural(len(in.Workflows), "workflow"), plural(len(diags), "finding"))
	}
	return failing(diags.HasErrors())
}
