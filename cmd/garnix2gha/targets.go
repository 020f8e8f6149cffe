// Targets: what is built, and why.

package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"garnix2gha/cmd/internal/repo"
	"garnix2gha/generator"
	"garnix2gha/generator/config"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/flake"
	"garnix2gha/generator/target"
)

func newTargets(o *options) *cobra.Command {
	var branch string
	var fork bool
	command := &cobra.Command{
		Use: "targets",
		RunE: func(cmd *cobra.Command, _ []string) error {
			at := target.Commit{All: true}
			switch named := cmd.Flags().Changed("branch"); {
			case named && fork:
				return usagef("--branch or --fork, not both: a pull request from a fork counts as of no branch")
			case named || fork:
				at = target.Commit{Fork: fork, Branch: branch}
			}
			return o.within(func(r *repo.Repo) error { return o.targets(r, at) })
		},
	}
	command.Flags().StringVar(&branch, "branch", "", "as for a push to this branch")
	command.Flags().BoolVar(&fork, "fork", false, "as for a pull request from a fork")
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
		for _, open := range model.Selection.Open {
			model.Diags.Add(diag.Notice, open.Matcher.Pos, "flake-decides", `run "garnix2gha snapshot" to list the flake now`,
				"only the flake tells what %s selects, so every run lists it", open.Matcher)
		}
		return o.printJSON(map[string]any{
			"targets": rows, "actions": actions, "warnings": nonNil(model.Diags), "strategy": model.Plan.Strategy,
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
		if labels := model.Settings.Runners[t.System]; len(labels) == 1 {
			row.Runner = labels[0]
		} else if len(labels) > 1 {
			row.Runner = labels
		}
		row.Matcher.Text, row.Matcher.Line, row.Matcher.Column = t.Matcher.String(), t.Matcher.Pos.Line, t.Matcher.Pos.Column
		rows = append(rows, row)
	}
	for _, a := range model.Selection.Actions {
		actions = append(actions, actionJSON{Name: a.Run, Attr: a.Attr().String()})
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
		where := chosenBy(t.Matcher, model.Config.Sections[t.Section])
		if !t.AnyBranch {
			where += " only on " + strings.Join(t.Branches, ", ")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", diag.Printable(row.Attr), system, label, diag.Printable(where))
	}
	for _, open := range model.Selection.Open {
		where := "what the flake has, by " + chosenBy(open.Matcher, model.Config.Sections[open.Section])
		fmt.Fprintf(w, "%s\t?\t?\t%s\n", diag.Printable(open.Matcher.String()), diag.Printable(where))
	}
	for _, action := range actions {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", diag.Printable(action.Attr), flake.X8664Linux, "", "action "+diag.Printable(action.Name))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(o.stderr, "%s, strategy %s\n", count(model.Selection), model.Plan.Strategy)
	if len(model.Selection.Open) > 0 {
		fmt.Fprintln(o.stderr, `hint: every run lists the flake; "garnix2gha snapshot" lists it now, which makes the strategy static: take it again whenever the flake's outputs change`)
	}
	return nil
}

// chosenBy names an include and where it stands.
func chosenBy(m config.Matcher, in config.Section) string {
	switch {
	case in.IncludeIsDefault:
		return m.String() + " (garnix's default include)"
	case m.Pos.Line > 0:
		return m.String() + " (" + m.Pos.String() + ")"
	}
	return m.String()
}

// count tells how many targets there are, as far as that is known.
func count(s target.Selection) string {
	text := plural(len(s.Targets), "target")
	if unknown := slices.DeleteFunc(slices.Clone(s.Targets), func(t target.Target) bool { return t.System != "" }); len(unknown) > 0 {
		text += fmt.Sprintf(" (%d of a system that only evaluation tells)", len(unknown))
	}
	if len(s.Open) == 0 {
		return text
	}
	decides := "the flake decides about " + plural(len(s.Open), "matcher")
	if len(s.Targets) == 0 {
		return decides
	}
	return text + " named; " + decides
}
