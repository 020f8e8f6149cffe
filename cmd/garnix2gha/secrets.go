// Secrets sync: the variable and the secrets that the workflows read, brought into GitHub.

package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"garnix2gha/cmd/internal/github"
	"garnix2gha/cmd/internal/repo"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/settings"
)

func newSecrets(o *options) *cobra.Command {
	s := &syncer{options: o}
	sync := &cobra.Command{
		Use: "sync",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.anywhere(func(r *repo.Repo) error { return s.sync(cmd.Context(), r) })
		},
	}
	flags := sync.Flags()
	flags.StringVar(&s.repository, "repo", "", "[HOST/]OWNER/NAME (default: that of git's remotes)")
	flags.StringVar(&s.cache, "cache-name", "", "value of the variable (default: the settings' cache, then $"+nameVariable+")")
	flags.StringVar(&s.tokenFrom, "token", "", "SOURCE of the cache's token, never the token itself")
	flags.StringArrayVar(&s.given, "secret", nil, "NAME=SOURCE of any secret that the workflows need; may be repeated")
	flags.StringVar(&s.environment, "environment", "", "of Actions, instead of the repository's own; for jobs that an overlay puts into one")
	flags.BoolVar(&s.apply, "apply", false, "make the changes")
	command := &cobra.Command{Use: "secrets"}
	command.AddCommand(sync)
	return command
}

// syncer is what shall stand in GitHub, as the command line says it.
type syncer struct {
	*options
	repository, cache, tokenFrom, environment string

	given []string // "NAME=SOURCE"
	apply bool

	known    *settings.Settings
	warnings []string
}

func (s *syncer) sync(ctx context.Context, r *repo.Repo) error {
	var err error
	if s.known, err = s.settingsOf(r); err != nil {
		return err
	}
	wanted, err := s.wanted(ctx, r)
	if err != nil {
		return err
	}
	if s.format != "json" {
		s.say("warning", s.warnings)
	}
	if len(wanted) == 0 {
		fmt.Fprintln(s.stderr, "the workflows need neither a secret nor a variable")
		return nil
	}
	_, done := s.progress("asking GitHub")
	defer done()
	hub, err := github.Open(ctx, s.dir, s.repository)
	if err != nil {
		var names []string
		for _, change := range wanted {
			names = append(names, change.Name)
		}
		done()
		fmt.Fprintf(s.stderr, "to be set: %s\n", strings.Join(names, ", "))
		return err
	}
	hub.Environment = s.environment
	changes, err := hub.Plan(ctx, wanted)
	if err != nil {
		return err
	}
	var applied []github.Change
	if s.apply {
		s.elsewhere = "the same command without --apply shows what was changed"
		applied, err = hub.Apply(ctx, changes)
	}
	done()
	return cmp.Or(s.print(hub.Name, changes, applied), err)
}

// print shows the changes, of which the first pending ones were applied: none in a dry run.
func (s *syncer) print(repository string, changes, applied []github.Change) error {
	if s.format == "json" {
		return s.printJSON(map[string]any{
			"repository": repository, "changes": nonNil(changes), "applied": nonNil(applied), "warnings": nonNil(s.warnings),
		})
	}
	w := table(s.stdout)
	pending := 0
	for _, change := range changes {
		note := map[github.Action]string{
			github.Unknown: "there already, to be replaced: GitHub shows no value",
			github.Update:  "has another value",
			github.Missing: "not set; give it with " + s.flag(change),
		}[change.Action]
		if change.Pending() {
			pending++
			if pending <= len(applied) {
				note = "done"
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", change.Kind, diag.Printable(change.Name), change.Action, diag.Printable(change.Where), diag.Printable(note))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	switch {
	case s.apply:
		fmt.Fprintf(s.stderr, "%d of %s made\n", len(applied), plural(pending, "change"))
	case pending > 0:
		fmt.Fprintln(s.stderr, "nothing was changed; --apply makes these changes")
	}
	return nil
}

// flag is what gives the value of a change.
func (s *syncer) flag(change github.Change) string {
	switch {
	case change.Kind == github.Variable:
		return "--cache-name NAME"
	case change.Name == s.known.Cache.TokenSecret:
		return "--token SOURCE"
	}
	return "--secret " + change.Name + "=SOURCE"
}
