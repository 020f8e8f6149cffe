// Targets: what is built, and why.

package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"garnix2gha/cmd/internal/repo"
	"garnix2gha/generator"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/flake"
	"garnix2gha/generator/plan"
	"garnix2gha/generator/target"
)

func newTargets(o *options) *cobra.Command {
	var branch string
	var fork bool
	command := &cobra.Command{
		Use:   "targets",
		Short: "Show the selected targets and why",
		Long: `Show what garnix would have built, with the attribute matcher that chose each target: for
every branch together, for one branch (--branch), or for a pull request from a fork (--fork).
What the flake has is read from .github/garnix2gha/lock.json ("garnix2gha snapshot" writes
it); without one only literal matchers can be shown.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			at := target.Commit{All: true}
			if fork || cmd.Flags().Changed("branch") {
				at = target.Commit{Fork: fork, Branch: branch}
			}
			return o.within(func(r *repo.Repo) error { return o.targets(r, at) })
		},
	}
	command.Flags().StringVar(&branch, "branch", "", "as for a push to this branch")
	command.Flags().BoolVar(&fork, "fork", false, "as for a pull request from a fork")
	command.MarkFlagsMutuallyExclusive("branch", "fork")
	return command
}

// targetJSON is one target in the stable JSON.
type targetJSON struct {
	Attr    string `json:"attr"`
	Build   string `json:"build"`
	System  string `json:"system"`
	Runner  any    `json:"runner"` // a label, or a list of them; "" for a system not known yet
	Section int    `json:"section"`
	Matcher struct {
		Text   string `json:"text"`
		Line   int    `json:"line"`
		Column int    `json:"column"`
	} `json:"matcher"`
}

type actionJSON struct {
	Name string `json:"name"`
	Attr string `json:"attr"`
}

func (o *options) targets(r *repo.Repo, at target.Commit) error {
	in, err := o.input(r)
	if err != nil {
		return err
	}
	model := decideAt(in, at)
	if err := o.sound(model.Diags); err != nil {
		return err
	}
	rows, actions := rows(model)
	if o.format == "json" {
		return o.printJSON(map[string]any{
			"targets": rows, "actions": actions, "warnings": nonNil(model.Diags), "strategy": model.Strategy,
		})
	}
	if err := o.printWarnings(model.Diags); err != nil {
		return err
	}
	return o.printTargets(model, rows, actions)
}

// decideAt is generator.Decide for one commit: with what is wrong on this commit, and not with what is wrong on others.
func decideAt(in generator.Input, at target.Commit) generator.Model {
	model := generator.Decide(in)
	if model.Config == nil || at.All {
		return model
	}
	model.Diags = generator.Read(in).Diags
	var found diag.List
	model.Selection, found = target.Select(model.Config, model.Lock, at)
	model.Diags = append(model.Diags, found...).Sorted()
	return model
}

func rows(model generator.Model) ([]targetJSON, []actionJSON) {
	rows, actions := []targetJSON{}, []actionJSON{}
	for _, t := range model.Selection.Targets {
		row := targetJSON{Attr: t.Attr.String(), Build: strings.Join(t.Attr.Build(), "."), System: string(t.System), Runner: "", Section: t.Section}
		switch labels := model.Settings.Runners[t.System]; len(labels) {
		case 0:
		case 1:
			row.Runner = labels[0]
		default:
			row.Runner = labels
		}
		row.Matcher.Text, row.Matcher.Line, row.Matcher.Column = t.Matcher.String(), t.Matcher.Pos.Line, t.Matcher.Pos.Column
		rows = append(rows, row)
	}
	for _, a := range model.Selection.Actions {
		actions = append(actions, actionJSON{Name: a.Name, Attr: a.Attr.String()})
	}
	return rows, actions
}

func (o *options) printTargets(model generator.Model, rows []targetJSON, actions []actionJSON) error {
	w := table(o.stdout)
	for i, row := range rows {
		system, label := row.System, fmt.Sprint(row.Runner)
		if system == "" {
			system, label = "?", "?"
		}
		t := model.Selection.Targets[i]
		where := row.Matcher.Text
		if at := t.Matcher.Pos; at.Line > 0 {
			where += " (" + at.String() + ")"
		}
		if !t.AnyBranch {
			where += " only on " + strings.Join(t.Branches, ", ")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", diag.Printable(row.Attr), system, label, diag.Printable(where))
	}
	for _, action := range actions {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", diag.Printable(action.Attr), flake.X8664Linux, "", "action "+diag.Printable(action.Name))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(o.stderr, "%s, strategy %s\n", plural(len(rows), "target"), model.Strategy)
	if model.Strategy == plan.Dynamic && model.Lock == nil {
		fmt.Fprintln(o.stderr, `hint: wildcards are resolved when the workflow runs; "garnix2gha snapshot" lists the flake now`)
	}
	return nil
}
