// The settings: writing them, and their schema.

package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"garnix2gha/cmd/internal/repo"
	"garnix2gha/generator"
	"garnix2gha/generator/output"
	"garnix2gha/generator/settings"
)

func newInit(o *options) *cobra.Command {
	var cache string
	command := &cobra.Command{
		Use:   "init",
		Short: "Write a commented settings file",
		RunE: func(*cobra.Command, []string) error {
			return o.within(func(r *repo.Repo) error { return o.initialize(r, cache) })
		},
	}
	command.Flags().StringVar(&cache, "cache", "", "name of the Cachix cache")
	return command
}

func (o *options) initialize(r *repo.Repo, cache string) error {
	action, err := o.changeSettings(r, func(old []byte) ([]byte, error) {
		switch {
		case cache == "" && old != nil:
			fmt.Fprintf(o.stderr, "%s exists and is left alone\n", repo.SettingsFile)
			return nil, errProblems
		case cache == "":
			return settings.Template(), nil
		case old == nil:
			old = settings.Template()
		}
		if diags := settings.CheckCacheName(cache); diags.HasErrors() {
			return nil, usagef("%s; %s", diags[0].Message, diags[0].Hint)
		}
		return settings.WithCachix(old, cache, "", nil)
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(o.stdout, "%-9s %s\n", action, repo.SettingsFile)
	if cache != "" && action != "unchanged" {
		fmt.Fprintln(o.stderr, "next: garnix2gha generate")
	}
	in, err := o.input(r)
	if hint := generator.Read(in).CacheHint(); err == nil && hint != "" {
		fmt.Fprintln(o.stderr, "hint: "+hint)
	}
	return err
}

// changeSettings rewrites the settings, old being nil without a file, and tells what that did to the file. What is wrong
// with them has been printed when it returns errProblems.
func (o *options) changeSettings(r *repo.Repo, rewrite func(old []byte) ([]byte, error)) (did string, err error) {
	if _, err := o.settingsOf(r); err != nil {
		return "", err
	}
	old, err := r.Read(repo.SettingsFile)
	if err != nil {
		return "", err
	}
	fresh, err := rewrite(old)
	if err != nil {
		return "", err
	}
	change := output.Change{Path: repo.SettingsFile, Old: old, New: fresh}
	return action(change), r.Apply(pending(change))
}

func newSchema(o *options) *cobra.Command {
	return &cobra.Command{
		Use:       "schema [garnix]",
		Short:     "Print the JSON Schema of the settings, or of garnix.yaml",
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
