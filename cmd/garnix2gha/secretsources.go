package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"garnix2gha/cmd/internal/github"
	"garnix2gha/cmd/internal/repo"
	"garnix2gha/cmd/internal/secretsource"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/settings"
)

// secretFlag is a flag that says where a secret's value is, and the setting that names the secret.
type secretFlag struct {
	flag, what, setting string
	name                func(*settings.Settings) string // "" means that the workflows use no such secret
}

func secretFlags() []secretFlag {
	s3 := func(s *settings.Settings) settings.S3Secrets {
		if store, ok := s.Cache.Backend.(settings.Store); ok && store.S3 != nil {
			return *store.S3
		}
		return settings.S3Secrets{}
	}
	return []secretFlag{
		{"token", "the cache's token, never the token itself", "cache.token-secret", func(s *settings.Settings) string { return s.Cache.TokenSecret }},
		{"signing-key", "the cache's signing key", "cache.signing-key-secret", func(s *settings.Settings) string {
			switch backend := s.Cache.Backend.(type) {
			case settings.Cachix:
				return backend.SigningKeySecret
			case settings.Store:
				return backend.SigningKeySecret
			}
			return ""
		}},
		{"access-key", "the id of the access key to an S3 store", "cache.access-key-secret", func(s *settings.Settings) string { return s3(s).AccessKey }},
		{"secret-key", "the secret half of that access key", "cache.secret-key-secret", func(s *settings.Settings) string { return s3(s).SecretKey }},
		{"access-token", "the token that reads private flake inputs", "nix.access-token-secret", func(s *settings.Settings) string { return s.Nix.AccessTokenSecret }},
	}
}

// need is a secret that the workflows ask for.
type need struct {
	name   string               // as the workflows ask for it
	flag   string               // what says where the value is
	source *secretsource.Source // nil if it was not said
}

// needs lists the secrets of the workflows: the cache's, and the age keys of actions. Nothing that follows a flag is
// repeated in an error: it may be a secret given by mistake.
func (s *syncer) needs() ([]need, error) {
	var needs []need
	stdin := ""
	add := func(flag, name, text string) error {
		n := need{name: name, flag: "--" + flag}
		if text != "" {
			source, err := secretsource.ParseSource(text)
			switch {
			case err != nil:
				return usagef("%s: %w", n.flag, err)
			case source.Kind == secretsource.Stdin && stdin != "":
				return usagef("%s: standard input is read for %s already", n.flag, stdin)
			case source.Kind == secretsource.Stdin:
				stdin = n.flag
			}
			n.source = &source
		}
		// Names that differ in case only are one name to GitHub.
		same := slices.IndexFunc(needs, func(other need) bool { return strings.EqualFold(other.name, name) })
		switch {
		case same < 0:
			needs = append(needs, n)
		case needs[same].source == nil:
			needs[same] = n
		case n.source != nil:
			return usagef("%s: %s gives another source of the secret %s already", n.flag, needs[same].flag, name)
		}
		return nil
	}
	for _, f := range secretFlags() {
		name, text := f.name(s.known), s.given[f.flag]
		if name == "" && *text != "" {
			return nil, usagef("--%s: the workflows use no such secret; set %s in the settings first", f.flag, f.setting)
		}
		if name == "" {
			continue
		}
		if err := add(f.flag, name, *text); err != nil {
			return nil, err
		}
	}
	secrets, err := s.actionSecrets()
	if err != nil {
		return nil, err
	}
	sources := map[string]string{}
	for _, text := range s.actionKeys {
		action, source, ok := strings.Cut(text, "=")
		switch {
		case !ok || source == "":
			return nil, usagef("--action-key: want ACTION=SOURCE")
		case secrets[action] == "":
			return nil, usagef("--action-key: the configuration has no action of that name; a flake's own configuration is known from the lock")
		case sources[action] != "":
			return nil, usagef("--action-key: it is given twice for one action")
		}
		sources[action] = source
	}
	for _, action := range slices.Sorted(maps.Keys(secrets)) {
		if err := add("action-key "+diag.Printable(action), secrets[action], sources[action]); err != nil {
			return nil, err
		}
	}
	return needs, nil
}

// wanted is what the workflows need of GitHub, with the values that are at hand.
func (s *syncer) wanted(ctx context.Context) ([]github.Change, error) {
	needs, err := s.needs()
	if err != nil {
		return nil, err
	}
	cache, variable, err := s.variable()
	if err != nil {
		return nil, err
	}
	var wanted []github.Change
	for _, n := range needs {
		change := github.Change{Kind: github.Secret, Name: n.name}
		if n.source != nil {
			if change.Value, err = s.reader().Read(ctx, *n.source); err != nil {
				return nil, err
			}
			if n.flag == "--token" {
				if err := s.judge(ctx, cache, change.Value); err != nil {
					return nil, err
				}
			}
		}
		s.flags[n.name] = n.flag + " SOURCE"
		if strings.HasPrefix(n.flag, "--action-key ") {
			s.flags[n.name] = n.flag + "=SOURCE, if it decrypts anything"
		}
		wanted = append(wanted, change)
	}
	if variable != "" {
		s.flags[variable] = "--cache-name NAME"
		wanted = append(wanted, github.Change{Kind: github.Variable, Name: variable, Value: secretsource.NewValue(cache)})
	}
	return wanted, nil
}

// actionSecrets returns the names of the secrets with the actions' age keys, by action; none outside of a repository.
func (s *syncer) actionSecrets() (map[string]string, error) {
	names := map[string]string{}
	r, _, err := s.open()
	if errors.Is(err, repo.ErrNoRoot) {
		return names, nil
	}
	if err != nil {
		return nil, err
	}
	defer r.Close()
	model, err := s.decide(r)
	if err != nil {
		return nil, err
	}
	if model.Plan.Actions == nil {
		return names, nil
	}
	for _, job := range model.Plan.Actions.Jobs {
		if previous, twice := names[job.Name]; twice && previous != job.Secret {
			return nil, fmt.Errorf("action %q has two secrets", job.Name)
		}
		names[job.Name] = job.Secret
	}
	return names, nil
}
