package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"garnix2gha/cmd/internal/bincache"
	"garnix2gha/cmd/internal/repo"
	"garnix2gha/generator/settings"
	"garnix2gha/generator/target"
)

// verifier is what is verified, and against which cache.
type verifier struct {
	*service
	at      target.Commit
	listing string // one of the listings
	closure bool
	paths   string // a file of store paths, "-" for standard input; "" verifies targets
	cache   string // name of a Cachix cache
	url     string
	keys    []string
	netrc   string
	show    func(string) // told what goes on; nil where nobody looks
}

// How the targets are found.
const (
	listAuto   = "auto"   // as the workflows do: static if everything is known, else with nix
	listStatic = "static" // from the lock and the literal matchers
	listNix    = "nix"    // listed afresh
)

func newCacheVerify(s *service) *cobra.Command {
	v := &verifier{service: s}
	var branch string
	command := &cobra.Command{
		Use:   "verify",
		Short: "Prove that the cache holds every output of every target",
		Long: `Evaluate the targets with nix, and ask the cache over HTTP for each of their outputs: is the
store path there, is it that very path, and is it signed by a key of the cache? The verdict is
in-cache, upstream (a substituter that everybody has serves it), missing or unknown; unknown
means that nobody could be asked, and is never a softer missing.

The cache is that of the settings, or $CACHIX_CACHE_NAME. Without public keys in the settings
Cachix is asked for them. A private cache is read with --netrc, or with the token in
CACHIX_AUTH_TOKEN, which is sent to Cachix only.

With --paths, store paths are verified instead of targets, and neither nix nor a repository is
needed; only what is missing or unknown is listed then.

Exit codes: 0 everything is there, 1 something is missing, 2 wrong usage, 3 something is unknown.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			v.at = target.Commit{All: true}
			if cmd.Flags().Changed("branch") {
				v.at = target.Commit{Branch: branch}
			}
			return v.run(cmd.Context())
		},
	}
	flags := command.Flags()
	flags.StringVar(&branch, "branch", "", "only the targets of a push to this branch (default: of all branches together)")
	flags.StringVar(&v.listing, "targets", listAuto, "auto (as the workflows), static (from the lock and literal matchers), or nix (list afresh)")
	flags.BoolVar(&v.closure, "closure", false, "also verify what the outputs refer to, and so on")
	flags.StringVar(&v.paths, "paths", "", `verify the store paths in this file, "-" for standard input, instead of targets`)
	flags.StringVar(&v.cache, "cache", "", "name of another Cachix cache")
	flags.StringVar(&v.url, "url", "", "address of another cache")
	flags.StringArrayVar(&v.keys, "public-key", nil, `trusted key, "name-1:base64"; may be repeated`)
	flags.StringVar(&v.netrc, "netrc", "", "file with the credentials of private caches, as nix's netrc-file")
	command.MarkFlagsMutuallyExclusive("paths", "branch")
	command.MarkFlagsMutuallyExclusive("paths", "targets")
	return command
}

func (v *verifier) run(ctx context.Context) error {
	if !slices.Contains([]string{listAuto, listStatic, listNix}, v.listing) {
		return usagef("--targets: want auto, static or nix")
	}
	for _, key := range v.keys {
		if _, err := bincache.ParsePublicKey(key); err != nil {
			return usagef("--public-key: %w", err)
		}
	}
	found, err := v.verify(ctx)
	if err != nil {
		return err
	}
	if err := v.printVerification(found); err != nil {
		return err
	}
	return found.verdict()
}

// verify does the work and shows what goes on. The cache is looked at before nix is, which may work for minutes.
func (v *verifier) verify(ctx context.Context) (verification, error) {
	var done func()
	v.show, done = v.progress()
	defer done()
	s := settings.Default()
	r, _, err := v.open()
	if err == nil {
		defer r.Close()
		s, err = v.settingsOf(r)
	}
	if err != nil && (v.paths == "" || !errors.Is(err, repo.ErrNoRoot)) {
		return verification{}, err
	}
	client, found, err := v.access(ctx, s)
	if err != nil {
		return verification{}, err
	}
	if v.paths != "" {
		err = v.verifyPaths(ctx, client, &found)
	} else {
		err = v.verifyTargets(ctx, r, client, &found)
	}
	found.finish()
	return found, err
}

// verifyTargets proves the outputs of the targets.
func (v *verifier) verifyTargets(ctx context.Context, r *repo.Repo, client *bincache.Client, found *verification) error {
	model, err := v.selected(ctx, r, found)
	if err != nil {
		return err
	}
	if err := v.evaluate(ctx, r, model, found); err != nil {
		return err
	}
	outputs, paths := found.byPath()
	return v.ask(ctx, client, found, slices.Values(paths), len(paths), func(result bincache.Result) {
		if outputs[result.Path] == nil {
			found.note(&found.Closure, result)
		}
		for _, output := range outputs[result.Path] {
			output.Verdict, output.Cause, output.Next, output.unasked = result.Verdict, result.Cause, result.Next, result.Unasked
			if result.Unasked {
				found.blame(result)
			}
		}
	})
}

// verifyPaths proves store paths. What is there is counted and not kept: there may be very many.
func (v *verifier) verifyPaths(ctx context.Context, client *bincache.Client, found *verification) error {
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
	err := v.ask(ctx, client, found, words, 0, func(result bincache.Result) {
		if result.From == "" {
			found.note(&found.Paths, result)
		} else {
			found.note(&found.Closure, result)
		}
	})
	switch {
	case err != nil:
		return err
	case scanner.Err() != nil:
		return fmt.Errorf("read store paths: %w", scanner.Err())
	case found.Summary == (verifiedSummary{}):
		// The build whose output was to be verified has failed.
		return errors.New("read store paths: there are none, so nothing was verified")
	}
	return nil
}

// ask asks the cache and shows how far it is; total 0 means that the number of paths is not known.
func (v *verifier) ask(ctx context.Context, client *bincache.Client, found *verification, paths iter.Seq[string], total int, each func(bincache.Result)) error {
	of, done := "", 0
	if total > 0 && !v.closure {
		of = fmt.Sprintf(" of %d", total)
	}
	var seen verifiedSummary
	err := client.Verify(ctx, paths, v.closure, func(result bincache.Result) {
		each(result)
		done++
		seen.add(result.Verdict)
		if v.show != nil {
			v.show(fmt.Sprintf("verified %d%s paths, %d missing, %d unknown", done, of, seen.Missing, seen.Unknown))
		}
	})
	if err != nil {
		return fmt.Errorf("verify %s: %w", found.Cache.URL, err)
	}
	return nil
}
