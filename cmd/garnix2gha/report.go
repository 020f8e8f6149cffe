package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newReport(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "report",
		Short: "Tell what is carried over, what is lost, and what is left to do",
		Long: `The migration report, as Markdown (or --format json): every key of garnix.yaml and its fate, the
checks before and after, the jobs as a Mermaid picture, and the manual steps with their commands.`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			r, _, err := o.open()
			if err != nil {
				return err
			}
			defer r.Close()
			result, err := o.generate(r)
			if err != nil {
				return err
			}
			if o.format == "json" {
				return o.printJSON(result.Report())
			}
			_, err = fmt.Fprint(o.stdout, result.Report().Markdown())
			return err
		},
	}
}
