package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"garnix2gha/cmd/internal/cachix"
	"garnix2gha/cmd/internal/github"
	"garnix2gha/cmd/internal/restapi"
	"garnix2gha/cmd/internal/secretsource"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/settings"
)

func newSecrets(o *options) *cobra.Command {
	command := &cobra.Command{
		Use:   "secrets",
		Short: "Put the variable and the secrets of the workflows into GitHub",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	command.AddCommand(newSecretsSync(o))
	return command
}

func newSecretsSync(o *options) *cobra.Command {
	s := &syncer{service: service{options: o}, given: map[string]*string{}, flags: map[string]string{}}
	command := &cobra.Command{
		Use:   "sync",
		Short: "Bring GitHub's variable and secrets up to date",
		Long: `Compare what the workflows need, the variable with the cache's name and the secrets of the cache
and of garnix actions, with what the repository's Actions have, and say what would change:
create, update, unchanged, unknown for a secret that is there already (GitHub shows no value),
or missing where no flag says where the value is. With --apply it is changed. Values are never
printed.

GitHub is asked through its program gh: "gh auth login" logs in, $GH_TOKEN is a token instead,
and the repository is the one that gh takes from git's remotes, or --repo.

A SOURCE is ` + secretsource.Forms + `:
  --token 'command:sops -d token.enc'
  --token "command:sops -d --extract '[\"token\"]' secrets.yaml"
  --token 'command:op read op://vault/cachix/token'
The output of CMD is the secret. It is split at spaces, with quotes as in a shell, but no shell
runs it: pipes, $ and ~ mean nothing there. A new key for an action need not touch the disk:
  age-keygen | garnix2gha secrets sync --action-key deploy=- --apply

A Cachix token is looked at first, and an account-wide one is refused: whoever can change a
workflow could do everything with every cache of the account.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return s.run(cmd.Context()) },
	}
	flags := command.Flags()
	flags.StringVar(&s.repository, "repo", "", "[HOST/]OWNER/NAME (default: that of git's remotes)")
	flags.StringVar(&s.environment, "environment", "", "put them into this environment instead of the repository")
	flags.StringVar(&s.cache, "cache-name", "", "value of the variable (default: the settings' cache, then $"+nameVariable+")")
	for _, f := range secretFlags() {
		s.given[f.flag] = flags.String(f.flag, "", "SOURCE of "+f.what)
	}
	flags.StringArrayVar(&s.actionKeys, "action-key", nil, "ACTION=SOURCE of the age key of a garnix action; may be repeated")
	flags.BoolVar(&s.apply, "apply", false, "make the changes")
	flags.BoolVar(&s.accountWide, "allow-account-wide", false, "store an account-wide Cachix token all the same")
	return command
}

// syncer is what shall stand in GitHub, as the command line says it.
type syncer struct {
	service
	repository, environment string
	cache                   string
	given                   map[string]*string // the values of secretFlags
	actionKeys              []string           // "ACTION=SOURCE"
	apply, accountWide      bool

	known    *settings.Settings
	flags    map[string]string // by the name of a variable or secret: what gives its value
	warnings []string
}

// syncJSON is the JSON of secrets sync.
type syncJSON struct {
	Repository  string          `json:"repository"`
	Environment string          `json:"environment"`
	Changes     []github.Change `json:"changes"`
	Applied     []github.Change `json:"applied"` // empty in a dry run
	Warnings    []string        `json:"warnings"`
}

func (s *syncer) run(ctx context.Context) error {
	var err error
	if s.known, err = s.settings(); err != nil {
		return err
	}
	wanted, err := s.wanted(ctx)
	if err != nil {
		return err
	}
	if s.format != "json" {
		for _, warning := range s.warnings {
			fmt.Fprintf(s.stderr, "warning: %s\n", diag.Printable(warning))
		}
	}
	if len(wanted) == 0 {
		fmt.Fprintln(s.stderr, "the workflows need neither a secret nor a variable")
		return nil
	}
	hub, err := github.Open(ctx, s.dir, s.repository)
	if err != nil {
		return err
	}
	hub.Environment = s.environment
	changes, err := hub.Plan(ctx, wanted)
	if err != nil {
		return err
	}
	var applied []github.Change
	if s.apply {
		applied, err = hub.Apply(ctx, changes)
	}
	printed := s.print(syncJSON{
		Repository: hub.Name, Environment: s.environment,
		Changes: nonNil(changes), Applied: nonNil(applied), Warnings: nonNil(s.warnings),
	})
	return cmp.Or(printed, err)
}

// variable returns the name of a Cachix cache, and that of the variable that tells it to the workflows; "" is none.
func (s *syncer) variable() (cache, variable string, err error) {
	backend, ok := s.known.Cache.Backend.(settings.Cachix)
	switch {
	case !ok && s.cache != "":
		return "", "", usagef("--cache-name is for Cachix, and the settings name another backend")
	case !ok:
		return "", "", nil
	case restapi.HoldsToken(s.cache):
		return "", "", usagef("--cache-name: that is a token; everyone can read a variable")
	}
	cache, err = s.cacheName(s.known, s.cache)
	switch {
	case err != nil:
	case backend.Name == "":
		s.warnings = append(s.warnings, "GitHub gives pull requests from forks no variables, so theirs build without the cache; "+
			`"garnix2gha init --cache `+cmp.Or(cache, "NAME")+`" writes the name into the settings`)
	case backend.Name != cache:
		s.warnings = append(s.warnings, fmt.Sprintf("the workflows use %s, which the settings name, whatever the variable says", backend.Name))
	}
	return cache, backend.NameVariable, err
}

// judge looks at a Cachix token before it goes where CI runs. Whether it is account-wide is told by Cachix alone; where
// Cachix cannot be asked the user is warned and decides.
func (s *syncer) judge(ctx context.Context, cache string, token secretsource.Value) error {
	if _, ok := s.known.Cache.Backend.(settings.Cachix); !ok {
		return nil
	}
	show, done := s.progress()
	defer done()
	client := s.client(token, show)
	if cache == "" {
		account, err := client.User(ctx)
		refusal, known := errors.AsType[*restapi.Fault](err)
		switch {
		case err == nil:
			return s.refuse("the token can do everything with every cache of " + account.String())
		case ctx.Err() != nil:
			return ctx.Err()
		case !known || !refusal.Refused():
			s.warnings = append(s.warnings, "whether the token is account-wide could not be established: "+err.Error())
		}
		return nil
	}
	in, err := client.Inspect(ctx, cache)
	switch {
	case err != nil:
		return err
	case in.Verdict == cachix.AccountWide:
		return s.refuse(in.Summary())
	case !in.FitForCI:
		text := "the token may not be right for CI: " + in.Summary()
		if !in.Settled() && len(in.Established) > 0 {
			text += " (" + in.Established[len(in.Established)-1] + ")"
		}
		s.warnings = append(s.warnings, text)
	}
	s.warnings = append(s.warnings, in.Warnings...)
	return nil
}

// refuse refuses an account-wide token, unless told otherwise.
func (s *syncer) refuse(why string) error {
	if s.accountWide {
		s.warnings = append(s.warnings, why+", and is stored because of --allow-account-wide")
		return nil
	}
	return s.problem(fmt.Errorf("refused to store the token: %s\n"+
		"hint: make a token for one cache with write permission; \"garnix2gha cache inspect\" tells where", why))
}

func (s *syncer) print(result syncJSON) error {
	if s.format == "json" {
		return s.printJSON(result)
	}
	w := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
	pending := 0
	for _, change := range result.Changes {
		note := ""
		switch change.Action {
		case github.Unknown:
			note = "there already, to be replaced: GitHub shows no value"
		case github.Update:
			note = "has another value"
		case github.Missing:
			note = "not set; give it with " + s.flags[change.Name]
		}
		if change.Pending() {
			pending++
		}
		if slices.ContainsFunc(result.Applied, func(c github.Change) bool { return c.Kind == change.Kind && c.Name == change.Name }) {
			note = "done"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", change.Kind, diag.Printable(change.Name), change.Action, diag.Printable(change.Where), diag.Printable(note))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	switch {
	case s.apply:
		fmt.Fprintf(s.stderr, "%d of %s made\n", len(result.Applied), plural(pending, "change"))
	case pending > 0:
		fmt.Fprintln(s.stderr, "nothing was changed; --apply makes these changes")
	}
	return nil
}
