package main

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/url"
	"slices"
	"strings"

	"garnix2gha/cmd/internal/bincache"
	"garnix2gha/cmd/internal/cachix"
	"garnix2gha/cmd/internal/restapi"
	"garnix2gha/cmd/internal/secretsource"
	"garnix2gha/generator/diag"
	"garnix2gha/generator/settings"
)

// access is which cache is verified and how it is read.
type access struct {
	url         string
	upstreams   []string
	keys        []string // none: signatures are not looked at
	credentials []restapi.Credential
	named       bool // the API gave the address
	warnings    diag.List
}

// access finds out which cache is meant, the one on the command line, else the settings', else the environment's, and
// begins its verification.
func (v *verifier) access(ctx context.Context, s *settings.Settings) (*bincache.Client, verification, error) {
	token, err := v.token(ctx)
	if err != nil {
		return nil, verification{}, err
	}
	name, err := v.cacheName(s, v.cache)
	if err != nil {
		return nil, verification{}, err
	}
	a := access{url: v.url, upstreams: s.Cache.Upstreams, keys: v.keys}
	// The settings speak of their own cache only.
	own := v.cache == "" && v.url == "" || v.cache == "" && sameURL(v.url, s.Cache.URL) || v.url == "" && v.cache == nameIn(s)
	switch {
	case !own && v.cache == "":
		name = nameOf(v.url)
	case own && s.Given("cache.url"):
		a.url = s.Cache.URL
	}
	if own && len(a.keys) == 0 {
		a.keys = s.Cache.PublicKeys
	}
	if err := a.complete(ctx, v, name, token); err != nil {
		return nil, verification{}, err
	}
	if a.url == "" {
		return nil, verification{}, usagef("no cache is known: name it with --cache or --url, under cache: in the settings, or in " + nameVariable)
	}
	if len(a.keys) == 0 {
		at := diag.Pos{}
		if own {
			at = s.At("cache")
		}
		a.warnings.Warnf(at, "signatures-unchecked", "pass --public-key, or set cache.public-key in the settings",
			"no public key of the cache is known, so signatures are not checked")
	}
	if v.netrc != "" {
		if a.credentials, err = restapi.ReadNetrc(v.netrc); err != nil {
			return nil, verification{}, err
		}
	}
	client, err := a.login(ctx, v, token)
	return client, newVerification(a), err
}

// complete asks Cachix for what only it can tell: the keys, and where the service is not the hosted one also the address,
// to which alone a token may be sent.
func (a *access) complete(ctx context.Context, v *verifier, name string, token secretsource.Value) error {
	addressless := a.url == "" && v.base() != ""
	if name == "" || len(a.keys) > 0 && !addressless && (v.base() == "" || token.Empty()) {
		if a.url == "" && name != "" {
			a.url = cachixURL(name)
		}
		return nil
	}
	found, err := v.find(ctx, name, token)
	switch {
	case err != nil && (addressless || ctx.Err() != nil):
		return err
	case err != nil:
		a.warnings.Warnf(diag.Pos{}, "cache-unknown", "", "%s", err)
	case len(a.keys) == 0:
		a.keys = trusted(found)
	}
	a.url = cmp.Or(a.url, found.URI, cachixURL(name))
	a.named = found.URI != "" && sameURL(a.url, found.URI)
	return nil
}

// find reads a cache, first as anyone may: an expired token would be refused even what is public.
func (v *verifier) find(ctx context.Context, name string, token secretsource.Value) (cachix.BinaryCache, error) {
	found, err := v.client(secretsource.Value{}, v.show).GetCache(ctx, name)
	if refusal, ok := errors.AsType[*restapi.Fault](err); ok && refusal.Refused() && !token.Empty() {
		found, err = v.client(token, v.show).GetCache(ctx, name)
	}
	return found, err
}

// trusted are the cache's keys that can be one.
func trusted(cache cachix.BinaryCache) []string {
	return slices.DeleteFunc(slices.Clone(cache.PublicSigningKeys), func(key string) bool {
		_, err := bincache.ParsePublicKey(key)
		return err != nil
	})
}

// login gives a client, with the token if the cache asks for credentials. The token goes to Cachix alone: the address
// may come from a file that anyone can propose a change to. Other caches are for --netrc, which says what belongs to whom.
func (a *access) login(ctx context.Context, v *verifier, token secretsource.Value) (*bincache.Client, error) {
	config := bincache.Config{URL: a.url, Upstreams: a.upstreams, PublicKeys: a.keys, Caller: v.caller(v.show)}
	config.Caller.Credentials = a.credentials
	client, err := bincache.New(config)
	if err != nil || token.Empty() {
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
	hosted := strings.HasSuffix(strings.ToLower(at.Hostname()), ".cachix.org")
	if !hosted && !a.named || at.Scheme != "https" && !loopback(at.Hostname()) {
		a.warnings.Warnf(diag.Pos{}, "token-not-sent", "name the host in a netrc file and pass --netrc",
			"the cache asks for credentials, and the token is sent to Cachix only, over https")
		return client, nil
	}
	config.Caller.Credentials = append(config.Caller.Credentials, restapi.Basic(at.Host, "", token))
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

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// shown is an address without what may be secret in it.
func shown(address string) string {
	at, err := url.Parse(address)
	if err != nil {
		return ""
	}
	at.User, at.RawQuery, at.Fragment = nil, "", ""
	return strings.TrimRight(at.String(), "/")
}

func nameIn(s *settings.Settings) string {
	backend, _ := s.Cache.Backend.(settings.Cachix)
	return backend.Name
}

func sameURL(a, b string) bool { return strings.TrimRight(a, "/") == strings.TrimRight(b, "/") }
