package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
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
	s := &syncer{service: service{options: o}}
	command := &cobra.Command{
		Use:   "sync",
		Short: "Bring GitHub's variable and secrets up to date",
		Long: `Compare the variable with the cache's name, and the secrets of the workflows, with what the
repository's Actions have, and say what would change: create, update, unchanged, or unknown for
a secret that is there already, since GitHub shows no value. With --apply it is changed. Values
are never printed; secrets travel in sealed boxes that only GitHub opens.

A SOURCE is env:NAME, file:PATH, stdin, age:PATH (with --identity) or sops:PATH#KEY. Names come
from the settings. The GitHub token is $GH_TOKEN, $GITHUB_TOKEN, or what "gh auth token" prints;
$GITHUB_API_URL names the API of an Enterprise Server.

A Cachix token is looked at first, and an account-wide one is refused: whoever can change a
workflow could do everything with every cache of the account.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return s.run(cmd.Context()) },
	}
	flags := command.Flags()
	flags.StringVar(&s.repository, "repo", "", "OWNER/NAME (default: that of git's remote origin)")
	flags.StringVar(&s.environment, "environment", "", "put them into this environment instead of the repository")
	flags.StringVar(&s.cache, "cache-name", "", "value of the variable (default: the settings' cache, then $"+nameVariable+")")
	flags.StringVar(&s.tokenSource, "token", "", "SOURCE of the cache's token, never the token itself")
	flags.StringVar(&s.signingKey, "signing-key", "", "SOURCE of the cache's signing key")
	flags.StringArrayVar(&s.actionKeys, "action-key", nil, "ACTION=SOURCE of the age key of a garnix action; may be repeated")
	flags.StringArrayVar(&s.identities, "identity", nil, "file of age identities that open age files; may be repeated")
	flags.BoolVar(&s.apply, "apply", false, "make the changes")
	flags.BoolVar(&s.accountWide, "allow-account-wide", false, "store an account-wide Cachix token all the same")
	return command
}

// syncer is what shall stand in GitHub, as the command line says it.
type syncer struct {
	service
	repository, environment string
	cache                   string
	tokenSource, signingKey string
	actionKeys              []string
	apply, accountWide      bool
	known                   *settings.Settings
	warnings                []string
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
	desired, err := s.desired(ctx)
	if err != nil {
		return err
	}
	if s.format != "json" {
		for _, warning := range s.warnings {
			fmt.Fprintf(s.stderr, "warning: %s\n", diag.Printable(warning))
		}
	}
	host := s.host()
	if desired.Owner, desired.Repo, err = s.target(ctx, host); err != nil {
		return err
	}
	token, err := s.githubToken(ctx, host)
	if err != nil {
		return err
	}
	show, done := s.progress()
	client := github.Client{BaseURL: s.getenv("GITHUB_API_URL"), Token: token, Sleep: s.sleep, Waiting: waiting(show)}
	changes, err := client.Plan(ctx, desired)
	var applied []github.Change
	if err == nil && s.apply {
		applied, err = client.Apply(ctx, changes)
	}
	done()
	result := syncJSON{
		Repository: desired.Owner + "/" + desired.Repo, Environment: desired.Environment,
		Changes: nonNil(changes), Applied: nonNil(applied), Warnings: nonNil(s.warnings),
	}
	if changes != nil {
		if err := s.print(result); err != nil {
			return err
		}
	}
	return hinted(err)
}

// desired reads the secrets, after everything that can be said without them.
func (s *syncer) desired(ctx context.Context) (github.Desired, error) {
	desired := github.Desired{
		Environment: s.environment, Variables: map[string]string{}, Secrets: map[string]secretsource.Value{},
	}
	sources, err := s.sources()
	if err != nil {
		return desired, err
	}
	name, err := s.variable(desired.Variables)
	if err != nil {
		return desired, err
	}
	if len(sources)+len(desired.Variables) == 0 {
		return desired, usagef("nothing to do: give --cache-name, --token, --signing-key or --action-key")
	}
	reader := s.reader(s.identities)
	for _, secret := range slices.Sorted(maps.Keys(sources)) {
		if desired.Secrets[secret], err = reader.Read(ctx, sources[secret]); err != nil {
			return desired, err
		}
	}
	if s.tokenSource == "" {
		return desired, nil
	}
	return desired, s.judge(ctx, name, desired.Secrets[s.known.Cache.TokenSecret])
}

// variable adds the variable that names a Cachix cache, and returns the cache's name.
func (s *syncer) variable(variables map[string]string) (string, error) {
	backend, ok := s.known.Cache.Backend.(settings.Cachix)
	switch {
	case !ok && s.cache != "":
		return "", usagef("--cache-name is for Cachix, and the settings name another backend")
	case !ok:
		return "", nil
	case restapi.HoldsToken(s.cache):
		return "", usagef("--cache-name: that is a token; everyone can read a variable")
	}
	name, err := s.cacheName(s.known, s.cache)
	if err != nil || name == "" {
		return "", err
	}
	if backend.Name != "" && backend.Name != name {
		s.warnings = append(s.warnings, fmt.Sprintf("the workflows use %s, which the settings name, whatever the variable says", backend.Name))
	}
	variables[backend.NameVariable] = name
	return name, nil
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
		refusal, known := errors.AsType[*cachix.Error](err)
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
		}
		if change.Action != github.Unchanged {
			pending++
		}
		if slices.ContainsFunc(result.Applied, func(c github.Change) bool { return c.Kind == change.Kind && c.Name == change.Name }) {
			note = "done"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", change.Kind, diag.Printable(change.Name), change.Action, diag.Printable(change.Where), note)
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

// hinted puts the next step of GitHub's refusals on a line of its own.
func hinted(err error) error {
	if refusal, ok := errors.AsType[*github.Error](err); ok && refusal.Hint != "" {
		return fmt.Errorf("%w\nhint: %s", err, strings.ReplaceAll(refusal.Hint, "\n", " "))
	}
	return err
}
