// Explain: what a code means.

package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"garnix2gha/cmd/internal/explain"
	"garnix2gha/generator/diag"
)

func newExplain(o *options) *cobra.Command {
	return &cobra.Command{
		Use:  "explain [CODE | GROUP]",
		Args: arguments(0, "one code or group"),
		ValidArgsFunction: func(command *cobra.Command, args []string, start string) ([]string, cobra.ShellCompDirective) {
			var codes []string
			for _, page := range explain.Pages() {
				codes = append(codes, cobra.CompletionWithDesc(page.Code, page.Summary))
			}
			return cobra.FixedCompletions(codes, cobra.ShellCompDirectiveNoFileComp)(command, args, start)
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return o.listCodes(explain.Pages())
			}
			return o.explain(args[0])
		},
	}
}

func (o *options) explain(code string) error {
	page, ok := explain.Find(code)
	group := slices.DeleteFunc(explain.Pages(), func(page explain.Page) bool { return page.Group != code })
	switch {
	case !ok && len(group) > 0:
		return o.listCodes(group)
	case !ok:
		var codes []string
		for _, page := range explain.Pages() {
			codes = append(codes, page.Code)
		}
		if near := diag.Nearest(code, codes); near != "" {
			return unknown("code", code, near)
		}
		return usagef(`unknown code %q; "garnix2gha explain" lists all`, code)
	case o.format == "json":
		return o.printJSON(page)
	}
	_, err := fmt.Fprintf(o.stdout, "%s: %s", diag.Printable(code), page)
	return err
}

func (o *options) listCodes(pages []explain.Page) error {
	if o.format == "json" {
		return o.printJSON(map[string]any{"codes": pages})
	}
	w := table(o.stdout)
	group := ""
	for _, page := range pages {
		if page.Group != group {
			if group != "" {
				fmt.Fprintln(w)
			}
			group = page.Group
			fmt.Fprintf(w, "%s\n", group)
		}
		fmt.Fprintf(w, "  %s\t%s\n", page.Code, page.Summary)
	}
	fmt.Fprintln(w, "\ngarnix2gha explain CODE tells more")
	return w.Flush()
}
