package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newReport(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "report",
		Short: "Tell what is carried over, what is lost, and what is left to do",
		Long: `On a terminal a summary; on a pipe, or with --format markdown, the whole migration report, fit to be the body of
a pull request: every key of garnix.yaml and its fate, the checks before and after, and the next steps.`,
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
			text := result.Report().Markdown()
			if o.format != "markdown" && o.terminal(o.stdout) {
				text = result.Report().Summary()
			}
			_, err = fmt.Fprint(o.stdout, text)
			return err
		},
	}
}
