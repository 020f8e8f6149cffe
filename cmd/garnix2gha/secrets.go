// Secrets sync: the variable and the secrets that the workflows read, brought into GitHub.

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"garnix2gha/cmd/internal/cachix"
	"garnix2gha/cmd/internal/github"
	"garnix2gha/cmd/internal/repo"
	"garnix2gha/cmd/internal/restapi"
	"garnix2gha/cmd/internal/secretsource"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/settings"
)

func newSecrets(o *options) *cobra.Command {
	command := &cobra.Command{Use: "secrets", Short: "Put the variable and the secrets of the workflows into GitHub"}
	command.AddCommand(newSecretsSync(o))
	return command
}

func newSecretsSync(o *options) *cobra.Command {
	s := &syncer{options: o}
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
  --secret CACHIX_SIGNING_KEY='command:op read op://vault/cachix/key'

The output of CMD is the secret. It is split at spaces, with quotes as in a shell, but no shell
runs it: pipes, $ and ~ mean nothing there. A new key for an action need not touch the disk:
  age-keygen | garnix2gha secrets sync --secret GARNIX_ACTION_KEY_DEPLOY=- --apply

A Cachix token is looked at first, and an account-wide one is refused: whoever can change a
workflow could do everything with every cache of the account.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return s.sync(cmd.Context()) },
	}
	flags := command.Flags()
	flags.StringVar(&s.repository, "repo", "", "[HOST/]OWNER/NAME (default: that of git's remotes)")
	flags.StringVar(&s.cache, "cache-name", "", "value of the variable (default: the settings' cache, then $"+nameVariable+")")
	flags.StringVar(&s.tokenFrom, "token", "", "SOURCE of the cache's token, never the token itself")
	flags.StringArrayVar(&s.given, "secret", nil, "NAME=SOURCE of any secret that the workflows need; may be repeated")
	flags.BoolVar(&s.apply, "apply", false, "make the changes")
	return command
}

// syncer is what shall stand in GitHub, as the command line says it.
type syncer struct {
	*options
	repository, cache, tokenFrom string
	given                        []string // "NAME=SOURCE"
	apply                        bool

	known    *settings.Settings
	warnings []string
}

// syncJSON is the JSON of secrets sync.
type syncJSON struct {
	Repository string          `json:"repository"`
	Changes    []github.Change `json:"changes"`
	Applied    []github.Change `json:"applied"` // empty in a dry run
	Warnings   []string        `json:"warnings"`
}

func (s *syncer) sync(ctx context.Context) error {
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
	changes, err := hub.Plan(ctx, wanted)
	if err != nil {
		return err
	}
	var applied []github.Change
	if s.apply {
		applied, err = hub.Apply(ctx, changes)
	}
	return cmp.Or(s.print(syncJSON{hub.Name, nonNil(changes), nonNil(applied), nonNil(s.warnings)}), err)
}

// wanted is what the workflows need of GitHub, with the values that are at hand.
func (s *syncer) wanted(ctx context.Context) ([]github.Change, error) {
	needed, err := s.needed()
	if err != nil {
		return nil, err
	}
	sources, err := s.sources(needed)
	if err != nil {
		return nil, err
	}
	cache, variable, err := s.variable()
	if err != nil {
		return nil, err
	}
	var wanted []github.Change
	for _, name := range needed {
		change := github.Change{Kind: github.Secret, Name: name}
		if source, ok := sources[name]; ok {
			if change.Value, err = s.reader().Read(ctx, source); err != nil {
				return nil, err
			}
			if name == s.known.Cache.TokenSecret {
				if err := s.judge(ctx, cache, change.Value); err != nil {
					return nil, err
				}
			}
		}
		wanted = append(wanted, change)
	}
	if variable != "" {
		wanted = append(wanted, github.Change{Kind: github.Variable, Name: variable, Value: secretsource.NewValue(cache)})
	}
	return wanted, nil
}

// needed lists the secrets that the workflows ask for, the cache's and the age keys of actions, each once.
func (s *syncer) needed() ([]string, error) {
	cache := s.known.Cache
	names := []string{cache.TokenSecret}
	switch backend := cache.Backend.(type) {
	case settings.Cachix:
		names = append(names, backend.SigningKeySecret)
	case settings.Store:
		names = append(names, backend.SigningKeySecret)
		if backend.S3 != nil {
			names = append(names, backend.S3.AccessKey, backend.S3.SecretKey)
		}
	}
	names = append(names, s.known.Nix.AccessTokenSecret)
	err := s.within(func(r *repo.Repo) error {
		model, err := s.decide(r)
		if err == nil && model.Plan.Actions != nil {
			for _, job := range model.Plan.Actions.Jobs {
				names = append(names, job.Secret)
			}
		}
		return err
	})
	if err != nil && !errors.Is(err, repo.ErrNoRoot) {
		return nil, err
	}
	var once []string
	for _, name := range names {
		if name != "" && !slices.ContainsFunc(once, func(other string) bool { return same(name, other) }) {
			once = append(once, name)
		}
	}
	return once, nil
}

// same reports whether GitHub takes two names for one.
func same(a, b string) bool { return strings.EqualFold(a, b) }

// sources are the places of values, by the needed secret's name. Nothing that follows a flag is repeated in an error: it
// may be a secret given by mistake.
func (s *syncer) sources(needed []string) (map[string]secretsource.Source, error) {
	sources := map[string]secretsource.Source{}
	stdin := false
	add := func(flag, name, text string) error {
		at := slices.IndexFunc(needed, func(other string) bool { return name != "" && same(name, other) })
		if at < 0 {
			return usagef("%s: the workflows use no such secret; without flags this command lists those that they use", flag)
		}
		source, err := secretsource.ParseSource(text)
		_, twice := sources[needed[at]]
		switch {
		case err != nil:
			return usagef("%s: %w", flag, err)
		case twice:
			return usagef("%s: there is another source of the secret %s already", flag, needed[at])
		case source.Kind == secretsource.Stdin && stdin:
			return usagef("%s: standard input is read for another secret already", flag)
		}
		stdin = stdin || source.Kind == secretsource.Stdin
		sources[needed[at]] = source
		return nil
	}
	if s.tokenFrom != "" {
		if err := add("--token", s.known.Cache.TokenSecret, s.tokenFrom); err != nil {
			return nil, err
		}
	}
	for _, given := range s.given {
		name, text, _ := strings.Cut(given, "=")
		if text == "" {
			return nil, usagef("--secret: want NAME=SOURCE")
		}
		if err := add("--secret", name, text); err != nil {
			return nil, err
		}
	}
	return sources, nil
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

// refuse refuses an account-wide token.
func (s *syncer) refuse(why string) error {
	return s.problem(fmt.Errorf("refused to store the token: %s\n"+
		"hint: make a token for one cache with write permission; \"garnix2gha cache inspect\" tells where", why))
}

func (s *syncer) print(result syncJSON) error {
	if s.format == "json" {
		return s.printJSON(result)
	}
	w := table(s.stdout)
	pending := 0
	for _, change := range result.Changes {
		note := ""
		switch change.Action {
		case github.Unknown:
			note = "there already, to be replaced: GitHub shows no value"
		case github.Update:
			note = "has another value"
		case github.Missing:
			note = "not set; give it with " + s.flag(change)
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
