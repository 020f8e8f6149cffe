// Which cache is meant, what is known of it, and how it and Cachix are asked.

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"garnix2gha/cmd/internal/bincache"
	"garnix2gha/cmd/internal/cachix"
	"garnix2gha/cmd/internal/leftovers"
	"garnix2gha/cmd/internal/restapi"
	"garnix2gha/cmd/internal/secretsource"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/settings"
)

// The environment variables of the cache commands. The name of a cache is only ever read from this variable, whatever
// name-variable says: a repository must not choose which variable ends up in a host name.
const (
	nameVariable  = "CACHIX_CACHE_NAME"
	tokenVariable = "CACHIX_AUTH_TOKEN"
	apiVariable   = "GARNIX2GHA_CACHIX_API"
)

func newCache(o *options) *cobra.Command {
	command := &cobra.Command{Use: "cache"}
	command.AddCommand(newCacheVerify(o), newCacheInspect(o), newCacheCreate(o))
	return command
}

func (o *options) token() secretsource.Value {
	return secretsource.NewValue(strings.TrimSpace(o.getenv(tokenVariable)))
}

// client is Cachix's API; show is told of waits and may be nil.
func (o *options) client(token secretsource.Value, show func(string)) cachix.Client {
	caller := o.caller(show)
	caller.BaseURL, caller.Token = o.getenv(apiVariable), token
	return cachix.New(caller)
}

// caller is how anybody is called; show is told of waits, and without it a person is told of the first.
func (o *options) caller(show func(string)) restapi.Caller {
	var first sync.Once
	return restapi.Caller{Sleep: o.sleep, Waiting: func(wait time.Duration, why string) {
		if show == nil {
			first.Do(func() { fmt.Fprintf(o.stderr, "%s; asking again\n", why) })
		} else {
			show(fmt.Sprintf("%s; asking again in %s", why, wait.Round(time.Second)))
		}
	}}
}

// cacheName is the Cachix cache that is meant: the one named, else the settings', else the environment's; "" is none.
func (o *options) cacheName(s *settings.Settings, named string) (string, error) {
	name := named
	switch {
	case named != "" || s.Cache.Backend != settings.Cachix:
	case s.Cache.Name != "":
		return s.Cache.Name, nil
	default:
		name = strings.TrimSpace(o.getenv(nameVariable))
	}
	// The text is not repeated: it may be a token.
	if name != "" && !hostLabel.MatchString(name) {
		return "", usagef("that is no name of a Cachix cache: names have lower-case letters, digits and dashes, 63 at most")
	}
	return name, nil
}

// hostLabel is what the name of a Cachix cache must be, since it becomes a part of a host's name.
var hostLabel = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// access is a cache and what it takes to read it and to trust it.
type access struct {
	url       string // "" is no cache
	name      string // at Cachix
	keys      []string
	own       bool // it is the settings' or the environment's
	confirmed bool // Cachix gave the address
	token     secretsource.Value
	warnings  diag.List
}

// find finds out which cache is meant: the one at an address, else the settings', else the environment's. Cachix is asked
// for the keys and, where it is not the hosted service, for the address, to which alone a token may then be sent.
func (o *options) find(ctx context.Context, s *settings.Settings, address string, keys []string, show func(string)) (access, error) {
	a := access{url: address, keys: keys, own: address == "" || sameURL(address, s.Cache.URL), name: nameOf(address), token: o.token()}
	var err error
	if a.own {
		if a.name, err = o.cacheName(s, ""); err != nil {
			return a, err
		}
		if s.Given("cache.url") {
			a.url = s.Cache.URL
		}
		if len(keys) == 0 {
			a.keys = s.Cache.PublicKeys
		}
	}
	if a.name == "" {
		return a, nil
	}
	elsewhere := o.getenv(apiVariable) != ""
	addressless := a.url == "" && elsewhere
	if len(a.keys) > 0 && !addressless && (!elsewhere || a.token.Empty()) {
		a.url = cmp.Or(a.url, cachixURL(a.name))
		return a, nil
	}
	// First as anyone may: an expired token would be refused even what is public.
	found, err := o.client(secretsource.Value{}, show).GetCache(ctx, a.name)
	if refusal, ok := errors.AsType[*restapi.Fault](err); ok && refusal.Refused() && !a.token.Empty() {
		found, err = o.client(a.token, show).GetCache(ctx, a.name)
	}
	switch {
	case err != nil && (addressless || ctx.Err() != nil):
		return a, err
	case err != nil:
		a.warnings.Warnf(diag.Pos{}, "cache-unknown", "", "%s", err)
	case len(a.keys) == 0:
		a.keys = trusted(found)
	}
	a.url = cmp.Or(a.url, found.URI, cachixURL(a.name))
	a.confirmed = found.URI != "" && sameURL(a.url, found.URI)
	return a, nil
}

// expected is the replacement as far as nobody has to be asked: a key that only Cachix can tell is stood in for.
func (o *options) expected(s *settings.Settings) (leftovers.Replacement, error) {
	name, err := o.cacheName(s, "")
	r := leftovers.Replacement{CacheURL: s.Cache.URL, PublicKeys: s.Cache.PublicKeys}
	if name != "" {
		r.CacheURL = cmp.Or(r.CacheURL, cachixURL(name))
		if len(r.PublicKeys) == 0 {
			r.PublicKeys = []string{name + ".cachix.org-1:" + strings.Repeat("A", 43) + "="}
		}
	}
	return r, err
}

// replacement is the cache that takes the place of garnix's, zero where none is known. One at Cachix must have keys.
func (o *options) replacement(ctx context.Context, s *settings.Settings) (leftovers.Replacement, error) {
	var none leftovers.Replacement
	show, done := o.progress("asking Cachix")
	a, err := o.find(ctx, s, "", nil, show)
	done()
	keyless := errors.New(`set cache.public-key in the settings`)
	switch {
	case err != nil:
		return none, fmt.Errorf("%w\nhint: %w", err, keyless)
	case a.url == "":
		fmt.Fprintln(o.stderr, "no new cache is known, so garnix's is only taken out where a line holds nothing else; "+nameCacheHint)
	case len(a.keys) > 0:
	case a.name != "" && len(a.warnings) > 0:
		return none, fmt.Errorf("%s\nhint: %w", a.warnings[0].Message, keyless)
	case a.name != "":
		return none, fmt.Errorf("cache %s has no public key yet\nhint: %w", a.name, keyless)
	default:
		a.warnings.Warnf(s.At("cache"), "public-key-missing", keyless.Error(), "no public key of the new cache is known, so nix will not trust it")
	}
	return leftovers.Replacement{CacheURL: a.url, PublicKeys: a.keys}, o.printText(a.warnings)
}

const nameCacheHint = `"garnix2gha init --cache NAME" names one in the settings`

// trusted are the cache's keys that can be one.
func trusted(cache cachix.BinaryCache) []string {
	return slices.DeleteFunc(slices.Clone(cache.PublicSigningKeys), func(key string) bool {
		_, err := bincache.ParsePublicKey(key)
		return err != nil
	})
}

// login gives a client, with the token if the cache asks for credentials. The token goes to Cachix alone: the address
// may come from a file that anyone can propose a change to. Other caches are for --netrc, which says what belongs to whom.
func (a *access) login(ctx context.Context, config bincache.Config) (*bincache.Client, error) {
	config.URL, config.PublicKeys = a.url, a.keys
	client, err := bincache.New(config)
	if err != nil || a.token.Empty() {
		return client, err
	}
	fault, ok := errors.AsType[*restapi.Fault](client.Check(ctx))
	if !ok || !fault.Refused() || fault.Authorized {
		return client, ctx.Err()
	}
	at, err := url.Parse(a.url)
	if err != nil {
		return nil, errors.New("parse cache URL: not a URL")
	}
	if nameOf(a.url) == "" && !a.confirmed || !restapi.Sealed(at) {
		a.warnings.Warnf(diag.Pos{}, "token-not-sent", "name the host in a netrc file and pass --netrc",
			"the cache asks for credentials, and the token is sent to Cachix only, over https")
		return client, nil
	}
	config.Caller.Credentials = append(config.Caller.Credentials, restapi.Basic(at.Host, "", a.token))
	return bincache.New(config)
}

func cachixURL(name string) string { return "https://" + name + ".cachix.org" }

// nameOf is the name of the cache at an address of the hosted service; "" for other addresses.
func nameOf(address string) string {
	at, err := url.Parse(address)
	if err != nil {
		return ""
	}
	name, ok := strings.CutSuffix(strings.ToLower(at.Hostname()), ".cachix.org")
	if !ok || !hostLabel.MatchString(name) {
		return ""
	}
	return name
}

func sameURL(a, b string) bool { return strings.TrimRight(a, "/") == strings.TrimRight(b, "/") }

// problem prints an error that is the user's to fix, so that the exit code says so.
func (o *options) problem(err error) error {
	fmt.Fprintf(o.stderr, "garnix2gha: %s\n", message(err))
	return errProblems
}
