package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"garnix2gha/cmd/internal/secretsource"
	"garnix2gha/generator"
	"garnix2gha/generator/settings"
)

// sources returns where the secrets are, by the names under which the workflows ask for them. Nothing that follows a
// flag is repeated: it may be a secret given by mistake.
func (s *syncer) sources() (map[string]secretsource.Source, error) {
	sources := map[string]secretsource.Source{}
	stdin := ""
	add := func(flag, name, text string) error {
		source, err := secretsource.ParseSource(text)
		if err != nil {
			return usagef("--%s: %w", flag, err)
		}
		if source.Kind == secretsource.Stdin {
			if stdin != "" {
				return usagef("--%s: standard input is read for --%s already", flag, stdin)
			}
			stdin = flag
		}
		// Names that differ in case only are one name to GitHub.
		if slices.ContainsFunc(slices.Collect(maps.Keys(sources)), func(n string) bool { return strings.EqualFold(n, name) }) {
			return usagef("--%s: there is another source of the secret %s already", flag, name)
		}
		sources[name] = source
		return nil
	}
	for _, secret := range []struct{ flag, name, text, key string }{
		{"token", s.known.Cache.TokenSecret, s.tokenSource, "cache.token-secret"},
		{"signing-key", signingKeySecret(s.known), s.signingKey, "cache.signing-key-secret"},
	} {
		switch {
		case secret.text == "":
		case secret.name == "":
			return nil, usagef("--%s: the workflows use no such secret; set %s in the settings first", secret.flag, secret.key)
		default:
			if err := add(secret.flag, secret.name, secret.text); err != nil {
				return nil, err
			}
		}
	}
	if len(s.actionKeys) == 0 {
		return sources, nil
	}
	names, err := s.actionSecrets()
	if err != nil {
		return nil, err
	}
	for _, text := range s.actionKeys {
		action, source, ok := strings.Cut(text, "=")
		if !ok {
			return nil, usagef("--action-key: want ACTION=SOURCE")
		}
		name, known := names[action]
		if !known {
			return nil, usagef("--action-key: the configuration has no action of that name; a flake's own configuration is known from the lock")
		}
		if err := add("action-key", name, source); err != nil {
			return nil, err
		}
	}
	return sources, nil
}

func signingKeySecret(s *settings.Settings) string {
	switch backend := s.Cache.Backend.(type) {
	case settings.Cachix:
		return backend.SigningKeySecret
	case settings.Store:
		return backend.SigningKeySecret
	}
	return ""
}

// actionSecrets returns the names of the secrets with the actions' age keys, by action.
func (s *syncer) actionSecrets() (map[string]string, error) {
	r, _, err := s.open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	in, err := s.input(r)
	if err != nil {
		return nil, err
	}
	model := generator.Decide(in)
	if model.Diags.HasErrors() {
		if err := s.printDiagnostics(model.Diags); err != nil {
			return nil, err
		}
		return nil, errProblems
	}
	names := map[string]string{}
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
