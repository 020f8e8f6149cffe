package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"garnix2gha/cmd/internal/repo"
)

func newReport(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "report",
		Short: "Tell what is carried over, what is lost, and what is left to do",
		Long: `The migration report, as Markdown (or --format json): every key of garnix.yaml and its fate, the
checks before and after, the jobs as a Mermaid picture, and the manual steps with their commands.`,
		RunE: func(*cobra.Command, []string) error {
			return o.within(func(r *repo.Repo) error {
				result, err := o.generate(r)
				if err != nil {
					return err
				}
				if o.format == "json" {
					return o.printJSON(result.Report())
				}
				_, err = fmt.Fprint(o.stdout, result.Report().Markdown())
				return err
			})
		},
	}
}
