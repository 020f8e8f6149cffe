// Which secrets and variable the workflows need, where their values are, and whether a token is fit for CI.

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"garnix2gha/cmd/internal/cachix"
	"garnix2gha/cmd/internal/github"
	"garnix2gha/cmd/internal/repo"
	"garnix2gha/cmd/internal/restapi"
	"garnix2gha/cmd/internal/secretsource"
	"garnix2gha/generator/settings"
)

// wanted is what the workflows need of GitHub, with the values that are at hand.
func (s *syncer) wanted(ctx context.Context, r *repo.Repo) ([]github.Change, error) {
	needed, err := s.needed(r)
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
	reader := secretsource.Reader{Getenv: s.getenv, Stdin: s.stdin, Stderr: s.stderr}
	var wanted []github.Change
	for _, name := range needed {
		change := github.Change{Kind: github.Secret, Name: name}
		if source, ok := sources[name]; ok {
			if change.Value, err = reader.Read(ctx, source); err != nil {
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
func (s *syncer) needed(r *repo.Repo) ([]string, error) {
	cache := s.known.Cache
	names := []string{cache.TokenSecret, cache.SigningKeySecret, cache.AccessKeySecret, cache.SecretKeySecret, s.known.Nix.AccessTokenSecret}
	if r != nil {
		model, err := s.decide(r)
		if err != nil {
			return nil, err
		}
		if model.Plan.Actions != nil {
			for _, job := range model.Plan.Actions.Jobs {
				names = append(names, job.Secret)
			}
		}
	}
	var once []string // GitHub takes names that differ in case for one
	for _, name := range names {
		if name != "" && !slices.ContainsFunc(once, func(other string) bool { return strings.EqualFold(name, other) }) {
			once = append(once, name)
		}
	}
	return once, nil
}

// sources are the places of values by the needed secret's name. No error repeats what a flag was given: it may be a secret.
func (s *syncer) sources(needed []string) (map[string]secretsource.Source, error) {
	given := s.given
	if s.tokenFrom != "" {
		given = append([]string{s.known.Cache.TokenSecret + "=" + s.tokenFrom}, given...)
	}
	sources := map[string]secretsource.Source{}
	stdin := false
	for i, text := range given {
		flag := "--secret"
		if i == 0 && s.tokenFrom != "" {
			flag = "--token"
		}
		name, place, _ := strings.Cut(text, "=")
		if place == "" {
			return nil, usagef("%s: want NAME=SOURCE", flag)
		}
		at := slices.IndexFunc(needed, func(other string) bool { return strings.EqualFold(name, other) })
		if at < 0 {
			return nil, usagef("%s: the workflows use no such secret; without flags this command lists those that they use", flag)
		}
		source, err := secretsource.ParseSource(place)
		_, twice := sources[needed[at]]
		switch {
		case err != nil:
			return nil, usagef("%s: %w", flag, err)
		case twice:
			return nil, usagef("%s: there is another source of the secret %s already", flag, needed[at])
		case source.Kind == secretsource.Stdin && stdin:
			return nil, usagef("%s: standard input is read for another secret already", flag)
		}
		stdin = stdin || source.Kind == secretsource.Stdin
		sources[needed[at]] = source
	}
	return sources, nil
}

// variable returns the name of a Cachix cache, and that of the variable that tells it to the workflows; "" is none.
func (s *syncer) variable() (cache, variable string, err error) {
	known, ok := s.known.Cache, s.known.Cache.Backend == settings.Cachix
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
	case known.Name == "":
		s.warnings = append(s.warnings, "GitHub gives pull requests from forks no variables, so theirs build without the cache; "+
			`"garnix2gha init --cache `+cmp.Or(cache, "NAME")+`" writes the name into the settings`)
	case known.Name != cache:
		s.warnings = append(s.warnings, fmt.Sprintf("the workflows use %s, which the settings name, whatever the variable says", known.Name))
	}
	return cache, known.NameVariable, err
}

// judge looks at a Cachix token before it goes where CI runs. Whether it is account-wide is told by Cachix alone; where
// Cachix cannot be asked the user is warned and decides.
func (s *syncer) judge(ctx context.Context, cache string, token secretsource.Value) error {
	if s.known.Cache.Backend != settings.Cachix {
		return nil
	}
	show, done := s.progress("asking Cachix")
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

func (s *syncer) refuse(why string) error {
	return s.problem(fmt.Errorf("refused to store the token: %s\n"+
		"hint: make a token for one cache with write permission; \"garnix2gha cache inspect\" tells where", why))
}
