package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"garnix2gha/cmd/internal/repo"
	"garnix2gha/generator/settings"
)

func newInit(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "init",
		Short: "Write a commented settings file",
		Long: `Write .github/garnix2gha/config.yaml with every setting commented out at its default. It is not
needed: without it, the defaults hold. An existing file is left alone.`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			r, _, err := o.open()
			if err != nil {
				return err
			}
			defer r.Close()
			old, err := r.Read(repo.SettingsFile)
			if err != nil {
				return err
			}
			if old != nil {
				fmt.Fprintf(o.stderr, "%s exists and is left alone\n", repo.SettingsFile)
				return errProblems
			}
			if err := r.Apply([]repo.Edit{{Path: repo.SettingsFile, Data: settings.Template()}}); err != nil {
				return err
			}
			fmt.Fprintf(o.stdout, "created   %s\n", repo.SettingsFile)
			return nil
		},
	}
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
