package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"garnix2gha/generator/diag"
	"garnix2gha/generator/lint"
	"garnix2gha/generator/output"
	"garnix2gha/generator/settings"
)

func newLint(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "lint",
		Short: "Check the repository's workflows",
		Long: `Run actionlint and garnix2gha's own rules over every workflow of the repository, hand-written ones
included. Exit code 1 means that there are errors; warnings alone pass.`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return lintWorkflows(o) },
	}
}

func lintWorkflows(o *options) error {
	r, _, err := o.open()
	if err != nil {
		return err
	}
	defer r.Close()
	in, err := o.input(r)
	if err != nil {
		return err
	}
	files, err := r.Workflows(output.Dir)
	if err != nil {
		return err
	}
	var labels []string
	own, diags := settings.Parse(in.Settings.Path, in.Settings.Content)
	if own != nil {
		for _, runner := range own.Runners {
			labels = append(labels, runner...)
		}
		labels = append(labels, own.PlanRunner...)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		found, err := lint.Check(name, files[name], labels)
		if err != nil {
			return err
		}
		diags = append(diags, found...)
	}
	diags = diags.Sorted()
	if err := o.printDiagnostics(diags); err != nil {
		return err
	}
	if o.format == "text" {
		fmt.Fprintf(o.stderr, "%s checked, %s\n", plural(len(files), "workflow"), plural(len(diags), "finding"))
	}
	if diags.HasErrors() {
		return errProblems
	}
	return nil
}

func posOf(path string) diag.Pos { return diag.Pos{File: path} }
