// Required-check: the rules on GitHub that wait for garnix.

package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"garnix2gha/cmd/internal/github"
	"garnix2gha/cmd/internal/repo"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/flake"
	"garnix2gha/generator/output"
	"garnix2gha/generator/settings"
)

func newRequiredCheck(o *options) *cobra.Command {
	m := &ruleMover{options: o}
	command := o.command("required-check", m.run)
	command.Flags().StringVar(&m.repository, "repo", "", "[HOST/]OWNER/NAME (default: that of git's remotes)")
	command.Flags().BoolVar(&m.apply, "apply", false, "make the changes")
	return command
}

// ruleMover moves the required check.
type ruleMover struct {
	*options
	repository string
	apply      bool

	move     github.Move
	reported bool // whether a workflow here reports the aggregate
}

func (m *ruleMover) run(ctx context.Context, r *repo.Repo) error {
	known, err := m.settingsOf(r)
	if err != nil {
		return err
	}
	build, err := r.Read(output.Path(known.Files.Build))
	if err != nil {
		return err
	}
	m.reported = output.Generated(build)
	if !m.reported && m.apply {
		return m.problem(fmt.Errorf("no workflow here reports the check %q, so a rule that requires it would block everything\n"+
			"hint: run \"garnix2gha generate\", and commit and push the result first", diag.Printable(known.Names.Aggregate)))
	}
	m.move.Aggregate = known.Names.Aggregate
	if m.move.Posted, err = m.posted(r, known); err != nil {
		return err
	}
	_, done := m.progress("asking GitHub")
	defer done()
	hub, err := github.Open(ctx, m.dir, m.repository)
	if err != nil {
		return err
	}
	rules, err := hub.Rules(ctx, &m.move)
	if err != nil {
		return err
	}
	var failed error
	for i := range rules {
		if rule := &rules[i]; m.apply && failed == nil && rule.Waits && rule.Own {
			m.elsewhere = "the same command without --apply shows what was changed"
			failed = hub.Move(ctx, rule)
		}
	}
	done()
	waiting := slices.ContainsFunc(rules, func(r github.Rule) bool { return r.Waits && !r.Moved })
	return cmp.Or(m.print(hub, rules), failed, failing(waiting))
}

// posted knows the statuses that the workflows post: where the targets are listed at run time, those of any target.
func (m *ruleMover) posted(r *repo.Repo, known *settings.Settings) (func(string) bool, error) {
	if !known.Statuses {
		return func(string) bool { return false }, nil
	}
	model, err := m.decide(r)
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, target := range model.Selection.Targets {
		names[target.Attr.CheckName()] = true
	}
	return func(name string) bool {
		return names[name] || model.Plan.Strategy == settings.Dynamic && flake.GarnixCheck(name) == flake.TargetCheck
	}, nil
}

func (m *ruleMover) print(hub *github.Repository, rules []github.Rule) error {
	if m.format == "json" {
		return m.printJSON(map[string]any{"repository": hub.Name, "aggregate": m.move.Aggregate, "rules": nonNil(rules)})
	}
	waiting, moved := 0, 0
	for _, rule := range rules {
		if rule.Waits {
			waiting++
			m.printRule(rule)
		}
		if rule.Moved {
			moved++
		}
	}
	m.notice(hub, rules)
	switch {
	case waiting == 0:
		fmt.Fprintln(m.stderr, "no rule waits for garnix")
	case m.apply:
		fmt.Fprintf(m.stderr, "%d of %s moved\n", moved, plural(waiting, "rule"))
	default:
		fmt.Fprintf(m.stderr, "waiting for garnix: %s; --apply makes these changes\n", plural(waiting, "rule"))
	}
	return nil
}

// notice says what a person should know beside the changes.
func (m *ruleMover) notice(hub *github.Repository, rules []github.Rule) {
	say := func(format string, args ...any) { fmt.Fprintf(m.stderr, "notice: "+format+"\n", args...) }
	if !m.reported {
		say(`no workflow here reports the check %q yet: run "garnix2gha generate", and commit and push the result first`, diag.Printable(m.move.Aggregate))
	}
	if !hub.Admin {
		say("branch protections of %s are shown to its administrators alone, which this login is not", hub)
	}
	for _, rule := range rules {
		statuses := false
		for _, check := range rule.After {
			statuses = statuses || m.move.Posted(check.Name)
			if flake.GarnixCheck(check.Name) == flake.ActionCheck && check.App == 0 {
				say("%s requires %q; if only garnix reported it, take it out at %s", rule, diag.Printable(check.Name), diag.Printable(rule.URL))
			}
		}
		if statuses {
			say("%s requires statuses of single targets, which no pull request from a fork gets", rule)
		}
	}
}

// printRule shows which checks a rule no longer requires, and which it requires instead.
func (m *ruleMover) printRule(rule github.Rule) {
	fmt.Fprintln(m.stdout, rule)
	only := func(mark string, list, others []github.Check) {
		for _, check := range list {
			if !slices.ContainsFunc(others, func(c github.Check) bool { return c.Name == check.Name && c.App == check.App }) {
				fmt.Fprintf(m.stdout, "  %s %s (%s)\n", mark, diag.Printable(check.Name), m.app(check.App))
			}
		}
	}
	only("-", rule.Checks, rule.After)
	only("+", rule.After, rule.Checks)
	if !rule.Own {
		fmt.Fprintf(m.stdout, "  only an owner of %s can change it; ask one to do so at %s\n", diag.Printable(rule.Source), diag.Printable(cmp.Or(rule.URL, "its settings")))
	}
}

// app names the one app that may report a check.
func (m *ruleMover) app(id int64) string {
	switch id {
	case 0:
		return "any app"
	case m.move.Actions.ID:
		return "GitHub Actions"
	case m.move.Garnix.ID:
		return "garnix-ci"
	}
	return fmt.Sprintf("app %d", id)
}
