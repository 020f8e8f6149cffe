package main

import (
	"bytes"
	"fmt"

	"github.com/spf13/cobra"

	"garnix2gha/cmd/internal/repo"
	"garnix2gha/generator/settings"
)

func newInit(o *options) *cobra.Command {
	var cache string
	command := &cobra.Command{
		Use:   "init",
		Short: "Write a commented settings file",
		Long: `Write .github/garnix2gha/config.yaml with every setting commented out at its default. It is not
needed: without it, the defaults hold. An existing file is left alone.

With --cache the file names the Cachix cache, one that exists as well; "garnix2gha generate"
puts the name to use.`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return initialize(o, cache) },
	}
	command.Flags().StringVar(&cache, "cache", "", "name of the Cachix cache")
	return command
}

func initialize(o *options, cache string) error {
	r, _, err := o.open()
	if err != nil {
		return err
	}
	defer r.Close()
	old, err := r.Read(repo.SettingsFile)
	if err != nil {
		return err
	}
	action, fresh := "created", old
	switch {
	case old == nil:
		fresh = settings.Template()
	case cache == "":
		fmt.Fprintf(o.stderr, "%s exists and is left alone\n", repo.SettingsFile)
		return errProblems
	default:
		action = "updated"
	}
	if cache != "" {
		named := fmt.Appendf(nil, "cache: {name: %q}\n", cache)
		if _, diags := settings.Parse("--cache", named); diags.HasErrors() {
			return usagef("%s", diags[0].Message)
		}
		if fresh, err = settings.WithCachix(fresh, cache, "", nil); err != nil {
			return err
		}
	}
	if old != nil && bytes.Equal(old, fresh) {
		action = "unchanged"
	}
	if err := r.Apply([]repo.Edit{{Path: repo.SettingsFile, Data: fresh}}); err != nil {
		return err
	}
	fmt.Fprintf(o.stdout, "%-9s %s\n", action, repo.SettingsFile)
	return nil
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
