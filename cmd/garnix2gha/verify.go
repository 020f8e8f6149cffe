// Cache verify: the outputs of the targets, or store paths, and the cache that is asked for them.

package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"garnix2gha/cmd/internal/bincache"
	"garnix2gha/cmd/internal/nix"
	"garnix2gha/cmd/internal/repo"
	"garnix2gha/cmd/internal/restapi"
	"garnix2gha/generator"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/flake"
	"garnix2gha/generator/settings"
	"garnix2gha/generator/target"
)

// verifier is what is verified, and against which cache.
type verifier struct {
	*options
	at      target.Commit
	closure bool
	paths   string // a file of store paths, "-" for standard input; "" verifies targets
	url     string
	keys    []string
	netrc   string
	show    func(string) // told what goes on; nil where nobody looks

	wanted map[string][]verified // the outputs of the targets by path
	verification
}

func newCacheVerify(o *options) *cobra.Command {
	v := &verifier{options: o, at: target.Commit{All: true}}
	var branch string
	command := &cobra.Command{
		Use: "verify",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("branch") {
				v.at = target.Commit{Branch: branch}
				if v.paths != "" {
					return usagef("--branch or --paths, not both: store paths belong to no branch")
				}
			}
			for _, key := range v.keys {
				if _, err := bincache.ParsePublicKey(key); err != nil {
					return usagef("--public-key: %w", err)
				}
			}
			if err := v.verify(cmd.Context()); err != nil {
				return err
			}
			return cmp.Or(v.printVerification(v.verification), v.verdict())
		},
	}
	flags := command.Flags()
	flags.StringVar(&branch, "branch", "", "only the targets of a push to this branch (default: of all branches together)")
	flags.BoolVar(&v.closure, "closure", false, "also verify what the outputs refer to, and so on")
	flags.StringVar(&v.paths, "paths", "", `verify the store paths in this file, "-" for standard input, instead of targets`)
	flags.StringVar(&v.url, "url", "", "address of another cache")
	flags.StringArrayVar(&v.keys, "public-key", nil, `trusted key, "name-1:base64"; may be repeated`)
	netrcFlag(command, &v.netrc)
	return command
}

func netrcFlag(command *cobra.Command, netrc *string) {
	command.Flags().StringVar(netrc, "netrc", "", "file with the credentials of private caches, as nix's netrc-file")
}

// verify does the work and shows what goes on. The cache is looked at before nix is, which may work for minutes.
func (v *verifier) verify(ctx context.Context) error {
	var done func()
	v.show, done = v.progress("asking the cache")
	defer done()
	open := v.within
	if v.paths != "" {
		open = v.anywhere
	}
	err := open(func(r *repo.Repo) error { return v.against(ctx, r) })
	v.finish()
	return err
}

// against asks the cache about the paths, or about the targets of the repository.
func (v *verifier) against(ctx context.Context, r *repo.Repo) error {
	s, err := v.settingsOf(r)
	if err != nil {
		return err
	}
	a, err := v.find(ctx, s, v.url, v.keys, v.show)
	if err != nil {
		return err
	}
	if a.url == "" {
		return usagef("no cache is known: name it with --url, under cache: in the settings, or in " + nameVariable)
	}
	if len(a.keys) == 0 {
		at := diag.Pos{}
		if a.own {
			at = s.At("cache")
		}
		a.warnings.Warnf(at, "signatures-unchecked", "pass --public-key, or set cache.public-key in the settings",
			"no public key of the cache is known, so signatures are not checked")
	}
	config := bincache.Config{Upstreams: s.Cache.Upstreams, Caller: v.caller(v.show)}
	if v.netrc != "" {
		if config.Caller.Credentials, err = restapi.ReadNetrc(v.netrc); err != nil {
			return err
		}
	}
	client, err := a.login(ctx, config)
	if err != nil {
		return err
	}
	v.Cache.URL, v.Cache.PublicKeys, v.Warnings = client.URL(), nonNil(a.keys), a.warnings
	if v.paths != "" {
		return v.verifyPaths(ctx, client)
	}
	return v.verifyTargets(ctx, r, client)
}

// verifyTargets proves the outputs of the targets.
func (v *verifier) verifyTargets(ctx context.Context, r *repo.Repo, client *bincache.Client) error {
	model, err := v.selected(ctx, r)
	if err != nil {
		return err
	}
	v.wanted = map[string][]verified{}
	if err := v.evaluate(ctx, r, model); err != nil {
		return err
	}
	return v.ask(ctx, client, slices.Values(slices.Sorted(maps.Keys(v.wanted))))
}

// selected decides which targets are verified, as the workflows do: from what is written down if that says everything,
// else the flake is listed. What is wrong with the configuration has been printed when it returns errProblems.
func (v *verifier) selected(ctx context.Context, r *repo.Repo) (generator.Model, error) {
	in, err := v.input(r)
	if err != nil {
		return generator.Model{}, err
	}
	model := decideAt(in, v.at)
	if !model.Diags.HasErrors() && model.Plan.Strategy == settings.Dynamic {
		fresh, err := v.list(ctx, r.Dir(), in, v.show)
		if err != nil {
			return model, err
		}
		if fresh.lock == nil {
			return model, v.sound(fresh.diags)
		}
		in.Lock.Content = fresh.encoded
		model = decideAt(in, v.at)
		v.Warnings = append(v.Warnings, slices.DeleteFunc(fresh.diags, func(d diag.Diagnostic) bool { return d.Severity == diag.Error })...)
	}
	return model, v.sound(model.Diags)
}

// evaluate asks nix for the outputs of the selected targets, and adds those that no cache need be asked about.
func (v *verifier) evaluate(ctx context.Context, r *repo.Repo, model generator.Model) error {
	selected := model.Selection.Targets
	if len(selected) == 0 {
		return nil
	}
	f, err := nix.New(v.show).OpenConfigured(ctx, r.Dir(), model.Config)
	if err != nil {
		return err
	}
	if f.WroteLock {
		lockWritten(&v.Warnings)
	}
	attrs := make([]flake.AttrPath, len(selected))
	for i, t := range selected {
		attrs[i] = t.Attr
	}
	described, err := f.Describe(ctx, attrs)
	if err != nil {
		return err
	}
	found := false
	for i, d := range described {
		if d.Missing {
			v.Warnings.Warnf(selected[i].Matcher.Pos, "target-missing", `correct garnix.yaml, or run "garnix2gha snapshot" if a lock names it`,
				"%s is selected, and the flake has no such output", d.Attr)
			continue
		}
		for _, output := range evaluated(selected[i], d) {
			found = true
			if output.Path == "" {
				v.add(output)
			} else {
				v.wanted[output.Path] = append(v.wanted[output.Path], output)
			}
		}
	}
	if !found {
		return fmt.Errorf("the flake has none of the %s, so nothing was verified", plural(len(selected), "selected target"))
	}
	return nil
}

// verifyPaths proves store paths.
func (v *verifier) verifyPaths(ctx context.Context, client *bincache.Client) error {
	list := v.stdin
	if v.paths != "-" {
		file, err := os.Open(v.paths)
		if err != nil {
			return err
		}
		defer file.Close()
		list = file
	}
	scanner := bufio.NewScanner(list)
	words := func(yield func(string) bool) {
		for scanner.Scan() {
			if path := strings.TrimSpace(scanner.Text()); path != "" && !yield(path) {
				return
			}
		}
	}
	err := v.ask(ctx, client, words)
	switch {
	case err != nil:
		return err
	case scanner.Err() != nil:
		return fmt.Errorf("read store paths: %w", scanner.Err())
	case v.Summary == (verifiedSummary{}):
		// The build whose output was to be verified has failed.
		return errors.New("read store paths: there are none, so nothing was verified")
	}
	return nil
}

// ask asks the cache and shows how far it is.
func (v *verifier) ask(ctx context.Context, client *bincache.Client, paths iter.Seq[string]) error {
	of, done := "", 0
	if total := len(v.wanted); total > 0 && !v.closure {
		of = fmt.Sprintf(" of %d", total)
	}
	err := client.Verify(ctx, paths, v.closure, func(result bincache.Result) {
		outputs := v.wanted[result.Path]
		if outputs == nil { // a path that is no target's output
			outputs = []verified{{}}
		}
		for _, output := range outputs {
			output.Result = result
			v.add(output)
		}
		done++
		if v.show != nil {
			v.show(fmt.Sprintf("verified %d%s paths, %d missing, %d unknown", done, of, v.Summary.Missing, v.Summary.Unknown))
		}
	})
	if err != nil {
		return fmt.Errorf("verify %s: %w", v.Cache.URL, err)
	}
	return nil
}
