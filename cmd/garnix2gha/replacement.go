package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"garnix2gha/cmd/internal/bincache"
	"garnix2gha/cmd/internal/leftovers"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/settings"
)

// replacementFlags say which cache takes the place of garnix's.
type replacementFlags struct {
	url    string
	keys   []string
	remove bool
}

func (f *replacementFlags) register(command *cobra.Command) {
	flags := command.Flags()
	flags.StringVar(&f.url, "url", "", "address of the new cache (default: the cache of the settings)")
	flags.StringArrayVar(&f.keys, "public-key", nil, `its public key, "name-1:base64"; may be repeated`)
	flags.BoolVar(&f.remove, "remove", false, "swap in no cache, only take garnix's out")
}

func (f replacementFlags) given() bool { return f.url != "" || len(f.keys) > 0 || f.remove }

func (f replacementFlags) check() error {
	if f.remove && (f.url != "" || len(f.keys) > 0) {
		return usagef("--remove and a new cache exclude each other")
	}
	for _, key := range f.keys {
		if _, err := bincache.ParsePublicKey(key); err != nil {
			return usagef("--public-key: %w", err)
		}
	}
	if err := (leftovers.Replacement{CacheURL: f.url, PublicKeys: f.keys}).Check(); err != nil {
		return usageError{err}
	}
	return nil
}

// replacement is the cache that takes the place of garnix's: the one on the command line, else the settings', else the
// environment's. Zero means that none is known.
func (o *options) replacement(ctx context.Context, s *settings.Settings, f replacementFlags) (leftovers.Replacement, error) {
	a, err := o.newCache(ctx, s, f)
	if err != nil {
		return leftovers.Replacement{}, err
	}
	if err := diag.Text(o.stderr, a.warnings, o.color(o.stderr)); err != nil {
		return leftovers.Replacement{}, err
	}
	if a.url == "" {
		if len(f.keys) > 0 {
			return leftovers.Replacement{}, usagef("--public-key needs --url, or a cache in the settings")
		}
		fmt.Fprintln(o.stderr, "no new cache is known, so garnix's is only taken out where a line holds nothing else; "+nameCacheHint)
	}
	return leftovers.Replacement{CacheURL: a.url, PublicKeys: a.keys}, nil
}

// swaps reports whether a trace is for the new cache to replace.
func swaps(t leftovers.Trace) bool {
	return t.Counted() && (t.Kind == leftovers.KindSubstituter || t.Kind == leftovers.KindKey)
}

// expected is the same as far as nobody has to be asked: a key that only Cachix can tell is stood in for.
func (o *options) expected(s *settings.Settings, f replacementFlags) (leftovers.Replacement, error) {
	if f.remove {
		return leftovers.Replacement{}, nil
	}
	name, err := o.cacheName(s, "")
	r := leftovers.Replacement{CacheURL: cmp.Or(f.url, s.Cache.URL), PublicKeys: s.Cache.PublicKeys}
	if name != "" && r.CacheURL == "" {
		r.CacheURL = cachixURL(name)
	}
	if name != "" && len(r.PublicKeys) == 0 {
		r.PublicKeys = []string{name + ".cachix.org-1:" + strings.Repeat("A", 43) + "="}
	}
	return r, err
}

// newCache finds the new cache's address and keys. A Cachix cache has keys: without them nothing is swapped.
func (o *options) newCache(ctx context.Context, s *settings.Settings, f replacementFlags) (access, error) {
	show, done := o.progress()
	defer done()
	v := &verifier{service: &service{options: o}, show: show}
	token, err := v.token(ctx)
	if err != nil {
		return access{}, err
	}
	a := access{url: f.url, keys: f.keys}
	name := nameOf(f.url)
	if f.url == "" || sameURL(f.url, s.Cache.URL) {
		if name, err = o.cacheName(s, ""); err != nil {
			return access{}, err
		}
		if f.url == "" && s.Given("cache.url") {
			a.url = s.Cache.URL
		}
		if len(a.keys) == 0 {
			a.keys = s.Cache.PublicKeys
		}
	}
	if err := a.complete(ctx, v, name, token); err != nil {
		return access{}, fmt.Errorf("%w\nhint: %w", err, errKeyless)
	}
	switch {
	case len(a.keys) > 0 || a.url == "":
	case name != "" && len(a.warnings) > 0:
		return access{}, fmt.Errorf("%s\nhint: %w", a.warnings[0].Message, errKeyless)
	case name != "":
		return access{}, fmt.Errorf("cache %s has no public key yet\nhint: %w", name, errKeyless)
	default:
		a.warnings.Warnf(s.At("cache"), "public-key-missing", "pass --public-key, or set cache.public-key in the settings",
			"no public key of the new cache is known, so nix will not trust it")
	}
	return a, nil
}

const nameCacheHint = `"garnix2gha init --cache NAME" names one in the settings, --url and --public-key name one here`

// errKeyless is the way out when the key of the new cache cannot be found.
var errKeyless = errors.New("give it as cache.public-key in the settings, or to \"garnix2gha leftovers --fix\" with --public-key; with --remove that only takes garnix's cache out")
