// The settings: writing them, and their schema.

package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"garnix2gha/cmd/internal/repo"
	"garnix2gha/generator"
	"garnix2gha/generator/output"
	"garnix2gha/generator/settings"
)

func newInit(o *options) *cobra.Command {
	var cache string
	command := o.command("init", func(_ context.Context, r *repo.Repo) error { return o.initialize(r, cache) })
	command.Flags().StringVar(&cache, "cache", "", "name of the Cachix cache")
	return command
}

func (o *options) initialize(r *repo.Repo, cache string) error {
	change, err := o.changeSettings(r, func(old []byte) ([]byte, error) {
		switch {
		case cache == "" && old != nil:
			fmt.Fprintf(o.stderr, "%s exists and is left alone\n", repo.SettingsFile)
			return nil, errProblems
		case cache == "":
			return settings.Template(), nil
		case old == nil:
			old = settings.Template()
		}
		if diags := settings.CheckCacheName("--cache", cache); diags.HasErrors() {
			return nil, usagef("%s; %s", diags[0].Message, diags[0].Hint)
		}
		return settings.WithCachix(old, cache)
	})
	if err != nil {
		return err
	}
	if change.Old != nil && o.format != "json" {
		o.printDiff(o.stdout, unified(change.Path, change.Old, change.New))
	}
	if cache != "" && action(change) != "unchanged" {
		fmt.Fprintln(o.stderr, "next: garnix2gha generate")
	}
	in, err := o.input(r)
	if hint := generator.Read(in).CacheHint(); err == nil && hint != "" {
		fmt.Fprintln(o.stderr, "hint: "+hint)
	}
	return err
}

// changeSettings rewrites the settings, old being nil without a file, prints what that did to the file, and returns it.
// What is wrong with them has been printed when it returns errProblems.
func (o *options) changeSettings(r *repo.Repo, rewrite func(old []byte) ([]byte, error)) (output.Change, error) {
	change := output.Change{Path: repo.SettingsFile}
	old, err := r.Read(change.Path)
	if err != nil {
		return change, err
	}
	if s, found := settings.Parse(change.Path, old); s == nil {
		return change, o.sound(found)
	}
	fresh, err := rewrite(old)
	if err != nil {
		return change, err
	}
	change.Old, change.New = old, fresh
	if err := r.Apply(pending(change)); err != nil {
		return change, err
	}
	_, found := settings.Parse(change.Path, fresh)
	if o.format == "json" {
		return change, o.printJSON(map[string]any{"files": filesOf([]output.Change{change}, false), "diagnostics": nonNil(found)})
	}
	fmt.Fprintf(o.stdout, "%-9s %s\n", action(change), change.Path)
	return change, o.printWarnings(found)
}

func newSchema(o *options) *cobra.Command {
	return &cobra.Command{
		Use:       "schema [garnix]",
		ValidArgs: []string{"garnix"},
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 || len(args) == 1 && args[0] != "garnix" {
				return usagef(`want no argument, or "garnix"`)
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			schema := settings.Schema()
			if len(args) == 1 {
				schema = settings.GarnixSchema()
			}
			_, err := o.stdout.Write(schema)
			return err
		},
	}
}
